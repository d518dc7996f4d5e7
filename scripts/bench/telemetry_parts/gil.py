"""Whether writing the text of 100,000 series holds the GIL: what another Python thread notices.

That thread counts as fast as it can. Its rate while the text is written again and again, beside its
rate while nothing is, and the longest time it stood still, say how much of the GIL it got. There
must be a core for each thread, or the rate says something about the machine instead.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import prometheus_client

import inferometer as im
from inferometer import prometheus
from telemetry_parts.samples import APP, CLIENT, DROP_IN, NOBODY, emit, interleaved

FAMILIES: Final = 100
SERIES_OF_A_FAMILY: Final = 1_000
ROUNDS: Final = 3
SECONDS: Final = 1.2


def fill(counter: Callable[[int], Any]) -> None:
    """Makes the series: counters with two labels."""
    for family in range(FAMILIES):
        labelled = counter(family)
        for i in range(SERIES_OF_A_FAMILY):
            labelled.labels(f"/{i}", "200").inc(family * i)


class Counting:
    """A thread that counts, and notices when it stood still. Single-owner."""

    def __init__(self) -> None:
        self._stop = False
        self._counted = 0
        self._longest_ns = 0
        self._thread = threading.Thread(target=self._count)
        self._started = time.perf_counter()
        self._thread.start()

    def _count(self) -> None:
        longest = 0
        counted = 0
        last = time.perf_counter_ns()
        while not self._stop:
            now = time.perf_counter_ns()
            if now - last > longest:
                longest = now - last
            last = now
            counted += 1
        self._longest_ns = longest
        self._counted = counted

    def stop(self) -> tuple[float, float]:
        """Counts a second, and the longest stand-still in milliseconds."""
        self._stop = True
        seconds = time.perf_counter() - self._started
        self._thread.join()
        return self._counted / seconds, self._longest_ns / 1e6


def beside(call: Callable[[], object], stood_still: list[float]) -> float:
    """The rate of the counting thread while this is called over and over."""
    counting = Counting()
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        call()
    rate, longest_ms = counting.stop()
    stood_still.append(longest_ms)
    return rate


def main() -> None:
    """Measures all three, and doing nothing."""
    print("making 100,000 series, three times", flush=True)
    own = im.Registry()
    fill(lambda family: own.counter(f"requests_{family}", "Requests.", ["path", "code"]))
    calls: dict[str, Callable[[], object]] = {
        NOBODY: partial(time.sleep, 0.01),
        APP: partial(im.render_metrics, own),
    }
    libraries: dict[str, Any] = {DROP_IN: prometheus, CLIENT: prometheus_client}
    for who, library in libraries.items():
        library.disable_created_metrics()
        registry = library.CollectorRegistry()
        make = partial(library.Counter, labelnames=["path", "code"], registry=registry)
        fill(lambda family, make=make: make(f"requests_{family}", "Requests."))  # type: ignore[misc]
        calls[who] = partial(library.generate_latest, registry)
        print("... made", flush=True)

    stood_still: dict[str, list[float]] = {who: [] for who in calls}
    chance = random.Random(1)
    rates: dict[str, list[float]] = {who: [] for who in calls}
    for number in range(ROUNDS):
        print(f"a thread beside rendering: round {number + 1} of {ROUNDS}", flush=True)
        timed = {who: partial(beside, call, stood_still[who]) for who, call in calls.items()}
        for who, values in interleaved(timed, 1, chance).items():
            rates[who].extend(values)
    for who in calls:
        emit("stood still", who, stood_still[who])
        if who != NOBODY:
            shares = [100 * a / b for a, b in zip(rates[who], rates[NOBODY], strict=True)]
            emit("progress beside rendering", who, shares)


if __name__ == "__main__":
    main()
