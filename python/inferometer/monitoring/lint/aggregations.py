"""Aggregations over labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferometer.monitoring.lint.calls import report_averaged
from inferometer.monitoring.lint.expression import Aggregation, Node, Selector, Text
from inferometer.monitoring.lint.grafana_variables import PLACEHOLDER
from inferometer.monitoring.lint.interval import ANY, NOT_NEGATIVE, Interval
from inferometer.monitoring.lint.knowledge import did_you_mean
from inferometer.monitoring.lint.labels import UNKNOWN, Labels
from inferometer.monitoring.lint.operators import AGAINST_ZERO
from inferometer.monitoring.lint.units import COUNT
from inferometer.monitoring.lint.value import Value

if TYPE_CHECKING:
    from inferometer.monitoring.lint.evaluation import Evaluation

# These choose series and leave them as they are.
_CHOOSE = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
_COUNT = Interval(1, float("inf"))


def evaluate(run: Evaluation, node: Aggregation) -> Value:
    """What is known about an aggregation's result."""
    inner = run.inside(node.op, node.inner)
    parameter = None
    if node.parameter is not None and not isinstance(node.parameter, Text):
        parameter = run.value(node.parameter).constant
    _check_labels(run, node, inner.labels)
    if node.op in ("avg", "sum") and inner.quantile:
        report_averaged(run, node)
    _check_buckets(run, node, inner)
    if node.op in _CHOOSE:
        return replace(inner, truth=None)
    return _aggregated(node, replace(inner, labels=_labels(node, inner.labels)), parameter)


def _check_labels(run: Evaluation, node: Aggregation, labels: Labels) -> None:
    for label in node.labels:
        # Without a label that is not there is harmless: it is how one writes for many metrics.
        if node.without or labels.may_have(label) or label.startswith(PLACEHOLDER):
            continue
        hint = did_you_mean(label, sorted(labels.sure | labels.maybe))
        run.report(
            "unknown-label",
            f"got by ({', '.join(node.labels)}), but what is aggregated has no label {label}: "
            f"{hint or f'it has {labels}'}",
        )


def _check_buckets(run: Evaluation, node: Aggregation, inner: Value) -> None:
    """Whether a sum counts each request once for every bucket that it is in."""
    source = inner.source
    if node.op not in ("sum", "avg") or source is None or source.kind != "bucket":
        return
    if inner.quantile or inner.existence or _labels(node, inner.labels).may_have("le"):
        return
    if {"histogram_quantile", AGAINST_ZERO} & set(run.enclosing) or _chooses_buckets(node.inner):
        return
    run.report(
        "buckets-without-le",
        f"got {node.text[:120]}, which counts each request in all of its buckets: want "
        f"{source.metric}_count, one bucket (le=...), or le among the labels",
    )


def _chooses_buckets(node: Node) -> bool:
    return any(
        matcher.label == "le"
        for part in node.walk()
        if isinstance(part, Selector)
        for matcher in part.matchers
    )


def _labels(node: Aggregation, labels: Labels) -> Labels:
    if any(label.startswith(PLACEHOLDER) for label in node.labels):
        return UNKNOWN
    kept = labels.drop(node.labels) if node.without else labels.keep(node.labels)
    if node.op == "count_values" and isinstance(node.parameter, Text):
        return kept.with_sure([node.parameter.value])
    return kept


def _aggregated(node: Aggregation, value: Value, parameter: float | None) -> Value:
    op = node.op
    value = replace(value, truth=None)
    if op in ("count", "group", "count_values"):
        interval = {"count": _COUNT, "group": Interval(1, 1)}.get(op, ANY)
        return Value(
            value.labels,
            interval,
            COUNT if op == "count" else None,
            filtered=value.filtered,
            existence=True,
            certain=value.certain,
        )
    if op in ("stddev", "stdvar"):
        unit = value.unit if op == "stddev" else None
        return Value(value.labels, NOT_NEGATIVE, unit, filtered=value.filtered)
    if op == "sum":
        interval = value.interval.scaled_by_count()
        return replace(value, interval=interval, edges=(), plausible=None)
    if op == "quantile" and (parameter is None or not 0 <= parameter <= 1):
        return replace(value, interval=ANY)
    return value  # avg, min, max, quantile
