"""What is known about the result of an expression before it is evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.monitoring.lint.interval import ANY, Interval
from inferometer.monitoring.lint.labels import NONE, UNKNOWN, Labels
from inferometer.monitoring.lint.samples import SampleInfo
from inferometer.monitoring.lint.units import Unit


@dataclass(frozen=True)
class Value:
    """An expression's result.

    Attributes:
        labels: Of its series.
        interval: Every value it can have (or NaN).
        unit: Of its values, None if not known.
        source: The only metric it comes from, None if there are several or it is not known.
        total: Whether it is a counter as it is, counted since the process began.
        quantile: Whether it is a quantile.
        edges: Values at which comparing a quantile is exact.
        plausible: Where a latency can be, narrower than what is possible.
        filtered: Whether series are left out by a condition.
        truth: Of a condition, whether it always (True) or never (False) holds.
        scalar: Whether it is a number instead of series.
    """

    labels: Labels = UNKNOWN
    interval: Interval = ANY
    unit: Unit | None = None
    source: SampleInfo | None = None
    total: bool = False
    quantile: bool = False
    edges: tuple[float, ...] = ()
    plausible: Interval | None = None
    filtered: bool = False
    truth: bool | None = None
    scalar: bool = False

    @property
    def constant(self) -> float | None:
        """The number it is, if it is always the same."""
        return self.interval.low if self.interval.low == self.interval.high else None


def number(interval: Interval, unit: Unit | None = None) -> Value:
    """A scalar."""
    return Value(labels=NONE, interval=interval, unit=unit, scalar=True)
