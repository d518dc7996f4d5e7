"""Calls of PromQL's functions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferometer.monitoring.lint import function_tables as tables
from inferometer.monitoring.lint.expression import Call, Node, Selector, Subquery, Text
from inferometer.monitoring.lint.histogram_calls import evaluate_quantile
from inferometer.monitoring.lint.interval import ANY, Interval
from inferometer.monitoring.lint.labels import NONE, UNKNOWN, Labels
from inferometer.monitoring.lint.rate_calls import evaluate_delta, evaluate_rate
from inferometer.monitoring.lint.selectors import check_window
from inferometer.monitoring.lint.units import SECONDS
from inferometer.monitoring.lint.value import Value, number

if TYPE_CHECKING:
    from inferometer.monitoring.lint.evaluation import Evaluation


def evaluate(run: Evaluation, node: Call) -> Value:
    """What is known about a call's result."""
    name = node.function
    arguments = [
        Value(scalar=True, labels=NONE) if isinstance(a, Text) else run.inside(name, a)
        for a in node.arguments
    ]
    if name == "histogram_quantile":
        return evaluate_quantile(run, node, arguments[0], arguments[1])
    if name in tables.RATES:
        return evaluate_rate(run, node, arguments[0])
    if name in tables.DELTAS:
        return evaluate_delta(run, node, arguments[0])
    if name in ("absent", "absent_over_time"):
        return _absent(run, node)
    for argument in node.arguments:
        if isinstance(argument, Selector) and argument.range is not None:
            check_window(run, name, argument.range)
    if not arguments:
        return _without_arguments(node)
    first = arguments[1] if name == "quantile_over_time" else arguments[0]
    if name in tables.SAME_VALUES or name == "quantile_over_time":
        return _same_values(run, node, first)
    return _computed(node, first, arguments)


def _without_arguments(node: Call) -> Value:
    interval = tables.FIXED.get(node.function, ANY)
    if node.returns == "scalar":
        return number(interval, SECONDS if node.function == "time" else None)
    return Value(labels=NONE, interval=interval, certain=True)


def _same_values(run: Evaluation, node: Call, value: Value) -> Value:
    name = node.function
    if name == "avg_over_time" and value.quantile:
        report_averaged(run, node)
    if name == "info":
        return replace(value, labels=UNKNOWN)
    if name == "vector":
        return replace(value, labels=NONE, scalar=False, certain=True)
    if name in ("label_replace", "label_join") and isinstance(node.arguments[1], Text):
        return replace(value, labels=value.labels.with_maybe([node.arguments[1].value]), truth=None)
    if name == "quantile_over_time":
        phi = run.value(node.arguments[0]).constant
        if phi is None or not 0 <= phi <= 1:
            return replace(value, interval=ANY, truth=None)
    return replace(value, truth=None)


def report_averaged(run: Evaluation, node: Node) -> None:
    """Reports an average or a sum of quantiles."""
    run.report(
        "quantile-averaged",
        f"got {node.text[:120]}: averages of quantiles mean nothing; sum the buckets first: "
        "histogram_quantile(q, sum by (le) (rate(..._bucket[5m])))",
    )


def _computed(node: Call, first: Value, arguments: list[Value]) -> Value:
    name = node.function
    labels = NONE if name == "scalar" else first.labels
    result = Value(
        labels=labels,
        filtered=first.filtered,
        scalar=node.returns == "scalar",
        existence=name == "present_over_time" or (first.existence and name not in tables.FIXED),
        certain=first.certain,
    )
    if name in tables.FIXED:
        unit = SECONDS if name == "timestamp" else None
        return replace(result, interval=tables.FIXED[name], unit=unit)
    if name in ("histogram_sum", "histogram_avg"):
        return replace(result, unit=first.unit)
    interval = ANY
    if name in tables.ELEMENTWISE:
        interval = tables.ELEMENTWISE[name](first.interval)
    elif name == "sum_over_time":
        interval = first.interval.scaled_by_count()
    elif name in ("clamp", "clamp_min", "clamp_max"):
        interval = _clamped(name, [argument.interval for argument in arguments])
    elif name == "scalar":
        interval = first.interval
    elif name == "round":
        interval = _rounded(first.interval, arguments[1].constant if len(arguments) > 1 else 1.0)
    unit = first.unit if name in tables.SAME_UNIT or name in ("round", "sum_over_time") else None
    total = first.total and (name in tables.SAME_UNIT or name == "round")
    return replace(
        result, interval=interval, unit=unit, total=total, source=first.source if total else None
    )


def _clamped(name: str, intervals: list[Interval]) -> Interval:
    x = intervals[0]
    if name != "clamp_max":
        x = Interval(max(x.low, intervals[1].low), max(x.high, intervals[1].high))
    if name == "clamp":
        x = Interval(min(x.low, intervals[2].low), min(x.high, intervals[2].high))
    elif name == "clamp_max":
        x = Interval(min(x.low, intervals[1].low), min(x.high, intervals[1].high))
    return x


def _rounded(x: Interval, step: float | None) -> Interval:
    if step is None:
        return ANY
    slack = abs(step) * (0.5 + 1e-9)
    low, high = x.low - slack, x.high + slack
    return Interval(min(max(low, 0.0), x.low) if x.low >= 0 else low, high)


def _absent(run: Evaluation, node: Call) -> Value:
    inner = node.arguments[0]
    labels: Labels = NONE
    if isinstance(inner, Selector):
        fixed = {m.label: m.value for m in inner.matchers if m.op == "=" and m.value}
        twice = [m.label for m in inner.matchers if m.label in fixed]
        labels = NONE.with_values({k: v for k, v in fixed.items() if twice.count(k) == 1})
        if any(m.op == "=~" for m in inner.matchers):
            run.report(
                "absent-regex",
                f"got {node.text}: it fires only if all that match are gone, and cannot say which; "
                "write one absent for each value, with =",
            )
    elif not isinstance(inner, Subquery):
        run.report(
            "absent-regex",
            f"got {node.text}: of an expression, absent cannot say what is gone; write it of a "
            "selector",
        )
    return Value(labels=labels, interval=tables.FIXED["absent"], filtered=True, existence=True)
