"""Parses PromQL; every mistake gets a position and a hint."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal, cast

import promql_parser as promql

from inferometer.monitoring.lint.expression import (
    Aggregation,
    Binary,
    Call,
    Matcher,
    Negation,
    Node,
    Number,
    Op,
    Selector,
    Subquery,
    Text,
)
from inferometer.monitoring.lint.syntax_position import position_of_error

MAX_LENGTH = 20_000
# The parser's recursion is not bounded: text that is nested deeply would end the process.
MAX_DEPTH = 150

_STRING = re.compile(r"""\"(?:\\.|[^"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`""", re.DOTALL)
_BRACES = re.compile(r"\{[^{}]*\}")
_NESTING = re.compile(r"[()\[\]{}]|[-+*/%^]|[=!<>]=?|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
_MATCH_OPS: dict[str, Op] = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
# What the parser says, where it can be said so that one knows what to do.
_HINTS = {
    "invalid promql query": "not PromQL from here on",
    "comparisons between scalars must use BOOL modifier": (
        "a comparison of two numbers needs `bool`, or a metric on one side"
    ),
}


class ExpressionError(ValueError):
    """An expression that Prometheus would refuse.

    Attributes:
        offset: Where, in characters from the start of the expression.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """Parses an expression.

    Raises:
        ExpressionError: If it is not PromQL, too long, or nested too deeply.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"got {len(text)} characters, want at most {MAX_LENGTH}", 0)
    _check_depth(text)
    try:
        return _node(promql.parse(text))
    except ValueError as error:
        message = _HINTS.get(str(error), str(error))
        raise ExpressionError(message, position_of_error(text, str(error))) from None


def _check_depth(text: str) -> None:
    bare = _BRACES.sub("{}", _STRING.sub('""', text))
    depth = deepest = operators = 0
    for match in _NESTING.finditer(bare):
        depth += (match[0] in "([{") - (match[0] in ")]}")
        deepest = max(deepest, depth)
        operators += match[0] not in "()[]{}"
        if deepest + operators > MAX_DEPTH:
            raise ExpressionError(
                f"got more than {MAX_DEPTH} operators and levels of brackets, want a smaller "
                "expression",
                0,
            )


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("( ", "(").replace(" )", ")")


def _seconds(duration: Any) -> float:
    return 0.0 if duration is None else float(duration.total_seconds())


def _selector(node: Any, text: str, range_seconds: float | None) -> Selector:
    name: str | None = node.name
    matchers = []
    for each in node.matchers.matchers:
        op = _MATCH_OPS[str(each.op).rpartition(".")[2]]
        if each.name == "__name__" and op == "=":
            name = each.value
        elif each.name != "__name__":
            matchers.append(Matcher(each.name, op, each.value))
    alternatives = bool(node.matchers.or_matchers)
    return Selector(text, name, tuple(matchers), alternatives, range_seconds, _seconds(node.offset))


def _aggregation(node: Any, text: str) -> Aggregation:
    modifier = node.modifier
    without = modifier is not None and modifier.type == promql.AggModifierType.Without
    labels = () if modifier is None else tuple(modifier.labels)
    parameter = None if node.param is None else _node(node.param)
    return Aggregation(text, str(node.op), _node(node.expr), parameter, without, labels)


def _binary(node: Any, text: str) -> Binary:
    left, right = _node(node.lhs), _node(node.rhs)
    modifier = node.modifier
    if modifier is None:
        return Binary(text, str(node.op), left, right)
    on = ignoring = None
    if modifier.matching is not None:
        labels = tuple(modifier.matching.labels)
        if modifier.matching.type == promql.LabelModifierType.Include:
            on = labels
        else:
            ignoring = labels
    groups: dict[str, Literal["left", "right"]] = {"ManyToOne": "left", "OneToMany": "right"}
    fill = modifier.fill_values
    return Binary(
        text,
        str(node.op),
        left,
        right,
        returns_bool=bool(modifier.return_bool),
        on=on,
        ignoring=ignoring,
        group=groups.get(str(modifier.card).rpartition(".")[2]),
        group_labels=tuple(modifier.group_labels or ()),
        fills=fill is not None and (fill.lhs is not None or fill.rhs is not None),
    )


def _node(node: Any) -> Node:
    if isinstance(node, promql.ParenExpr):
        return _node(node.expr)
    text = _one_line(node.prettify())
    if isinstance(node, promql.NumberLiteral):
        return Number(text, float(node.val))
    if isinstance(node, promql.StringLiteral):
        return Text(text, node.val)
    if isinstance(node, promql.VectorSelector):
        return _selector(node, text, None)
    if isinstance(node, promql.MatrixSelector):
        return _selector(node.vector_selector, text, _seconds(node.range))
    if isinstance(node, promql.SubqueryExpr):
        step = None if node.step is None else _seconds(node.step)
        return Subquery(text, _node(node.expr), _seconds(node.range), step)
    if isinstance(node, promql.UnaryExpr):
        return Negation(text, _node(node.expr))
    if isinstance(node, promql.AggregateExpr):
        return _aggregation(node, text)
    if isinstance(node, promql.BinaryExpr):
        return _binary(node, text)
    call = cast(promql.Call, node)
    scalar = call.func.return_type == promql.ValueType.Scalar
    arguments = tuple(_node(argument) for argument in call.args)
    return Call(text, call.func.name, arguments, "scalar" if scalar else "vector")
