"""The same arrivals for an engine and for the simulator: what became of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

import numpy as np

import inferometer as im
from simulator_parts.loads import COST, Load, poisson

QUANTILES: Final = {"P50": 0.5, "P95": 0.95, "P99": 0.99}


@dataclass
class Outcome:
    """What happened to one load: of an engine, or of its simulation. Lists are by request."""

    mean_batch: float
    seconds: float  # first arrival to last answer
    refused: int
    latencies: list[float]  # of those that were answered
    levels: list[int]  # of these

    def numbers(self) -> dict[str, float]:
        """What is compared."""
        values = {
            "mean batch": self.mean_batch,
            "throughput": len(self.latencies) / self.seconds,
            **quantiles(self.latencies),
        }
        levels = np.asarray(self.levels)
        for level in sorted(set(self.levels) - {0}):
            of_level = quantiles(np.asarray(self.latencies)[levels == level].tolist())
            values |= {f"{name} of level {level}": value for name, value in of_level.items()}
        return values


@dataclass(frozen=True)
class Lateness:
    """What an engine on a machine takes and the simulator knows nothing of, in seconds.

    Attributes:
        batch: Mean of what a batch took from being formed to its end, beyond its cost.
        model: P99 of what the model took beyond it.
        pick_up: P99 of how long requests that found an instance free waited for its worker; None
            where there are few of them.
    """

    batch: float
    model: float
    pick_up: float | None


@dataclass
class Served:
    """A round on a real engine."""

    outcome: Outcome
    sent: list[float] = field(default_factory=list)  # when each request was really submitted
    timings: dict[int, im.Timing] = field(default_factory=dict)  # by request, if it was accepted


def quantiles(latencies: list[float]) -> dict[str, float]:
    """By name, in seconds."""
    values = np.quantile(latencies, list(QUANTILES.values()))
    return dict(zip(QUANTILES, map(float, values), strict=True))


def serve(load: Load, planned: list[float], levels: list[int]) -> Served:
    """Sends the requests to an engine, open loop."""
    row = np.zeros((1, 1), np.float32)
    sent: list[float] = []
    handles: dict[int, im.Request] = {}
    with im.Engine(
        im.DelayModel(*COST),
        name="m",
        batching=load.batching,
        instances=load.instances,
        registry=im.Registry(),
    ) as engine:
        engine.infer(row)
        before = engine.stats()["batch_size"]["count"]
        start = time.monotonic()
        for i, (at, level) in enumerate(zip(planned, levels, strict=True)):
            while (wait := start + at - time.monotonic()) > 0:
                time.sleep(wait)
            sent.append(time.monotonic() - start)
            try:
                handles[i] = engine.submit(row, priority=level)
            except im.QueueFullError:
                continue
        for handle in handles.values():
            handle.result()
        batches = engine.stats()["batch_size"]["count"] - before
    timings = {i: handle.timing for i, handle in handles.items()}
    latencies = [timing.total for timing in timings.values()]
    last = max(sent[i] + timing.total for i, timing in timings.items())
    outcome = Outcome(
        len(timings) / batches,
        last - sent[0],
        len(sent) - len(timings),
        latencies,
        [levels[i] for i in timings],
    )
    return Served(outcome, sent, timings)


def simulate(
    load: Load, sent: list[float], levels: list[int], overhead: float = 0.0
) -> tuple[Outcome, list[int]]:
    """The same without an engine, each batch with `overhead` seconds on top of its cost.

    Also tells which requests found an instance free.
    """
    arrivals = [im.Arrival(at, priority=level) for at, level in zip(sent, levels, strict=True)]
    each, a_row = COST
    simulation = im.simulate(
        load.batching, arrivals, (each + overhead, a_row), load.instances, trace=True
    )
    simulation.run()
    answered = [request for request in simulation.requests if request[1] == "success"]
    outcome = Outcome(
        simulation.stats()["batch_size"]["mean"],
        simulation.now - sent[0],
        len(sent) - len(answered),
        [total_ns / 1e9 for _, _, _, total_ns, _ in answered],
        [levels[i] for i, *_ in answered],
    )
    return outcome, [i for i, _, queue_ns, _, _ in answered if queue_ns == 0]


def lateness(timings: dict[int, im.Timing], found_free: list[int]) -> Lateness:
    """Of a round."""
    each, a_row = COST
    costs = [each + a_row * timing.batch_size for timing in timings.values()]
    by_request = list(zip(timings.values(), costs, strict=True))
    batch = [timing.total - timing.queue - cost for timing, cost in by_request]
    model = [timing.compute - cost for timing, cost in by_request]
    waited = [timings[i].queue for i in found_free if i in timings]
    few = len(waited) < len(timings) / 4
    return Lateness(
        float(np.mean(batch)),
        float(np.quantile(model, 0.99)),
        None if few else float(np.quantile(waited, 0.99)),
    )


@dataclass(frozen=True)
class Round:
    """One load, served and foretold.

    Attributes:
        engine: Numbers by name.
        simulator: By the cost alone.
        corrected: With the engine's own overhead for a batch (`late.batch`) in the cost.
        refused: Requests, of the first two.
        late: How late the engine was.
    """

    engine: dict[str, float]
    simulator: dict[str, float]
    corrected: dict[str, float]
    refused: tuple[int, int]
    late: Lateness


def one_round(load: Load, seed: int, count: int | None = None) -> Round:
    """Serves `count` requests (None: those of a round), then simulates what was really sent."""
    count = count or load.requests
    levels = load.levels(count, seed)
    served = serve(load, poisson(load.rate, count, seed).tolist(), levels)
    foretold, found_free = simulate(load, served.sent, levels)
    late = lateness(served.timings, found_free)
    corrected, _ = simulate(load, served.sent, levels, late.batch)
    return Round(
        served.outcome.numbers(),
        foretold.numbers(),
        corrected.numbers(),
        (served.outcome.refused, foretold.refused),
        late,
    )
