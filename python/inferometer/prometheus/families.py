"""Metric families of each type, for custom collectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inferometer.prometheus.metric import Metric, SampleTime
from inferometer.prometheus.samples import Exemplar, Sample

_Bucket = tuple[str, float] | tuple[str, float, Exemplar | None]


class _Family(Metric):
    """A family whose label names are known."""

    _type = ""

    def __init__(
        self, name: str, documentation: str, labels: Sequence[str] | None, unit: str = ""
    ) -> None:
        super().__init__(name, documentation, self._type, unit)
        self._labelnames = tuple(labels or ())

    def _add(
        self,
        suffix: str,
        labels: Sequence[str],
        value: Any,
        timestamp: SampleTime,
        exemplar: Exemplar | None = None,
        **own_labels: str,
    ) -> None:
        named = dict(zip(self._labelnames, labels, strict=False))
        named.update(own_labels)
        self.samples.append(Sample(self.name + suffix, named, value, timestamp, exemplar))


def _check_one_of(value: object, labels: object, what: str = "value") -> None:
    if value is not None and labels is not None:
        raise ValueError(f"Can only specify at most one of {what} and labels.")


class _ScalarFamily(_Family):
    """A family with one number a series."""

    def __init__(
        self,
        name: str,
        documentation: str,
        value: float | None = None,
        labels: Sequence[str] | None = None,
        unit: str = "",
    ) -> None:
        super().__init__(name, documentation, labels, unit)
        _check_one_of(value, labels)
        if value is not None:
            self.add_metric([], value)

    def add_metric(self, labels: Sequence[str], value: float, timestamp: SampleTime = None) -> None:
        """Adds a series with these label values."""
        self._add("", labels, value, timestamp)


class UnknownMetricFamily(_ScalarFamily):
    """Numbers of which nothing is known."""

    _type = "unknown"


UntypedMetricFamily = UnknownMetricFamily


class GaugeMetricFamily(_ScalarFamily):
    """Numbers that go up and down."""

    _type = "gauge"


class CounterMetricFamily(_Family):
    """Numbers that only grow; ``_total`` at the end of the name is taken off."""

    _type = "counter"

    def __init__(
        self,
        name: str,
        documentation: str,
        value: float | None = None,
        labels: Sequence[str] | None = None,
        created: float | None = None,
        unit: str = "",
        exemplar: Exemplar | None = None,
    ) -> None:
        super().__init__(name.removesuffix("_total"), documentation, labels, unit)
        _check_one_of(value, labels)
        if value is not None:
            self.add_metric([], value, created, exemplar=exemplar)

    def add_metric(
        self,
        labels: Sequence[str],
        value: float,
        created: float | None = None,
        timestamp: SampleTime = None,
        exemplar: Exemplar | None = None,
    ) -> None:
        """Adds a series with these label values, made at the time `created`."""
        self._add("_total", labels, value, timestamp, exemplar)
        if created is not None:
            self._add("_created", labels, created, timestamp)


class SummaryMetricFamily(_Family):
    """Observations, counted and summed."""

    _type = "summary"

    def __init__(
        self,
        name: str,
        documentation: str,
        count_value: int | None = None,
        sum_value: float | None = None,
        labels: Sequence[str] | None = None,
        unit: str = "",
    ) -> None:
        super().__init__(name, documentation, labels, unit)
        if (sum_value is None) != (count_value is None):
            raise ValueError("count_value and sum_value must be provided together.")
        _check_one_of(count_value, labels)
        if count_value is not None and sum_value is not None:
            self.add_metric([], count_value, sum_value)

    def add_metric(
        self,
        labels: Sequence[str],
        count_value: int,
        sum_value: float,
        timestamp: SampleTime = None,
    ) -> None:
        """Adds a series with these label values."""
        self._add("_count", labels, count_value, timestamp)
        self._add("_sum", labels, sum_value, timestamp)


class HistogramMetricFamily(_Family):
    """Observations, counted in buckets."""

    _type = "histogram"

    def __init__(
        self,
        name: str,
        documentation: str,
        buckets: Sequence[_Bucket] | None = None,
        sum_value: float | None = None,
        labels: Sequence[str] | None = None,
        unit: str = "",
    ) -> None:
        super().__init__(name, documentation, labels, unit)
        if sum_value is not None and buckets is None:
            raise ValueError("sum value cannot be provided without buckets.")
        _check_one_of(buckets, labels, "buckets")
        if buckets is not None:
            self.add_metric([], buckets, sum_value)

    def add_metric(
        self,
        labels: Sequence[str],
        buckets: Sequence[_Bucket],
        sum_value: float | None,
        timestamp: SampleTime = None,
    ) -> None:
        """Adds a series with these label values.

        Args:
            labels: The label values.
            buckets: Upper bound as text and cumulative count, and perhaps an exemplar, of each
                bucket; sorted, ``+Inf`` last.
            sum_value: The sum; left out, like the count, if there are negative bounds.
            timestamp: When it was so.
        """
        for bucket in buckets:
            exemplar = bucket[2] if len(bucket) == 3 else None
            self._add("_bucket", labels, bucket[1], timestamp, exemplar, le=bucket[0])
        if float(buckets[0][0]) >= 0 and sum_value is not None:
            self._add("_count", labels, buckets[-1][1], timestamp)
            self._add("_sum", labels, sum_value, timestamp)


class GaugeHistogramMetricFamily(_Family):
    """A histogram of what is there now."""

    _type = "gaugehistogram"

    def __init__(
        self,
        name: str,
        documentation: str,
        buckets: Sequence[tuple[str, float]] | None = None,
        gsum_value: float | None = None,
        labels: Sequence[str] | None = None,
        unit: str = "",
    ) -> None:
        super().__init__(name, documentation, labels, unit)
        _check_one_of(buckets, labels, "buckets")
        if buckets is not None:
            self.add_metric([], buckets, gsum_value)

    def add_metric(
        self,
        labels: Sequence[str],
        buckets: Sequence[tuple[str, float]],
        gsum_value: float | None,
        timestamp: SampleTime = None,
    ) -> None:
        """Adds a series; `buckets` as for a histogram."""
        for bound, value in buckets:
            self._add("_bucket", labels, value, timestamp, le=bound)
        self._add("_gcount", labels, buckets[-1][1], timestamp)
        self._add("_gsum", labels, gsum_value, timestamp)


class InfoMetricFamily(_Family):
    """Labels that are the value."""

    _type = "info"

    def __init__(
        self,
        name: str,
        documentation: str,
        value: Mapping[str, str] | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        super().__init__(name, documentation, labels)
        _check_one_of(value, labels)
        if value is not None:
            self.add_metric([], value)

    def add_metric(
        self, labels: Sequence[str], value: Mapping[str, str], timestamp: SampleTime = None
    ) -> None:
        """Adds a series with these label values and the labels in `value`."""
        self._add("_info", labels, 1, timestamp)
        self.samples[-1].labels.update(value)


class StateSetMetricFamily(_Family):
    """Which of several states are so."""

    _type = "stateset"

    def __init__(
        self,
        name: str,
        documentation: str,
        value: Mapping[str, bool] | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        super().__init__(name, documentation, labels)
        _check_one_of(value, labels)
        if value is not None:
            self.add_metric([], value)

    def add_metric(
        self, labels: Sequence[str], value: Mapping[str, bool], timestamp: SampleTime = None
    ) -> None:
        """Adds the states of a series with these label values."""
        for state, enabled in sorted(value.items()):
            self._add("", labels, 1 if enabled else 0, timestamp)
            self.samples[-1].labels[self.name] = state
