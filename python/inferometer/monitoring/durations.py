"""Durations as Prometheus reads them: in its files, in its options, and in ours."""

from __future__ import annotations

import re

# Each unit at most once, in this order; and the digits of ASCII only.
_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)
_MILLISECONDS = (365 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000, 1)
# Prometheus counts nanoseconds in 64 bits: some 292 years.
_MOST = (2**63 - 1) // 1_000_000
_LONGEST_TEXT = 40  # digits that no duration needs are not even multiplied
WANTED = "a duration such as 15d or 1h30m: y, w, d, h, m, s, ms in this order, below 292 years"


def milliseconds(duration: str) -> int:
    """A duration as Prometheus writes it, "1h30m" or "250ms", in milliseconds.

    Raises:
        ValueError: Prometheus would refuse it.
    """
    if duration == "0":
        return 0
    found = _DURATION.fullmatch(duration)
    if duration and found is not None and len(duration) <= _LONGEST_TEXT:
        numbers = map(int, found.groups("0"))
        whole = sum(n * unit for n, unit in zip(numbers, _MILLISECONDS, strict=True))
        if whole <= _MOST:
            return whole
    raise ValueError(f"got {duration!r}, want {WANTED}")
