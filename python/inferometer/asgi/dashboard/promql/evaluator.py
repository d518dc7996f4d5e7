"""Evaluates a parsed query at all steps of a range."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from inferometer.asgi.dashboard.promql import binary, functions, windows
from inferometer.asgi.dashboard.promql.aggregation import aggregate
from inferometer.asgi.dashboard.promql.series import (
    NAME,
    Floats,
    LabelMatcher,
    QueryError,
    SampleSource,
    Series,
    Vector,
    united,
)
from inferometer.asgi.dashboard.promql.windows import in_milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable

# How long a sample stands for its series when no newer one comes, as in Prometheus.
LOOKBACK_SECONDS = 300.0


def _seconds(duration: timedelta | None) -> float:
    return 0.0 if duration is None else duration.total_seconds()


def _matchers(selector: Any) -> tuple[str, list[LabelMatcher]]:
    if selector.at is not None:
        raise QueryError("the modifier @ is not known here; it needs Prometheus")
    if selector.matchers.or_matchers:
        raise QueryError("alternatives of matchers are not known here; they need Prometheus")
    signs = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    matchers = [
        LabelMatcher(matcher.name, signs[str(matcher.op).rsplit(".", 1)[-1]], matcher.value)
        for matcher in selector.matchers.matchers
    ]
    names = [m.value for m in matchers if m.name == NAME and m.op == "="]
    name = selector.name or (names[0] if names else None)
    if name is None:
        raise QueryError("a selector without a metric name is not known here; it needs Prometheus")
    return name, [m for m in matchers if m.name != NAME]


class _Evaluation:
    """One query at the steps of one range. Single-owner."""

    def __init__(self, source: SampleSource, steps: Floats) -> None:
        self._source = source
        self._steps = steps

    def value(self, expression: Any) -> functions.Value:
        """What an expression comes to."""
        kind = type(expression).__name__
        visit: Callable[[Any], functions.Value] | None = getattr(self, f"_{kind}", None)
        if visit is None:
            raise QueryError(f"{kind} is not known here; it needs Prometheus")
        return visit(expression)

    def vector(self, expression: Any) -> Vector:
        """What an expression comes to, which must be a vector."""
        value = self.value(expression)
        if not isinstance(value, list):
            raise QueryError("got a scalar or a string, want a vector")
        return value

    def _NumberLiteral(self, literal: Any) -> Floats:
        return np.full(len(self._steps), float(literal.val))

    def _StringLiteral(self, literal: Any) -> str:
        return str(literal.val)

    def _ParenExpr(self, expression: Any) -> functions.Value:
        return self.value(expression.expr)

    def _UnaryExpr(self, expression: Any) -> functions.Value:
        value = self.value(expression.expr)
        if isinstance(value, list):
            return united(series.with_values(-series.values) for series in value)
        if isinstance(value, str):
            raise QueryError("got a string, want a vector or a scalar")
        return -value

    def _VectorSelector(self, selector: Any) -> Vector:
        name, matchers = _matchers(selector)
        steps = self._steps - _seconds(selector.offset)
        found = self._source.select(name, matchers, steps[0] - LOOKBACK_SECONDS, steps[-1])
        result = []
        for samples in found:
            if not len(samples.times):
                continue
            times, moments = in_milliseconds(samples.times), in_milliseconds(steps)
            index = np.searchsorted(times, moments, side="right") - 1
            newest = np.maximum(index, 0)
            values = samples.values[newest]
            recent = moments - times[newest] <= LOOKBACK_SECONDS * 1000.0
            present = (index >= 0) & recent & ~np.isnan(values)
            if present.any():
                result.append(Series(samples.labels, values, present))
        return result

    def _of_windows(self, name: str, selector: Any) -> Vector:
        if type(selector).__name__ != "MatrixSelector":
            raise QueryError(f"{name} of a subquery is not known here; it needs Prometheus")
        inner, seconds = selector.vector_selector, _seconds(selector.range)
        metric, matchers = _matchers(inner)
        ends = self._steps - _seconds(inner.offset)
        found = self._source.select(metric, matchers, ends[0] - seconds, ends[-1])
        result = windows.over_windows(name, found, ends, seconds)
        if name == "last_over_time":  # the value is still the metric's
            return result
        return united(series.with_values(series.values) for series in result)

    def _Call(self, call: Any) -> functions.Value:
        name = call.func.name
        if name in windows.NAMES:
            return self._of_windows(name, call.args[0])
        if name == "absent":
            return self._absent(call.args[0])
        arguments = [self.value(argument) for argument in call.args]
        return functions.call(name, arguments, self._steps)

    def _absent(self, expression: Any) -> Vector:
        labels: dict[str, str] = {}
        if type(expression).__name__ == "VectorSelector":
            _, matchers = _matchers(expression)
            labels = {m.name: m.value for m in matchers if m.op == "="}
        return functions.absent(self.vector(expression), labels, len(self._steps))

    def _AggregateExpr(self, expression: Any) -> Vector:
        parameter = None
        if expression.param is not None:
            value = self.value(expression.param)
            if not isinstance(value, np.ndarray):
                raise QueryError(f"the aggregation {expression.op} is not known here")
            parameter = value
        modifier = expression.modifier
        by = modifier is None or str(modifier.type).endswith("By")
        names = () if modifier is None else modifier.labels
        return aggregate(str(expression.op), self.vector(expression.expr), by, names, parameter)

    def _BinaryExpr(self, expression: Any) -> functions.Value:
        left, right = self.value(expression.lhs), self.value(expression.rhs)
        op, matching = str(expression.op), _matching(expression.modifier)
        if isinstance(left, str) or isinstance(right, str):
            raise QueryError(f"{op} of a string; want vectors or scalars")
        if isinstance(left, list) and isinstance(right, list):
            return binary.vectors(op, left, right, matching)
        if isinstance(left, list) and not isinstance(right, list):
            return binary.vector_and_scalar(op, left, right, False, matching.as_bool)
        if isinstance(right, list) and not isinstance(left, list):
            return binary.vector_and_scalar(op, right, left, True, matching.as_bool)
        assert isinstance(left, np.ndarray) and isinstance(right, np.ndarray)
        return binary.scalars(op, left, right)


def _matching(modifier: Any) -> binary.Matching:
    if modifier is None:
        return binary.Matching()
    card = str(modifier.card).rsplit(".", 1)[-1]
    many = {"ManyToOne": "left", "OneToMany": "right"}.get(card)
    labels = modifier.matching
    return binary.Matching(
        on=labels is not None and str(labels.type).endswith("Include"),
        names=() if labels is None else tuple(labels.labels),
        many=many,
        include=tuple(modifier.group_labels or ()),
        as_bool=modifier.return_bool,
    )


def evaluate(query: str, source: SampleSource, steps: Floats) -> Vector:
    """The series that a query comes to.

    Args:
        query: PromQL.
        source: Where samples come from.
        steps: (steps,) moments of evaluation, ascending seconds since the epoch.

    Returns:
        Series over the steps; a scalar is one without labels.

    Raises:
        QueryError: A query that is wrong, or not known here.
    """
    try:
        import promql_parser
    except ImportError as error:
        raise QueryError(
            "queries over the process' own history need promql-parser: "
            "pip install 'inferometer[monitoring]'"
        ) from error
    try:
        expression = promql_parser.parse(query)
    except ValueError as error:
        raise QueryError(f"{error}: {query}") from error
    value = _Evaluation(source, steps).value(expression)
    if isinstance(value, str):
        raise QueryError("got a string, want a vector or a scalar")
    if isinstance(value, list):
        return value
    return [Series({}, value, np.ones(len(steps), np.bool_))]
