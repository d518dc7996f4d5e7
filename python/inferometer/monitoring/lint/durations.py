"""Prometheus' durations."""

from __future__ import annotations

import re

_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)
_SECONDS = (365 * 86400.0, 7 * 86400.0, 86400.0, 3600.0, 60.0, 1.0, 0.001)
_MOST = 292 * 365 * 86400.0  # what fits into 64 bits of nanoseconds


def duration_seconds(text: str) -> float | None:
    """A duration such as ``1h30m`` in seconds; None if Prometheus would refuse it."""
    if text == "0":
        return 0.0
    found = _DURATION.fullmatch(text)
    if not text or found is None or len(text) > 40:
        return None
    seconds = sum(int(n) * unit for n, unit in zip(found.groups("0"), _SECONDS, strict=True))
    return seconds if seconds < _MOST else None


def duration_text(seconds: float) -> str:
    """Seconds as a duration to write into a rule."""
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{round(seconds * 1000)}ms"
