"""A design's turn in a round: as many calls as take the time that a turn has."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

AsyncCall = Callable[[], Coroutine[Any, Any, object]]
WARM_CALLS = 20


def turn(run: Callable[[int], float], seconds: float, at_least: int) -> Callable[[], float]:
    """A function that makes so many calls that they take `seconds`.

    Args:
        run: Makes that many calls and returns the seconds that each took.
        seconds: Of a turn.
        at_least: Calls that make sense; they are tried at first.

    Returns:
        A function that returns the seconds a call.
    """
    calls = at_least
    while (each := run(calls)) * calls < seconds / 4:
        calls *= 2
    calls = max(at_least, round(seconds / each))
    return lambda: run(calls)


def calls_in_turn(call: Callable[[], object], calls: int) -> float:
    """One caller that blocks: seconds a call."""
    start = time.perf_counter()
    for _ in itertools.repeat(None, calls):
        call()
    return (time.perf_counter() - start) / calls


def awaits(call: AsyncCall, callers: int, requests: int) -> float:
    """Tasks that each await one call after the other: seconds a request.

    The clock starts when every task has its first request in flight, and stops when so many more
    have been answered: making and ending the tasks is not in it.
    """
    start = end = 0.0

    def permits() -> Iterator[None]:
        nonlocal start, end
        yield from itertools.repeat(None, max(callers, WARM_CALLS))
        start = time.perf_counter()
        yield from itertools.repeat(None, requests)
        end = time.perf_counter()

    async def caller(shared: Iterator[None]) -> None:
        for _ in shared:
            await call()

    async def main() -> None:
        shared = permits()
        await asyncio.gather(*(caller(shared) for _ in range(callers)))

    asyncio.run(main())
    return (end - start) / requests


@dataclass(frozen=True)
class Seen:
    """What threads saw together. A value."""

    calls_per_second: float
    p50_seconds: float
    p99_seconds: float


def threads(call: Callable[[], object], count: int, seconds: float) -> Seen:
    """Threads that call in turn for so long, counted once each has made a few calls."""
    taken: list[list[float]] = [[] for _ in range(count)]
    ready = threading.Barrier(count + 1)

    def caller(own: list[float]) -> None:
        for _ in range(WARM_CALLS):
            call()
        ready.wait()
        last = time.perf_counter()
        until = last + seconds
        while last < until:
            call()
            now = time.perf_counter()
            own.append(now - last)
            last = now

    running = [threading.Thread(target=caller, args=(own,)) for own in taken]
    for thread in running:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in running:
        thread.join()
    elapsed = time.perf_counter() - start
    every = np.concatenate(taken)
    p50, p99 = np.quantile(every, (0.5, 0.99))
    return Seen(len(every) / elapsed, float(p50), float(p99))
