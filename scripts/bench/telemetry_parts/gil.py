"""Whether writing the text of 100,000 series holds the GIL: what another Python thread notices.

That thread counts as fast as it can. Its rate while the text is written again and again, as a share
of its rate beside hashing, which surely leaves the GIL alone and keeps a core just as busy, and the
longest time it stood still say how much of the GIL it got.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from comparison.samples import emit, interleaved

from telemetry_parts.texts import writers
from telemetry_parts.who import HASHING

SERIES_OF_A_FAMILY: Final = 1_000
ROUNDS: Final = 5
SECONDS: Final = 1.0


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
    """Measures all three, and hashing."""
    hashing = partial(hashlib.sha256, bytes(8 << 20))  # about as long as a text of ours
    calls: dict[str, Callable[[], object]] = {HASHING: hashing, **writers(SERIES_OF_A_FAMILY)}
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
        if who != HASHING:
            shares = [100 * a / b for a, b in zip(rates[who], rates[HASHING], strict=True)]
            emit("progress beside rendering", who, shares)


if __name__ == "__main__":
    main()
