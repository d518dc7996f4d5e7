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
        existence: Whether it tells no more than that there are series: a count, a constant, or a
            metric of which nothing is known.
        certain: Whether there are series as long as the service is scraped.
        factor: What the values of ``source`` were multiplied by.
        rescaled: Whether a number had a part in it, which may have had a unit of its own.
        rated: Whether it is a rate or a difference over time already.
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
    existence: bool = False
    certain: bool = False
    factor: float = 1.0
    rescaled: bool = False
    rated: bool = False
    truth: bool | None = None
    scalar: bool = False

    @property
    def constant(self) -> float | None:
        """The number it is, if it is always the same."""
        return self.interval.low if self.interval.low == self.interval.high else None


def number(interval: Interval, unit: Unit | None = None) -> Value:
    """A scalar."""
    return Value(labels=NONE, interval=interval, unit=unit, scalar=True)
