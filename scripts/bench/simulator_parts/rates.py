"""How many requests the simulator simulates a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import inferometer as im
from simulator_parts.loads import poisson

SIMULATED: Final = 500_000


def rate_of(arrivals: Iterable[Any], count: int) -> float:
    """Simulated requests a second of real time."""
    batching = im.Batching(max_batch_size=16, max_queue_delay=1e-3)
    simulation = im.simulate(batching, arrivals, (1e-3, 1e-5))
    begin = time.perf_counter()
    simulation.run()
    return count / (time.perf_counter() - begin)


def rates(rounds: int, count: int = SIMULATED) -> dict[str, list[float]]:
    """By the form of the arrivals, one for each round."""
    times = poisson(8000, count, 1)
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
    return {form: [rate_of(make(), count) for _ in range(rounds)] for form, make in forms.items()}
