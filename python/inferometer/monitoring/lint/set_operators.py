"""and, or, unless."""

from __future__ import annotations

from dataclasses import replace

from inferometer.monitoring.lint.expression import Binary
from inferometer.monitoring.lint.labels import NONE
from inferometer.monitoring.lint.value import Value


def combine(node: Binary, left: Value, right: Value) -> Value:
    """What is known about the result of a set operator."""
    if node.op == "unless":
        truth = False if left.truth is False else None
        return replace(left, filtered=True, truth=truth)
    if node.op == "and":
        never = left.truth is False or right.truth is False
        always = left.truth is True and right.truth is True
        return replace(
            left,
            filtered=left.filtered or right.filtered,
            truth=False if never else True if always else None,
        )
    # A default, as in `or vector(0)`, says nothing about where the rest comes from.
    default = right.labels == NONE
    same = left.unit is not None and right.unit is not None and left.unit == right.unit
    unit = left.unit if same or right.unit is None else None
    never = left.truth is False and right.truth is False
    always = left.truth is True or right.truth is True
    return Value(
        labels=left.labels.union(right.labels),
        interval=left.interval.hull(right.interval),
        unit=unit,
        source=left.source if default or left.source == right.source else None,
        total=left.total or right.total,
        quantile=left.quantile or right.quantile,
        edges=left.edges if left.edges == right.edges else (),
        plausible=left.plausible if left.plausible == right.plausible else None,
        filtered=left.filtered and right.filtered,
        existence=left.existence and right.existence,
        certain=left.certain or right.certain,
        rescaled=left.rescaled or right.rescaled,
        rated=left.rated or right.rated,
        truth=False if never else True if always else None,
    )
