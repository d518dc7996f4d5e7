"""What prometheus_client offers as ``prometheus_client.core``."""

from __future__ import annotations

from inferometer.prometheus.metrics import Counter, Enum, Gauge, Histogram, Info, Summary
from inferometer.prometheus.metrics_core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    StateSetMetricFamily,
    SummaryMetricFamily,
    UnknownMetricFamily,
    UntypedMetricFamily,
)
from inferometer.prometheus.registry import REGISTRY, CollectorRegistry, DuplicateTimeseries
from inferometer.prometheus.samples import (
    BucketSpan,
    Exemplar,
    NativeHistogram,
    Sample,
    Timestamp,
)

__all__ = [
    "REGISTRY",
    "BucketSpan",
    "CollectorRegistry",
    "Counter",
    "CounterMetricFamily",
    "DuplicateTimeseries",
    "Enum",
    "Exemplar",
    "Gauge",
    "GaugeHistogramMetricFamily",
    "GaugeMetricFamily",
    "Histogram",
    "HistogramMetricFamily",
    "Info",
    "InfoMetricFamily",
    "Metric",
    "NativeHistogram",
    "Sample",
    "StateSetMetricFamily",
    "Summary",
    "SummaryMetricFamily",
    "Timestamp",
    "UnknownMetricFamily",
    "UntypedMetricFamily",
]
