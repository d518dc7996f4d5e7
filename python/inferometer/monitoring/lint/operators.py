"""Binary operators: which series match, and what becomes of their values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from inferometer.monitoring.catalogue import catalogue
from inferometer.monitoring.lint import interval as intervals
from inferometer.monitoring.lint.comparisons import check_units, compare
from inferometer.monitoring.lint.contradictions import check_conditions
from inferometer.monitoring.lint.expression import (
    COMPARISONS,
    SET_OPERATORS,
    Binary,
    Call,
    Node,
    Number,
)
from inferometer.monitoring.lint.function_tables import RATES
from inferometer.monitoring.lint.interval import UNIT, Interval
from inferometer.monitoring.lint.knowledge import did_you_mean
from inferometer.monitoring.lint.labels import NONE, UNKNOWN, Labels
from inferometer.monitoring.lint.parts import is_part
from inferometer.monitoring.lint.set_operators import combine
from inferometer.monitoring.lint.units import Unit
from inferometer.monitoring.lint.value import Value

if TYPE_CHECKING:
    from inferometer.monitoring.lint.evaluation import Evaluation


# In Evaluation.enclosing for a comparison with 0.
AGAINST_ZERO = "against 0"


def evaluate(run: Evaluation, node: Binary) -> Value:
    """What is known about an operator's result."""
    # Whether there is anything at all is seen in whatever way it is counted.
    zero = any(isinstance(side, Number) and side.value == 0 for side in (node.left, node.right))
    within = AGAINST_ZERO if node.op in COMPARISONS and zero else node.op
    left, right = run.inside(within, node.left), run.inside(within, node.right)
    if not left.scalar and not right.scalar:
        _check_matching(run, node, left.labels, right.labels)
    check_conditions(run, node)
    if node.op in SET_OPERATORS:
        return combine(node, left, right)
    labels = _labels(node, left, right)
    if node.op in COMPARISONS:
        return replace(compare(run, node, left, right), labels=labels)
    return replace(_arithmetic(run, node, left, right), labels=labels)


def _check_matching(run: Evaluation, node: Binary, left: Labels, right: Labels) -> None:
    for label in (*(node.on or ()), *node.group_labels):
        sides = (right if node.group == "left" else left,) if label in node.group_labels else ()
        for side in sides or (left, right):
            if not side.may_have(label):
                hint = did_you_mean(label, sorted(side.sure | side.maybe))
                clause = "group_left or group_right" if sides else "on"
                run.report(
                    "unknown-label",
                    f"got the label {label} in {clause}, which a side of {node.op} does not have: "
                    f"{hint or f'it has {side}'}",
                )
                return
    if node.op == "or" or node.fills:
        return
    reason = left.conflict(right, node.on, node.ignoring or ())
    if reason is not None:
        run.report(
            "vectors-never-match",
            f"got {node.op} of series that never match, {reason}: aggregate both sides by the "
            "same labels, or write on(...) or ignoring(...)",
        )


def _labels(node: Binary, left: Value, right: Value) -> Labels:
    if left.scalar:
        return NONE if right.scalar else right.labels
    if right.scalar:
        return left.labels
    many, one = (right, left) if node.group == "right" else (left, right)
    if node.fills:
        return UNKNOWN
    if node.group is not None:
        taken = [label for label in node.group_labels if one.labels.may_have(label)]
        return many.labels.with_maybe(taken)
    if node.on is not None:
        return left.labels.keep(node.on)
    return left.labels.drop(node.ignoring or ())


def times_constant(value: Value, factor: float) -> Value:
    """A value times a number: the unit changes its scale, the edges of buckets move."""
    unit = None if value.unit is None else value.unit.scaled(factor)
    edges = tuple(edge * factor for edge in value.edges) if factor > 0 else ()
    plausible = value.plausible
    if plausible is not None:
        plausible = intervals.multiply(plausible, Interval(factor, factor)) if factor > 0 else None
    return replace(
        value,
        unit=unit,
        edges=edges,
        plausible=plausible,
        factor=value.factor * factor,
        rescaled=value.rescaled or factor != 1,
    )


def _arithmetic(run: Evaluation, node: Binary, left: Value, right: Value) -> Value:
    op = node.op
    interval = intervals.OPERATIONS[op](left.interval, right.interval)
    total = (left.total or right.total) and op in "+-*/"
    if op == "-" and left.total and right.total:
        total = False  # the growth since an offset, or how far one counter is ahead of another
    if op in "+-":
        check_units(run, node, left, right)
    if op == "/":
        _check_totals(run, node, left, right)
        if is_part(node.left, node.right, run.knowledge.sample):
            interval = UNIT
        elif is_part(node.right, node.left, run.knowledge.sample):
            interval = Interval(1.0, math.inf)
        total = total and not (left.total and right.total)
    base = _scaled(op, left, right)
    if base is None:
        unit = _unit(op, left, right)
        base = Value(
            unit=unit,
            plausible=_plausible(op, left, right, unit),
            existence=left.existence and right.existence,
            certain=left.certain and right.certain,
            rescaled=left.rescaled or right.rescaled,
            rated=left.rated or right.rated,
        )
    return replace(
        base,
        interval=interval,
        total=total,
        scalar=left.scalar and right.scalar,
        filtered=left.filtered or right.filtered,
        truth=None,
    )


def _scaled(op: str, left: Value, right: Value) -> Value | None:
    """The value if one side is a number and the other is not; None otherwise."""
    if op not in "+-*/":
        return None
    if right.scalar and right.constant is not None and not left.scalar:
        if op == "*":
            return times_constant(left, right.constant)
        if op == "/":
            divisor = right.constant
            return times_constant(left, 1 / divisor) if divisor else replace(left, edges=())
        return replace(left, edges=(), plausible=None)
    if left.scalar and left.constant is not None and not right.scalar:
        if op == "*":
            return times_constant(right, left.constant)
        if op == "/":
            return Value()
        return replace(right, edges=(), plausible=None)
    return None


def _unit(op: str, left: Value, right: Value) -> Unit | None:
    if op in "+-":
        return left.unit if right.unit is None else right.unit if left.unit is None else left.unit
    if op in "*/" and left.unit is not None and right.unit is not None:
        return left.unit.times(right.unit, 1 if op == "*" else -1)
    return None


def _plausible(op: str, left: Value, right: Value, unit: Unit | None) -> Interval | None:
    """Where a mean latency lies: within the edges of a histogram, if these were well chosen."""
    source, by = left.source, right.source
    if op != "/" or unit is None or source is None or by is None or source.unit is None:
        return None
    if unit.physical != source.unit.physical:
        return None
    edges: tuple[float, ...] = ()
    if source.kind == "sum" and by.metric == source.metric:
        edges = source.edges
    elif source.name.startswith("nv_inference_") and source.name.endswith("_duration_us"):
        edges = catalogue()["nv_inference_request_latency_us"].edges
    factor = left.factor / right.factor if right.factor else 0.0
    return Interval(edges[0] * factor, edges[-1] * factor) if edges and factor > 0 else None


def _check_totals(run: Evaluation, node: Binary, left: Value, right: Value) -> None:
    if left.total and right.total:
        run.report(
            "ratio-of-totals",
            f"got {node.text[:160]}, a ratio of all that was counted since the start: write "
            "rate(...[5m]) on both sides",
            "warning" if run.on_dashboard else None,
        )
    elif (left.total and has_rate(node.right)) or (right.total and has_rate(node.left)):
        run.report(
            "counter-without-rate",
            f"got {node.text[:160]}, a counter as it is on one side and a rate on the other: write "
            "rate(...[5m]) on both sides",
        )


def has_rate(node: Node) -> bool:
    """Whether there is a rate in an expression."""
    return any(isinstance(part, Call) and part.function in RATES for part in node.walk())
