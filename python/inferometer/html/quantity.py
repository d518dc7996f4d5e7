"""Numbers as people read them: three digits and a unit that fits."""

from __future__ import annotations

import math

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def duration(seconds: float) -> str:
    """Seconds as text: ``12.3 ms``; ``0 s``; a dash for what is no number."""
    if not math.isfinite(seconds):
        return "-"
    if seconds == 0:
        return "0 s"
    for size, unit in _UNITS:
        # What rounds to 1,000 of a unit belongs to the next.
        if abs(seconds) >= 0.9995 * size:
            return f"{_digits(seconds / size)} {unit}"
    return f"{_digits(seconds / 1e-9)} ns"


def amount(number: float) -> str:
    """A number without a unit: ``1,234``, ``3.52``; a dash for what is no number."""
    return _digits(number) if math.isfinite(number) else "-"


def _digits(number: float) -> str:
    if number == int(number) or abs(number) >= 999.5:
        return f"{number:,.0f}"
    return f"{number:.3g}"
