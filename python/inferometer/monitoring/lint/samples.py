"""What is known about a sample name: the series of one name, as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from inferometer.monitoring.catalogue import CatalogueMetric, catalogue
from inferometer.monitoring.lint.interval import ANY, NOT_NEGATIVE, Interval
from inferometer.monitoring.lint.units import COUNT, Unit, named

Kind = Literal["counter", "gauge", "bucket", "sum", "count", "histogram", "quantile", "unknown"]
CUMULATIVE = frozenset({"counter", "bucket", "sum", "count"})


@dataclass(frozen=True)
class SampleInfo:
    """The series of one sample name.

    Attributes:
        name: Their name.
        metric: The name of their metric, without ``_bucket`` and the like.
        kind: What they are; ``histogram``: a native one; ``quantile``: those of a summary.
        range: The values they can have.
        unit: Their unit; of buckets and sums that of what is observed; None if not known.
        labels: Their labels without those of the target; None if not known.
        edges: The finite bucket edges of their histogram.
        values: Labels with a closed set of values.
        part_of: The metric of which this one is a part, if there is one.
    """

    name: str
    metric: str
    kind: Kind
    range: Interval = ANY
    unit: Unit | None = None
    labels: frozenset[str] | None = None
    edges: tuple[float, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    part_of: str | None = None


def _of_metric(metric: CatalogueMetric) -> list[SampleInfo]:
    unit = named(metric.unit)
    if metric.type != "histogram":
        base = SampleInfo(
            metric.name,
            metric.name,
            metric.type,
            Interval(metric.low, metric.high),
            unit,
            frozenset(metric.labels),
            values=metric.values,
            part_of=metric.part_of,
        )
        return [base]
    base = SampleInfo(
        metric.name,
        metric.name,
        "histogram",
        ANY,
        unit,
        frozenset(metric.labels),
        metric.edges,
        metric.values,
    )
    return [
        base,
        replace(
            base,
            name=f"{metric.name}_bucket",
            kind="bucket",
            range=NOT_NEGATIVE,
            labels=frozenset({*metric.labels, "le"}),
        ),
        replace(base, name=f"{metric.name}_sum", kind="sum", range=NOT_NEGATIVE),
        replace(base, name=f"{metric.name}_count", kind="count", range=NOT_NEGATIVE),
    ]


def catalogue_samples() -> dict[str, SampleInfo]:
    """The samples of every metric of the catalogue by name."""
    return {sample.name: sample for metric in catalogue().values() for sample in _of_metric(metric)}


def _meta(name: str, low: float, high: float, unit: str) -> SampleInfo:
    kind: Kind = "counter" if name.endswith("_total") else "gauge"
    return SampleInfo(name, name, kind, Interval(low, high), named(unit), frozenset())


_INFINITY = float("inf")
# What Prometheus itself stores of each scrape and alert, and what clients of other languages
# expose under our prefixes.
META_SAMPLES: Mapping[str, SampleInfo] = {
    sample.name: sample
    for sample in (
        _meta("up", 0, 1, "flag"),
        _meta("scrape_duration_seconds", 0, _INFINITY, "seconds"),
        _meta("scrape_samples_scraped", 0, _INFINITY, "count"),
        _meta("scrape_samples_post_metric_relabeling", 0, _INFINITY, "count"),
        _meta("scrape_series_added", 0, _INFINITY, "count"),
        _meta("scrape_timeout_seconds", 0, _INFINITY, "seconds"),
        _meta("scrape_sample_limit", 0, _INFINITY, "count"),
        _meta("scrape_body_size_bytes", -1, _INFINITY, "bytes"),
        SampleInfo("ALERTS", "ALERTS", "gauge", Interval(1, 1), None, None),
        SampleInfo("ALERTS_FOR_STATE", "ALERTS_FOR_STATE", "gauge", NOT_NEGATIVE, None, None),
        _meta("process_virtual_memory_max_bytes", -1, _INFINITY, "bytes"),
        _meta("process_network_receive_bytes_total", 0, _INFINITY, "bytes"),
        _meta("process_network_transmit_bytes_total", 0, _INFINITY, "bytes"),
    )
}


def value_unit(sample: SampleInfo) -> Unit | None:
    """The unit of the stored values: buckets and counts hold counts, whatever is observed."""
    return COUNT if sample.kind in ("bucket", "count") else sample.unit
