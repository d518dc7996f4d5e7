"""The Prometheus text format, 0.0.4 and 1.0.0."""

from __future__ import annotations

from inferometer.prometheus.escaping import (
    UNDERSCORES,
    escape_help,
    escape_metric_name,
    sample_head,
)
from inferometer.prometheus.metric import Metric
from inferometer.prometheus.number_text import float_text
from inferometer.prometheus.registry import REGISTRY, Collector
from inferometer.prometheus.rendering import render
from inferometer.prometheus.samples import Sample

_TYPES = {
    "info": "gauge",
    "stateset": "gauge",
    "gaugehistogram": "histogram",  # really a gauge, but this shows its structure
    "unknown": "untyped",
}
_NAME_SUFFIXES = {"counter": "_total", "info": "_info"}
# Samples that only OpenMetrics has: gauges of their own, after their family, in this order.
_GAUGE_SUFFIXES = ("_created", "_gcount", "_gsum")


def _line(sample: Sample, escaping: str) -> str:
    timestamp = ""
    if sample.timestamp is not None:
        timestamp = f" {int(float(sample.timestamp) * 1000):d}"
    head = sample_head(sample.name, sample.labels, escaping)
    return f"{head} {float_text(sample.value)}{timestamp}\n"


def _header(name: str, documentation: str, kind: str, escaping: str) -> str:
    written = escape_metric_name(name, escaping)
    return f"# HELP {written} {escape_help(documentation)}\n# TYPE {written} {kind}\n"


def family_text(family: Metric, escaping: str) -> str:
    """One family as text."""
    lines: list[str] = []
    gauges: dict[str, list[str]] = {suffix: [] for suffix in _GAUGE_SUFFIXES}
    names = {family.name + suffix: suffix for suffix in _GAUGE_SUFFIXES}
    for sample in family.samples:
        own = names.get(sample.name)
        (lines if own is None else gauges[own]).append(_line(sample, escaping))
    name = family.name + _NAME_SUFFIXES.get(family.type, "")
    kind = _TYPES.get(family.type, family.type)
    text = [_header(name, family.documentation, kind, escaping), *lines]
    for suffix, own_lines in gauges.items():
        if own_lines:
            text.append(_header(family.name + suffix, family.documentation, "gauge", escaping))
            text.extend(own_lines)
    return "".join(text)


def generate_latest(registry: Collector = REGISTRY, escaping: str = UNDERSCORES) -> bytes:
    """The exposition of a registry as Prometheus text.

    Args:
        registry: What to write: anything that has ``collect()``.
        escaping: How names are written that Prometheus 2 does not know.

    Returns:
        UTF-8.
    """
    return render(registry, lambda family: family_text(family, escaping), escaping, False)
