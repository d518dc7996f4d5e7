"""What batching would do: requests, a queue and instances on a clock of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from inferometer import _core
from inferometer._core import ConfigError, Registry
from inferometer.batching import Batching, check_bool, check_int, check_seconds, check_text
from inferometer.faults import Faults, check_seed
from inferometer.html.state import simulation_html
from inferometer.html.stats import Stats

# As the core has it.
_MAX_INSTANCES = 65_536


class Arrival(NamedTuple):
    """A simulated request as its caller makes it. A tuple that ends early has the defaults.

    Attributes:
        at: Seconds since the simulation's start.
        rows: 1 to the batching's ``max_batch_size``.
        priority: A level, or 0 for the default.
        group: Stands for dtypes and shapes: requests of one group can share a batch.
        timeout: Seconds until its deadline; None: the batching's default.
        cancel_at: The second of the simulation at which its caller gives up; None: never.
        nbytes: Of its inputs, for ``max_queue_bytes``.
        length: Along the padded axis. Without padding other lengths are other shapes.
    """

    at: float
    rows: int = 1
    priority: int = 0
    group: int = 0
    timeout: float | None = None
    cancel_at: float | None = None
    nbytes: int = 0
    length: int | None = None


Arrivals = Iterable[float] | Iterable[tuple[float, int]] | Iterable[Arrival]
Cost = Callable[[int], float] | tuple[float, float] | Sequence[float]

RequestRecord = tuple[int, str, int, int, int | None]
BatchRecord = tuple[int, int, int, str, int, list[int]]


class Simulation:
    """Requests that arrive at an engine which is not there. Made by ``simulate()``.

    Any thread may read ``now``, ``stats()`` and ``registry`` at any time; of the rest one call at a
    time is possible.
    """

    def __init__(self, core: _core.Simulation) -> None:
        self._core = core
        self._faults = Faults._of(core.faults)

    def advance(self, seconds: float) -> None:
        """Lets everything of the next seconds happen, that of the last nanosecond too.

        Raises:
            ConfigError: No number of seconds, or a negative one; arrivals that are out of order or
                range; a cost that is no number of seconds, 0 or more.
            ClosedError: During another call, or after an error of the arrivals or the cost: what
                was recorded until then stays.
        """
        check_seconds("advance", seconds)
        self._core.advance(seconds)

    def run(self) -> None:
        """Goes on until nothing arrives any more, waits or runs; Ctrl-C ends it.

        With endless arrivals that is never, unless ``until`` was given.

        Raises:
            ConfigError: As ``advance()``.
            ClosedError: As ``advance()``.
        """
        self._core.run()

    def extend(self, arrivals: Arrivals) -> None:
        """Adds arrivals, after those that there are.

        Args:
            arrivals: As of ``simulate()``; none before ``now``.

        Raises:
            ConfigError: What is no iterable. Wrong arrivals are found when their time comes.
            ClosedError: During another call.
        """
        self._core.extend(_as_iterable(arrivals))

    def stats(self) -> Stats:
        """What happened so far.

        Returns:
            The dict of ``Engine.stats()``, and ``throughput``: successful requests a second of
            simulated time, nan at its start.
        """
        return Stats(self._core.stats())

    @property
    def now(self) -> float:
        """Seconds since the start; after ``run()`` those at the last event."""
        return self._core.now

    @property
    def registry(self) -> Registry:
        """The metrics that an engine would show. They are there as long as the simulation is."""
        return self._core.registry

    @property
    def faults(self) -> Faults:
        """Faults of its batches, on its clock: what an engine's ``faults=`` would do."""
        return self._faults

    @property
    def requests(self) -> list[RequestRecord]:
        """With ``trace=True`` every request that has ended, in the order of the ends.

        A new list of tuples ``(id, outcome, queue_ns, total_ns, batch)``: arrivals are counted from
        0, ``batch`` is an index into ``batches``, None if the request was never in one.
        """
        return self._core.requests

    @property
    def batches(self) -> list[BatchRecord]:
        """With ``trace=True`` every batch that was released, in that order.

        A new list of tuples ``(start_ns, end_ns, instance, reason, rows, request ids)``.
        """
        return self._core.batches

    def __repr__(self) -> str:
        """Where it is."""
        return f"<inferometer.Simulation at {self.now:g} s>"

    def _repr_html_(self) -> str:
        """For notebooks: where it is, and ``stats()``."""
        return simulation_html(self)


def simulate(
    batching: Batching,
    arrivals: Arrivals,
    cost: Cost,
    instances: int = 1,
    *,
    trace: bool = False,
    name: str = "simulated",
    latency_objective: float | None = None,
    until: float | None = None,
    registry: Registry | None = None,
    recording: float = 0.0,
    seed: int = 0,
) -> Simulation:
    """Works out what an engine with this batching would do, on a virtual clock.

        sim = im.simulate(im.Batching(max_batch_size=16), recorded, lambda rows: 2e-3 + 1e-4 * rows)
        sim.run()
        sim.stats()["latency"]["p95"]

    The engine's own scheduler decides and its recorder counts; see docs/simulator.md.

    Args:
        batching: The rules.
        arrivals: In the order of time, each seconds, ``(seconds, rows)`` or an ``Arrival``. An
            array of float64, ``(n,)`` or ``(n, 2)``, is read where it lies. Anything else is
            iterated, up to 1,024 arrivals ahead of the clock, and may be endless.
        cost: Seconds that a batch takes. A callable on the number of its rows, which is asked once
            for each number; ``(seconds, seconds_per_row)``, a tuple; or a sequence or array of
            which ``cost[rows]`` is the cost.
        instances: Batches that can run at the same time.
        trace: Keeps ``requests`` and ``batches``: memory grows with them.
        name: The model's name in the metrics.
        latency_objective: Seconds, as of ``Engine``.
        until: Nothing arrives from this second on.
        registry: Where to record, for several models in one exposition; None: one of its own.
        recording: Seconds that recording is to cost for each request: shown as the model's
            telemetry time, it holds nobody up. On a virtual clock it cannot be measured.
        seed: Of the draws of ``faults``.

    Returns:
        The simulation at second 0, where nothing has happened yet.

    Raises:
        ConfigError: Wrong options. Wrong arrivals and costs are found when their time comes.
    """
    if not isinstance(batching, Batching):
        raise ConfigError(f"batching: got {type(batching).__name__}, want Batching")
    check_int("instances", instances)
    if not 1 <= instances <= _MAX_INSTANCES:
        raise ConfigError(f"instances: got {instances}, want 1 to {_MAX_INSTANCES}")
    check_bool("trace", trace)
    check_text("name", name)
    if registry is not None and not isinstance(registry, Registry):
        raise ConfigError(f"registry: got {type(registry).__name__}, want a Registry or None")
    check_seconds("recording", recording)
    check_seed(seed)
    for option, got in (("latency_objective", latency_objective), ("until", until)):
        if got is not None:
            check_seconds(option, got, "seconds or None")
    core = _core.Simulation(
        batching,
        _as_iterable(arrivals),
        _cost_function(cost),
        instances,
        trace,
        name,
        latency_objective,
        until,
        registry,
        recording,
        seed,
    )
    return Simulation(core)


def _as_iterable(arrivals: Arrivals) -> Arrivals:
    if isinstance(arrivals, np.ndarray) and arrivals.dtype.kind in "fiu":
        return np.ascontiguousarray(arrivals, dtype=np.float64)
    if not isinstance(arrivals, Iterable):
        raise ConfigError(f"arrivals: got {type(arrivals).__name__}, want an iterable")
    return arrivals


def _cost_function(cost: Cost) -> Callable[[int], float]:
    if callable(cost):
        return cost
    if isinstance(cost, tuple):
        if len(cost) != 2:
            raise ConfigError(f"cost: got a tuple of {len(cost)}, want (seconds, seconds_per_row)")
        seconds, seconds_per_row = cost
        check_seconds("cost", seconds)
        check_seconds("cost", seconds_per_row)
        return lambda rows: seconds + seconds_per_row * rows
    if not hasattr(cost, "__getitem__") or not hasattr(cost, "__len__"):
        raise ConfigError(
            f"cost: got {type(cost).__name__}, want a callable, (seconds, seconds_per_row), or a "
            "sequence by rows"
        )

    def looked_up(rows: int) -> float:
        if rows >= len(cost):
            raise ConfigError(f"cost: got {len(cost)} numbers, want one for {rows} rows: more")
        return cost[rows]

    return looked_up
