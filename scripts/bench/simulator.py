"""The simulator: requests a second, and how well it foretells what a real engine does.

Arrivals are sent to an engine with a DelayModel, open loop, at times drawn from a Poisson process;
the times at which they were really submitted are then simulated. Both should give the same mean
batch, throughput and quantiles of the latency. Prints a JSON line for each. The time that the
model itself took is compared too: where that differs, other processes had the machine.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import inferometer as im

Floats = NDArray[np.float64]

ROUNDS: Final = 5
SECONDS: Final = 3.0
ALLOWED: Final = 0.1
COST: Final = (4e-3, 1e-4)  # a batch, and each of its rows
SIMULATED: Final = 500_000


@dataclass(frozen=True)
class Load:
    """Requests a second, and how they are batched."""

    rate: float
    batching: im.Batching


# With batches of 16 the model serves 2,857 requests a second.
LOADS: Final = {
    "light": Load(100, im.Batching(max_batch_size=16)),
    "light, waiting 10 ms": Load(400, im.Batching(max_batch_size=16, max_queue_delay=0.01)),
    "half": Load(1400, im.Batching(max_batch_size=16)),
    "busy": Load(2400, im.Batching(max_batch_size=16, max_queue_delay=0.005)),
    "too much": Load(4000, im.Batching(max_batch_size=16, max_queue_size=100)),
}


def poisson(rate: float, count: int, seed: int) -> Floats:
    """Times of arrivals in seconds, ascending."""
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))


# -- requests a second ----------------------------------------------------------------------------


def rate_of(arrivals: Iterable[Any]) -> float:
    """Simulated requests a second of real time."""
    batching = im.Batching(max_batch_size=16, max_queue_delay=1e-3)
    simulation = im.simulate(batching, arrivals, (1e-3, 1e-5))
    begin = time.perf_counter()
    simulation.run()
    return SIMULATED / (time.perf_counter() - begin)


def measure_rates() -> None:
    """The rate for each form of arrivals."""
    times = poisson(8000, SIMULATED, 1)
    seconds = times.tolist()
    forms: dict[str, Callable[[], Iterable[Any]]] = {
        "array": lambda: times,
        "generator of seconds": lambda: (at for at in seconds),
        "generator of (seconds, rows)": lambda: ((at, 1) for at in seconds),
        "generator of Arrival": lambda: (im.Arrival(at) for at in seconds),
        "generator of Arrival with a timeout": lambda: (
            im.Arrival(at, timeout=0.01) for at in seconds
        ),
    }
    for form, make in forms.items():
        rates = [rate_of(make()) for _ in range(ROUNDS)]
        emit(what="simulated requests a second", arrivals=form, value=statistics.median(rates))


# -- agreement ------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What happened to one load: of an engine, or of its simulation."""

    latencies: list[float]
    rejected: int
    mean_batch: float
    mean_compute: float
    seconds: float  # first arrival to last answer

    def numbers(self) -> dict[str, float]:
        """What is compared."""
        p50, p95, p99 = np.quantile(self.latencies, (0.5, 0.95, 0.99))
        return {
            "the model's own time": self.mean_compute,
            "mean batch": self.mean_batch,
            "throughput": len(self.latencies) / self.seconds,
            "P50": float(p50),
            "P95": float(p95),
            "P99": float(p99),
        }


def serve(load: Load, planned: Floats) -> tuple[Outcome, list[float]]:
    """Sends the requests to an engine; also returns when they were really sent."""
    row = np.zeros((1, 1), np.float32)
    registry = im.Registry()
    sent, answers, rejected = [], [], 0
    with im.Engine(
        im.DelayModel(*COST), name="m", batching=load.batching, registry=registry
    ) as engine:
        engine.infer(row)
        before = engine.stats()
        start = time.monotonic()
        for at in planned:
            while (wait := start + at - time.monotonic()) > 0:
                time.sleep(wait)
            sent.append(time.monotonic() - start)
            try:
                answers.append((sent[-1], engine.submit(row)))
            except im.QueueFullError:
                rejected += 1
        for _, answer in answers:
            answer.result()
        after = engine.stats()
    latencies = [answer.timing.total for _, answer in answers]
    last = max(at + latency for (at, _), latency in zip(answers, latencies, strict=True))
    batches = after["batch_size"]["count"] - before["batch_size"]["count"]
    compute = (after["busy_seconds"] - before["busy_seconds"]) / batches
    outcome = Outcome(latencies, rejected, len(answers) / batches, compute, last - sent[0])
    return outcome, sent


def simulate(load: Load, sent: list[float]) -> Outcome:
    """The same without an engine."""
    simulation = im.simulate(load.batching, sent, COST, trace=True)
    simulation.run()
    latencies = [total / 1e9 for _, what, _, total, _ in simulation.requests if what == "success"]
    stats = simulation.stats()
    return Outcome(
        latencies,
        stats["requests"]["rejected"],
        stats["batch_size"]["mean"],
        stats["compute"]["mean"],
        simulation.now - sent[0],
    )


def compare(name: str, load: Load) -> None:
    """Rounds of one load; each is compared with its own simulation, the medians count."""
    served: list[dict[str, float]] = []
    foretold: list[dict[str, float]] = []
    refused: list[tuple[int, int]] = []
    for seed in range(ROUNDS):
        planned = poisson(load.rate, int(load.rate * SECONDS), seed)
        outcome, sent = serve(load, planned)
        simulated = simulate(load, sent)
        served.append(outcome.numbers())
        foretold.append(simulated.numbers())
        refused.append((outcome.rejected, simulated.rejected))
    for what in served[0]:
        engine = [numbers[what] for numbers in served]
        simulator = [numbers[what] for numbers in foretold]
        apart = [abs(one / other - 1) for one, other in zip(simulator, engine, strict=True)]
        emit(
            what=f"agreement: {what}",
            load=name,
            engine=statistics.median(engine),
            simulator=statistics.median(simulator),
            apart=statistics.median(apart),
            rounds=[round(each, 4) for each in apart],
            within=statistics.median(apart) <= ALLOWED,
        )
    emit(what="agreement: refused", load=name, rounds=refused)


def emit(**values: Any) -> None:
    """A line of results."""
    print(json.dumps(values), flush=True)


def main() -> None:
    """All of it, in a minute and a half."""
    measure_rates()
    for name, load in LOADS.items():
        compare(name, load)


if __name__ == "__main__":
    main()
