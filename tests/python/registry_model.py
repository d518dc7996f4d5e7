"""What a registry with a few metrics must show after any operations: a model in plain Python."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import inferometer as im

LIMIT = 2  # series a family
BOUNDS = (-1.0, 0.5, 2.0)
HELP = 'Help "x" \\ \n end.'
OVERFLOW = "_overflow"

# Name, type, label names. Counters are shown with _total.
FAMILIES = (
    ("c_bytes", "counter", ("a",)),
    ("c", "counter", ()),
    ("g", "gauge", ("b", "a")),
    ("h_seconds", "histogram", ("a",)),
)


@dataclass
class Series:
    """One series: of a counter or gauge its value, of a histogram what was observed."""

    value: float = 0.0
    sum: float = 0.0
    observed: list[float] = field(default_factory=list)
    exemplars: dict[int, tuple[dict[str, str], float]] = field(default_factory=dict)  # by bucket

    def cumulative(self) -> list[int]:
        """Observations up to each bound, the last for +Inf; NaN belongs there."""
        counts = [0] * (len(BOUNDS) + 1)
        for value in self.observed:
            counts[bucket_of(value)] += 1
        return [sum(counts[: i + 1]) for i in range(len(counts))]


def bucket_of(value: float) -> int:
    """The bucket of the classic bounds."""
    return len(BOUNDS) if math.isnan(value) else bisect.bisect_left(BOUNDS, value)


class Operation(NamedTuple):
    """One call on a family, or on the child of some label values."""

    family: str
    values: tuple[str, ...]
    method: str
    amount: float
    exemplar: dict[str, str] | None


class Model:
    """The registry, and beside it what it should hold. Not thread-safe."""

    def __init__(self) -> None:
        self.registry = im.Registry(
            max_series_per_family=LIMIT, native_histograms=True, created_series=True
        )
        self.dropped = 0
        self.families: dict[str, dict[tuple[str, ...], Series]] = {}
        self._metrics: dict[str, Any] = {}
        make: dict[str, Callable[..., Any]] = {
            "counter": self.registry.counter,
            "gauge": self.registry.gauge,
            "histogram": lambda name, help, labelnames: self.registry.histogram(
                name, help, labelnames, BOUNDS
            ),
        }
        for name, kind, labelnames in FAMILIES:
            self._metrics[name] = make[kind](name, HELP, labelnames)
            self.families[name] = {} if labelnames else {(): Series()}

    def do(self, operation: Operation) -> None:
        """Does it to both."""
        name, values, method, amount, exemplar = operation
        metric, family = self._metrics[name], self.families[name]
        if method == "clear":
            metric.clear()
            if metric.labelnames:
                family.clear()
        elif method == "remove":
            if metric.labelnames:
                metric.remove(*values)
                family.pop(values, None)
        else:
            child = metric.labels(*values) if metric.labelnames else metric
            if exemplar is None:
                getattr(child, method)(amount)
            else:
                getattr(child, method)(amount, exemplar)
            self._record(self._series(family, values), operation)

    def _series(self, family: dict[tuple[str, ...], Series], values: tuple[str, ...]) -> Series:
        overflow = (OVERFLOW,) * len(values)
        full = len(family) - (overflow in family) >= LIMIT
        if full and values not in family and values != overflow:
            self.dropped += 1
            values = overflow
        return family.setdefault(values, Series())

    @staticmethod
    def _record(series: Series, operation: Operation) -> None:
        amount = operation.amount
        bucket = 0
        if operation.method == "observe":
            series.observed.append(amount)
            series.sum += amount
            bucket = bucket_of(amount)
        elif operation.method == "set":
            series.value = amount
        else:
            series.value += -amount if operation.method == "dec" else amount
        if operation.exemplar is not None:
            series.exemplars[bucket] = (operation.exemplar, amount)
