"""The metric types: Counter, Gauge, Summary, Histogram; Info and Enum are their neighbours.

``inc()``, ``dec()``, ``set()`` and ``observe()`` are native methods of the cells below them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Literal

from inferometer._core import (
    CounterCell,
    GaugeCell,
    HistogramCell,
    SummaryCell,
)
from inferometer.prometheus.context_managers import ExceptionCounter, InprogressTracker, Timer
from inferometer.prometheus.info import Info
from inferometer.prometheus.inheritance import from_parent
from inferometer.prometheus.metric_base import MetricWrapperBase
from inferometer.prometheus.number_text import INF, float_text
from inferometer.prometheus.registry import REGISTRY, CollectorRegistry
from inferometer.prometheus.samples import Sample
from inferometer.prometheus.state_set import Enum
from inferometer.prometheus.values import CellValue

__all__ = [
    "Counter",
    "Enum",
    "Gauge",
    "Histogram",
    "Info",
    "Summary",
    "created_metrics_enabled",
    "disable_created_metrics",
    "enable_created_metrics",
]

_GaugeMode = Literal[
    "all",
    "liveall",
    "min",
    "livemin",
    "max",
    "livemax",
    "sum",
    "livesum",
    "mostrecent",
    "livemostrecent",
]


def _get_use_created() -> bool:
    disabled = os.environ.get("PROMETHEUS_DISABLE_CREATED_SERIES", "")
    return disabled.lower() not in ("true", "1", "t")


_use_created = _get_use_created()


def disable_created_metrics() -> None:
    """Leaves ``_created`` samples out from now on."""
    global _use_created
    _use_created = False


def enable_created_metrics() -> None:
    """Shows ``_created`` samples from now on, as is the default."""
    global _use_created
    _use_created = True


def created_metrics_enabled() -> bool:
    """Whether ``_created`` samples are shown."""
    return _use_created


def _with_created(metric: MetricWrapperBase, *samples: Sample) -> tuple[Sample, ...]:
    if not _use_created:
        return samples
    return (*samples, Sample("_created", {}, metric._created))


class Counter(CounterCell, MetricWrapperBase):
    """A value that only grows: requests served, bytes sent.

    ``inc(amount=1, exemplar=None)`` adds to it.
    """

    _type = "counter"
    _native_writer = True

    @property
    def _value(self) -> CellValue:
        return CellValue(self._read, self._write)

    def reset(self) -> None:
        """Starts again at 0, as after a restart of the process."""
        self._write(0)
        self._created = time.time()

    def count_exceptions(
        self, exception: type[BaseException] | tuple[type[BaseException], ...] = Exception
    ) -> ExceptionCounter:
        """Counts exceptions of a type; a context manager and a decorator."""
        self._raise_if_not_observable()
        return ExceptionCounter(self, exception)

    def _child_samples(self) -> Iterable[Sample]:
        total = Sample("_total", {}, self._read(), None, self._read_exemplar(0))
        return _with_created(self, total)


class Gauge(GaugeCell, MetricWrapperBase):
    """A value that goes up and down: requests in flight, a temperature.

    ``inc(amount=1)``, ``dec(amount=1)`` and ``set(value)`` change it. `multiprocess_mode` is
    accepted, and ``mostrecent`` refuses inc() and dec(); there is no multiprocess mode yet.
    """

    _type = "gauge"
    _native_writer = True
    _multiprocess_mode: str = from_parent()
    _function: Callable[[], float] | None = from_parent()
    _MULTIPROC_MODES: ClassVar[frozenset[str]] = frozenset(
        prefix + mode
        for prefix in ("", "live")
        for mode in ("all", "min", "max", "sum", "mostrecent")
    )

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: CollectorRegistry | None = REGISTRY,
        _labelvalues: Sequence[str] | None = None,
        multiprocess_mode: _GaugeMode = "all",
    ) -> None:
        if multiprocess_mode not in self._MULTIPROC_MODES:
            raise ValueError("Invalid multiprocess mode: " + multiprocess_mode)
        self._multiprocess_mode = multiprocess_mode
        self._function = None
        self._only_set(multiprocess_mode.endswith("mostrecent"))
        super().__init__(
            name, documentation, labelnames, namespace, subsystem, unit, registry, _labelvalues
        )
        self._kwargs["multiprocess_mode"] = multiprocess_mode

    @property
    def _value(self) -> CellValue:
        return CellValue(self._read, self._write)

    def set_to_current_time(self) -> None:
        """Sets the seconds since the epoch."""
        self.set(time.time())

    def track_inprogress(self) -> InprogressTracker:
        """One more while a block or function runs; a context manager and a decorator."""
        self._raise_if_not_observable()
        return InprogressTracker(self)

    def time(self) -> Timer:
        """Sets the seconds that a block or function takes; a context manager and a decorator."""
        return Timer(self, "set")

    def set_function(self, f: Callable[[], float]) -> None:
        """Has every scrape ask `f` for the value, on any thread; nothing else changes it then."""
        self._raise_if_not_observable()
        self._function = f
        self._leave_to_python()

    def _child_samples(self) -> Iterable[Sample]:
        value = self._read() if self._function is None else float(self._function())
        return (Sample("", {}, value),)


class Summary(SummaryCell, MetricWrapperBase):
    """Observations, counted and summed: latencies, sizes.

    ``observe(amount)`` counts one.
    """

    _type = "summary"
    _reserved_labelnames = ("quantile",)
    _native_writer = True

    @property
    def _count(self) -> CellValue:
        return CellValue(lambda: self._read_summary()[0])

    @property
    def _sum(self) -> CellValue:
        return CellValue(lambda: self._read_summary()[1])

    def time(self) -> Timer:
        """Observes the seconds that a block or function takes; also a decorator."""
        return Timer(self, "observe")

    def _child_samples(self) -> Iterable[Sample]:
        count, total = self._read_summary()
        return _with_created(self, Sample("_count", {}, count), Sample("_sum", {}, total))


class Histogram(HistogramCell, MetricWrapperBase):
    """Observations, counted in buckets, for quantiles.

    ``observe(amount, exemplar=None)`` counts one. `buckets` are ascending upper bounds; +Inf is
    added.
    """

    _type = "histogram"
    _reserved_labelnames = ("le",)
    _native_writer = True
    DEFAULT_BUCKETS = (
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, INF,
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: CollectorRegistry | None = REGISTRY,
        _labelvalues: Sequence[str] | None = None,
        buckets: Sequence[float | str] = DEFAULT_BUCKETS,
    ) -> None:
        if not _labelvalues:
            self._cell_bounds = tuple(map(float, buckets))
        super().__init__(
            name, documentation, labelnames, namespace, subsystem, unit, registry, _labelvalues
        )
        self._kwargs["buckets"] = buckets

    @property
    def _upper_bounds(self) -> list[float]:
        return list(self._read_bounds())

    @property
    def _sum(self) -> CellValue:
        return CellValue(self._read)

    @property
    def _buckets(self) -> list[CellValue]:
        def bucket(index: int) -> CellValue:
            return CellValue(lambda: self._read_buckets()[index])

        return [bucket(index) for index in range(len(self._read_bounds()))]

    def time(self) -> Timer:
        """Observes the seconds that a block or function takes; also a decorator."""
        return Timer(self, "observe")

    def _child_samples(self) -> Iterable[Sample]:
        bounds = self._read_bounds()
        samples = []
        cumulative = 0.0
        for index, (bound, count) in enumerate(zip(bounds, self._read_buckets(), strict=True)):
            cumulative += count
            labels = {"le": float_text(bound)}
            exemplar = self._read_exemplar(index)
            samples.append(Sample("_bucket", labels, cumulative, None, exemplar))
        samples.append(Sample("_count", {}, cumulative))
        if bounds[0] >= 0:
            samples.append(Sample("_sum", {}, self._read()))
        return _with_created(self, *samples)
