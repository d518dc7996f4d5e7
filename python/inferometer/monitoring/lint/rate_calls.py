"""rate, irate and increase, and their counterparts for gauges."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from inferometer.monitoring.lint.expression import Aggregation, Call, Node, Selector, Subquery
from inferometer.monitoring.lint.interval import ANY, NOT_NEGATIVE
from inferometer.monitoring.lint.samples import CUMULATIVE
from inferometer.monitoring.lint.selectors import check_range
from inferometer.monitoring.lint.units import SECONDS, Unit
from inferometer.monitoring.lint.value import Value

if TYPE_CHECKING:
    from inferometer.monitoring.lint.evaluation import Evaluation

# A syntax error that is this mistake.
RATE_OF_AGGREGATE = re.compile(
    r"\b(?:rate|irate|increase)\s*\(\s*(?:sum|avg|min|max|count|topk|quantile)\b"
)


def _per_second(unit: Unit | None) -> Unit | None:
    return None if unit is None else unit.times(SECONDS, -1)


def _checked_range(run: Evaluation, function: str, argument: Node) -> None:
    if isinstance(argument, Selector | Subquery) and argument.range is not None:
        check_range(run, function, argument.range)


def _is_aggregated(node: Node) -> bool:
    return isinstance(node, Subquery) and any(
        isinstance(part, Aggregation) for part in node.inner.walk()
    )


def evaluate_rate(run: Evaluation, node: Call, value: Value) -> Value:
    """The value of rate, irate or increase."""
    name, argument = node.function, node.arguments[0]
    _checked_range(run, name, argument)
    recorded_sum = (
        isinstance(argument, Selector)
        and argument.name in run.knowledge.recorded
        and value.total
        and not value.labels.may_have("instance")
    )
    if recorded_sum or (_is_aggregated(argument) and value.total):
        run.report(
            "rate-of-aggregate",
            f"got {node.text[:120]}: when one counter restarts the whole sum seems to; write "
            f"sum({name}(...))",
        )
    elif value.source is not None and value.source.kind == "gauge" and not value.filtered:
        run.report(
            "rate-on-gauge",
            f"got {name}({value.source.name}[...]), but {value.source.name} is a gauge, of which "
            "each fall is taken for a restart: write deriv, delta or avg_over_time",
        )
    elif value.rated:
        run.report(
            "rate-of-rate",
            f"got {node.text[:120]}: what is measured is a rate already, and {name} takes each "
            "fall of it for a restart; write avg_over_time, max_over_time or deriv of it",
        )
    unit = value.unit if name == "increase" else _per_second(value.unit)
    return replace(
        value,
        interval=NOT_NEGATIVE,
        unit=unit,
        total=False,
        truth=None,
        plausible=None,
        existence=False,
        rated=True,
    )


def evaluate_delta(run: Evaluation, node: Call, value: Value) -> Value:
    """The value of delta, idelta, deriv or predict_linear."""
    name = node.function
    _checked_range(run, name, node.arguments[0])
    if value.source is not None and value.source.kind in CUMULATIVE and value.total:
        instead = "rate" if name in ("deriv", "predict_linear") else "increase"
        run.report(
            "delta-on-counter",
            f"got {name}({value.source.name}[...]), but {value.source.name} is a counter, which "
            f"restarts at 0: write {instead}",
        )
    unit = _per_second(value.unit) if name == "deriv" else value.unit
    return replace(
        value,
        interval=ANY,
        unit=unit,
        total=False,
        truth=None,
        edges=(),
        existence=False,
        rated=True,
    )
