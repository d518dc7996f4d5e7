"""Durations as Prometheus writes them."""

from __future__ import annotations

import math
import re

from inferometer.testing.errors import LabError

Duration = float | str
"""Seconds, or a text such as ``"1h30m"``, ``"15s"`` or ``"250ms"``."""

_MILLISECONDS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_PART = re.compile(r"(\d+)(ms|[ywdhms])")


def seconds_of(option: str, duration: Duration) -> float:
    """Reads a duration, to the millisecond.

    Args:
        option: What it is, for the message.
        duration: Seconds, or a text.

    Raises:
        LabError: If it is neither, or negative.
    """
    if isinstance(duration, str):
        parts = _PART.findall(duration)
        if parts and "".join(number + unit for number, unit in parts) == duration:
            return sum(int(number) * _MILLISECONDS[unit] for number, unit in parts) / 1000
    elif (
        isinstance(duration, int | float)
        and not isinstance(duration, bool)
        and math.isfinite(duration)
        and duration >= 0
    ):
        return round(duration * 1000) / 1000
    raise LabError(f"{option}: got {duration!r}, want seconds or a text such as '1h30m' or '15s'")


def text_of(seconds: float) -> str:
    """Writes seconds as Prometheus reads them, ``"0s"`` for none."""
    left = round(seconds * 1000)
    text = ""
    for unit in ("h", "m", "s", "ms"):
        number, left = divmod(left, _MILLISECONDS[unit])
        if number:
            text += f"{number}{unit}"
    return text or "0s"
