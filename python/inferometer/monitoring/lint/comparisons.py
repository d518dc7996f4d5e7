"""Comparisons: whether the values can be on both sides of the limit, and in its unit."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from inferometer.monitoring.lint.contradictions import FLIPPED
from inferometer.monitoring.lint.expression import Binary
from inferometer.monitoring.lint.function_tables import EXISTENCE
from inferometer.monitoring.lint.interval import UNIT, limited, verdict
from inferometer.monitoring.lint.value import Value

if TYPE_CHECKING:
    from inferometer.monitoring.lint.evaluation import Evaluation

# Around a counter as it is these make a guard of it, or count where it has counted at all.
_GUARDS = EXISTENCE | {"and", "unless"}
# A mean may lie beyond the edges of its histogram. So far beyond, it is in another unit.
_FAR = 10.0


def compare(run: Evaluation, node: Binary, left: Value, right: Value) -> Value:
    """What is known about a comparison's result."""
    truth = verdict(left.interval, node.op, right.interval)
    if left.total or right.total:
        _report_total(run, node, left, right)
        truth = None
    elif right.constant is not None and left.constant is None:
        truth = _against_limit(run, node, left, node.op, right.constant, truth)
    elif left.constant is not None and right.constant is None:
        truth = _against_limit(run, node, right, FLIPPED[node.op], left.constant, truth)
    else:
        check_units(run, node, left, right)
        if truth is False and not node.returns_bool:
            _report_never(run, node, f"{left.interval} {node.op} {right.interval}")
    kept = right if left.scalar else left
    if node.returns_bool:
        return Value(
            interval=UNIT,
            filtered=left.filtered or right.filtered,
            scalar=left.scalar and right.scalar,
        )
    # Of no series no value is wrong: what holds of all there are need not fire.
    if truth is True and any(_may_be_empty(side) for side in (left, right)):
        truth = None
    interval = kept.interval
    if truth is None:
        op, limit = (FLIPPED[node.op], left) if kept is right else (node.op, right)
        interval = limited(interval, op, limit.interval)
    return replace(kept, interval=interval, filtered=True, truth=truth, scalar=False)


def _may_be_empty(value: Value) -> bool:
    return value.filtered or (value.existence and not value.certain and not value.scalar)


def _report_total(run: Evaluation, node: Binary, left: Value, right: Value) -> None:
    if left.total and right.total:
        return  # both restart at once: whether one has got ahead, or moved since an offset
    value, op = (left, node.op) if left.total else (right, FLIPPED[node.op])
    name = value.source.name if value.source is not None else "a counter"
    grows = op in (">", ">=", "!=")
    guard = bool(_GUARDS & set(run.enclosing))
    then = (
        "once true it stays true until a restart"
        if grows
        else "it is true after a start until there is more, and not again until a restart"
    )
    run.report(
        "counter-without-rate",
        f"got {node.text[:160]}: {name} only grows, so {then}; compare rate(...[5m]) or "
        "increase(...[5m])",
        "error" if grows and not guard else "warning",
    )


def check_units(run: Evaluation, node: Binary, left: Value, right: Value) -> None:
    """Reports an operator between values of different units."""
    one, other = left.unit, right.unit
    if one is None or other is None:
        return
    kind, scale = one.same_kind(other), one.same_scale(other)
    if kind and scale:
        return
    # Ten seconds of traffic are a count: who knows what a number stands for.
    unsure = (left.rescaled or right.rescaled) and (not kind or one.is_ratio)
    run.report(
        "unit-mismatch",
        f"got {one} {node.op} {other} in {node.text[:160]}: want one unit on both sides",
        "warning" if unsure else None,
    )


def _report_never(run: Evaluation, node: Binary, why: str) -> None:
    run.report("never-true", f"got {node.text[:160]}, which never holds: {why}")


def _against_limit(
    run: Evaluation, node: Binary, value: Value, op: str, limit: float, truth: bool | None
) -> bool | None:
    what = "" if value.source is None else f" ({value.source.name})"
    if _report_latency_unit(run, node, value, limit):
        return None
    if limit not in value.interval:
        if truth is True and _may_be_empty(value):
            return truth
        run.report(
            "value-outside-range",
            f"got {node.text[:160]}, but the value is {value.interval}{what}: want a limit "
            f"within that{_percent_hint(value, limit)}",
        )
        return None
    if truth is False and not node.returns_bool:
        _report_never(run, node, f"the value is {value.interval}{what}")
    _check_edges(run, node, value, op, limit)
    return truth


def _percent_hint(value: Value, limit: float) -> str:
    if value.interval == UNIT and 1 < limit <= 100:
        return f"; write {limit / 100:g}"
    return ""


def _report_latency_unit(run: Evaluation, node: Binary, value: Value, limit: float) -> bool:
    if value.unit is None or ("seconds", 1) not in value.unit.physical or limit <= 0:
        return False
    if not value.edges and value.plausible is None:
        return False
    low = value.edges[0] if value.edges else 0.0
    high = value.edges[-1] if value.edges else math.inf
    if value.plausible is not None:
        low, high = value.plausible.low, value.plausible.high
    # In seconds a limit that is too small is meant so; in microseconds it is meant in seconds.
    if limit > high or (limit < low and value.unit.scale < 1):
        beyond = limit > high if value.quantile else limit > _FAR * high
        sure = beyond or limit * _FAR < low
        run.report(
            "latency-unit",
            f"got {node.text[:160]}: the value is in {value.unit}, of which the histogram's edges "
            f"are {low:g} to {high:g}; write the limit in {value.unit}",
            None if sure else "warning",
        )
        return True
    return False


def _check_edges(run: Evaluation, node: Binary, value: Value, op: str, limit: float) -> None:
    if not value.quantile or not value.edges or op in ("==", "!=") or limit <= 0:
        return
    if any(math.isclose(limit, edge, rel_tol=1e-9) for edge in value.edges):
        return
    below = max((edge for edge in value.edges if edge < limit), default=0.0)
    above = min((edge for edge in value.edges if edge > limit), default=below)
    run.report(
        "threshold-between-buckets",
        f"got the limit {limit:g} between the bucket edges {below:g} and {above:g}, where an "
        f"interpolation decides: want an edge, {below:g} or {above:g}",
    )
