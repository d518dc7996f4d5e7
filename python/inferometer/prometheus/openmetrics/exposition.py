"""OpenMetrics 1.0 text, and the part of 2.0 that shows native histograms."""

from __future__ import annotations

from typing import Final

from inferometer.prometheus.escaping import (
    ALLOWUTF8,
    DOTS,
    UNDERSCORES,
    VALUES,
    escape_label_name,
    escape_metric_name,
    escape_text,
    sample_head,
)
from inferometer.prometheus.metric import Metric
from inferometer.prometheus.negotiation import parse_version
from inferometer.prometheus.number_text import float_text
from inferometer.prometheus.registry import REGISTRY, Collector
from inferometer.prometheus.rendering import render
from inferometer.prometheus.samples import BucketSpan, Exemplar, NativeHistogram, Sample

__all__ = [
    "ALLOWUTF8",
    "CONTENT_TYPE_LATEST",
    "CONTENT_TYPE_LATEST_2_0",
    "DOTS",
    "ESCAPING_HEADER_TAG",
    "UNDERSCORES",
    "VALUES",
    "escape_label_name",
    "escape_metric_name",
    "generate_latest",
]

CONTENT_TYPE_LATEST: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
CONTENT_TYPE_LATEST_2_0: Final = "application/openmetrics-text; version=2.0.0; charset=utf-8"
ESCAPING_HEADER_TAG: Final = "escaping"


def _may_have_exemplars(family: Metric, sample: Sample) -> bool:
    if family.type == "counter":
        return sample.name.endswith("_total")
    if family.type == "histogram" and sample.name == family.name:
        return True
    return family.type in ("histogram", "gaugehistogram") and sample.name.endswith("_bucket")


def _exemplar_text(family: Metric, sample: Sample, exemplar: Exemplar, escaping: str) -> str:
    if not _may_have_exemplars(family, sample):
        raise ValueError(
            f"Metric {family.name} has exemplars, but is not a histogram bucket or counter"
        )
    labels = ",".join(
        f'{escape_label_name(name, escaping)}="{escape_text(value)}"'
        for name, value in sorted(exemplar.labels.items())
    )
    timestamp = "" if exemplar.timestamp is None else f" {exemplar.timestamp}"
    return f" # {{{labels}}} {float_text(exemplar.value)}{timestamp}"


def _buckets_text(
    sign: str, spans: list[BucketSpan] | tuple[BucketSpan, ...], deltas: object
) -> str:
    written = ",".join(f"{offset}:{length}" for offset, length in spans)
    counts = ",".join(map(str, deltas))  # type: ignore[call-overload]
    return f",{sign}_spans:[{written}],{sign}_deltas:[{counts}]"


def _native_text(histogram: NativeHistogram) -> str:
    text = (
        f"{{count:{histogram.count_value},sum:{histogram.sum_value},schema:{histogram.schema},"
        f"zero_threshold:{histogram.zero_threshold},zero_count:{histogram.zero_count}"
    )
    if histogram.neg_spans:
        text += _buckets_text("negative", tuple(histogram.neg_spans), histogram.neg_deltas)
    if histogram.pos_spans:
        text += _buckets_text("positive", tuple(histogram.pos_spans), histogram.pos_deltas)
    return text + "}"


def _line(family: Metric, sample: Sample, escaping: str) -> str:
    exemplars = [sample.exemplar] if sample.exemplar else []
    histogram = sample.native_histogram
    if histogram:
        value = _native_text(histogram)
        exemplars.extend(histogram.nh_exemplars or ())
    else:
        value = "" if sample.value is None else float_text(sample.value)
    timestamp = "" if sample.timestamp is None else f" {sample.timestamp}"
    tail = "".join(_exemplar_text(family, sample, exemplar, escaping) for exemplar in exemplars)
    return f"{sample_head(sample.name, sample.labels, escaping)} {value}{timestamp}{tail}\n"


def family_text(family: Metric, escaping: str, native_histograms: bool) -> str:
    """One family as OpenMetrics text."""
    name = escape_metric_name(family.name, escaping)
    lines = [
        f"# HELP {name} {escape_text(family.documentation)}\n",
        f"# TYPE {name} {family.type}\n",
    ]
    if family.unit:
        lines.append(f"# UNIT {name} {escape_text(family.unit)}\n")
    lines.extend(
        _line(family, sample, escaping)
        for sample in family.samples
        if native_histograms or not sample.native_histogram
    )
    return "".join(lines)


def generate_latest(
    registry: Collector = REGISTRY, escaping: str = UNDERSCORES, version: str = "1.0.0"
) -> bytes:
    """The exposition of a registry as OpenMetrics text.

    Args:
        registry: What to write: anything that has ``collect()``.
        escaping: How names are written that Prometheus 2 does not know.
        version: Of OpenMetrics; native histograms are left out before 2.0.0.

    Returns:
        UTF-8, with ``# EOF`` at its end.
    """
    native = (parse_version(version) or (1,)) >= (2,)
    text = render(registry, lambda family: family_text(family, escaping, native), escaping, True)
    return text + b"# EOF\n"
