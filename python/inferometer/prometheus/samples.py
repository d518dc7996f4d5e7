"""What a metric family is made of: samples, exemplars, timestamps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Timestamp:
    """A time since the epoch to the nanosecond; before 1970 both parts are negative."""

    def __init__(self, sec: float, nsec: float) -> None:
        if not 0 <= nsec < 1e9:
            raise ValueError(f"Invalid value for nanoseconds in Timestamp: {nsec}")
        self.sec = int(sec)
        self.nsec = int(-nsec if sec < 0 else nsec)

    def __str__(self) -> str:
        return f"{self.sec}.{self.nsec:09d}"

    def __repr__(self) -> str:
        return f"Timestamp({self.sec}, {self.nsec})"

    def __float__(self) -> float:
        return self.sec + self.nsec / 1e9

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timestamp) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def __lt__(self, other: Timestamp) -> bool:
        return self._parts() < other._parts()

    def __gt__(self, other: Timestamp) -> bool:
        return self._parts() > other._parts()

    def _parts(self) -> tuple[int, int]:
        return self.sec, self.nsec


class BucketSpan(NamedTuple):
    """Consecutive buckets of a native histogram."""

    offset: int
    length: int


class Exemplar(NamedTuple):
    """An example of what a bucket or a counter counted."""

    labels: dict[str, str]
    value: float
    timestamp: float | Timestamp | None = None


class NativeHistogram(NamedTuple):
    """A native histogram, as custom collectors give it to OpenMetrics 2.0."""

    count_value: float
    sum_value: float
    schema: int
    zero_threshold: float
    zero_count: float
    pos_spans: Sequence[BucketSpan] | None = None
    neg_spans: Sequence[BucketSpan] | None = None
    pos_deltas: Sequence[int] | None = None
    neg_deltas: Sequence[int] | None = None
    nh_exemplars: Sequence[Exemplar] | None = None


class Sample(NamedTuple):
    """One line of an exposition."""

    name: str
    labels: dict[str, str]
    value: float
    timestamp: float | Timestamp | None = None
    exemplar: Exemplar | None = None
    native_histogram: NativeHistogram | None = None
