"""Numbers that tests give: wrong ones are said at once, with what was wanted."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from inferometer.testing.errors import LabError


def check_number(what: str, name: str, value: Any, most: float = math.inf) -> None:
    """Refuses what is no number from 0 to ``most``.

    Raises:
        LabError: It is none.
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= most:
        want = "a number, 0 or more" if most == math.inf else f"a number from 0 to {most:g}"
        raise LabError(f"{what}: got {name} {value!r}, want {want}")


def check_whole(what: str, name: str, value: Any, least: int = 0) -> None:
    """Refuses what is no whole number of at least so much.

    Raises:
        LabError: It is none.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise LabError(f"{what}: got {name} {value!r}, want a whole number, {least} or more")
