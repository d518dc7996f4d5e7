"""Numbers as the text formats write them."""

from __future__ import annotations

import math
from typing import Any

INF = float("inf")

# Go writes exponents from here on, Python from 1e16.
_DIGITS_BEFORE_EXPONENT = 6


def float_text(value: Any) -> str:
    """The text of a number, the way Go and so Prometheus writes it: ``1.0``, ``1e+06``, ``+Inf``.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is text that is none.
    """
    number = float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    text = repr(number)
    whole, point, fraction = text.partition(".")
    if number <= 0 or not point or len(whole) <= _DIGITS_BEFORE_EXPONENT:
        return text
    mantissa = f"{whole[0]}.{whole[1:]}{fraction}".rstrip("0.")
    return f"{mantissa}e+{len(whole) - 1:02d}"
