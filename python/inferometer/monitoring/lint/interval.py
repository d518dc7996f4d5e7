"""Interval arithmetic on what PromQL computes.

An interval holds every value that an expression can have, except that any expression may also be
NaN, which no comparison with a limit lets through. A zero counts as positive: what is divided by
a negative one can lie outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """The numbers from ``low`` to ``high``, both included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return math.isnan(value) or self.low <= value <= self.high

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:g}"
        if self.high == math.inf:
            return "any value" if self.low == -math.inf else f"{self.low:g} or more"
        return (
            f"at most {self.high:g}" if self.low == -math.inf else f"{self.low:g} to {self.high:g}"
        )

    def hull(self, other: Interval) -> Interval:
        """The smallest interval around both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def monotone(self, function: Callable[[float], float]) -> Interval:
        """What a function that never falls makes of it."""
        return Interval(function(self.low), function(self.high))

    def scaled_by_count(self) -> Interval:
        """The sum of one or more values of this interval."""
        low = self.low if self.low >= 0 else -math.inf
        return Interval(low, self.high if self.high <= 0 else math.inf)


ANY = Interval(-math.inf, math.inf)
NOT_NEGATIVE = Interval(0.0, math.inf)
UNIT = Interval(0.0, 1.0)


def exactly(value: float) -> Interval:
    """An interval of one number; of NaN any, for nothing is known of what it leads to."""
    return ANY if math.isnan(value) else Interval(value, value)


def _around(values: Iterable[float]) -> Interval:
    known = list(values)
    if any(math.isnan(value) for value in known):
        return ANY
    return Interval(min(known), max(known))


def add(x: Interval, y: Interval) -> Interval:
    """X + y."""
    low, high = x.low + y.low, x.high + y.high
    return Interval(-math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high)


def negate(x: Interval) -> Interval:
    """-x."""
    return Interval(-x.high, -x.low)


def subtract(x: Interval, y: Interval) -> Interval:
    """X - y."""
    return add(x, negate(y))


def _product(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


def multiply(x: Interval, y: Interval) -> Interval:
    """X * y."""
    return _around(_product(a, b) for a in (x.low, x.high) for b in (y.low, y.high))


def _quotient(a: float, b: float) -> float:
    if b == 0:
        return math.copysign(math.inf, a) if a else 0.0
    if math.isinf(b):
        return 0.0
    return a / b


def divide(x: Interval, y: Interval) -> Interval:
    """X / y. A number divided by 0 is infinite, 0 / 0 is NaN."""
    if y.low < 0 <= y.high:
        return ANY
    if y.high < 0:
        return divide(negate(x), negate(y))
    corners = [_quotient(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
    return _around(corners)


def modulo(x: Interval, y: Interval) -> Interval:
    """X % y, which has the sign of x."""
    most = max(abs(y.low), abs(y.high))
    low = 0.0 if x.low >= 0 else max(x.low, -most)
    high = 0.0 if x.high <= 0 else min(x.high, most)
    return Interval(low, high)


def float_power(base: float, exponent: float) -> float:
    """``base ^ exponent`` as Prometheus computes it."""
    try:
        return math.pow(base, exponent)
    except OverflowError:
        odd = exponent % 2 == 1
        return -math.inf if base < 0 and odd else math.inf
    except ValueError:  # a negative base with a fraction, or 0 with a negative exponent
        return math.inf if base == 0 else math.nan


def _widened(x: Interval) -> Interval:
    # A library's pow may be off by the last digits.
    def wider(value: float, sign: int) -> float:
        return value if math.isinf(value) else value + sign * abs(value) * 1e-12

    return Interval(wider(x.low, -1), wider(x.high, 1))


def power(x: Interval, y: Interval) -> Interval:
    """X ^ y."""
    if x.low < 0:
        if y.low == y.high and y.low % 2 == 0 and y.low >= 0:
            return power(absolute(x), y)
        return ANY
    bases = [x.low, x.high, *([1.0] if 1.0 in x else [])]
    exponents = [y.low, y.high, *([0.0] if 0.0 in y else [])]
    corners = [float_power(a, b) for a in bases for b in exponents]
    if x.low == 0:  # towards 0 with exponents of both signs everything happens
        corners += [0.0] if y.high > 0 else []
        corners += [math.inf] if y.low < 0 else []
    return _widened(_around(corners))


def absolute(x: Interval) -> Interval:
    """abs(x)."""
    if x.low >= 0:
        return x
    return negate(x) if x.high <= 0 else Interval(0.0, max(-x.low, x.high))


OPERATIONS: dict[str, Callable[[Interval, Interval], Interval]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "^": power,
    "atan2": lambda x, y: Interval(-math.pi, math.pi),
}


def limited(x: Interval, op: str, y: Interval) -> Interval:
    """What is left of x where ``x op y`` may hold, both ends included."""
    low, high = x.low, x.high
    if op in (">", ">=", "=="):
        low = max(low, y.low)
    if op in ("<", "<=", "=="):
        high = min(high, y.high)
    return Interval(low, high) if low <= high else x


def verdict(x: Interval, op: str, y: Interval) -> bool | None:
    """Whether ``x op y`` always holds (True), never (False), or depends (None)."""
    if op in ("<", "<="):
        return verdict(y, {"<": ">", "<=": ">="}[op], x)
    if op == ">":
        always, never = x.low > y.high, x.high <= y.low
    elif op == ">=":
        always, never = x.low >= y.high, x.high < y.low
    else:
        apart = x.high < y.low or y.high < x.low
        same = x.low == x.high == y.low == y.high
        always, never = (same, apart) if op == "==" else (apart, same)
    return True if always else False if never else None
