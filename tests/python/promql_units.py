"""The unit of what a PromQL expression gives, worked out from the names of its metrics.

It knows what the dashboards use; anything else is an error rather than a guess.
"""

from __future__ import annotations

import re

import promql_parser
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    VectorSelector,
)

# What a metric's name ends with (before _sum and the like), to the unit of its values.
SUFFIXES = {
    "_seconds_total": "seconds",
    "_seconds": "seconds",
    "_secs": "seconds",
    "_us": "microseconds",
    "_bytes": "bytes",
    "_ratio": "ratio",
    "_utilization": "ratio",
    "_celsius": "celsius",
    "_hertz": "hertz",
    "_power_usage": "watts",
    "_power_limit": "watts",
}
# Grafana's names of units, for each unit that an expression can have.
GRAFANA = {
    "seconds": {"s"},
    "milliseconds": {"ms"},
    "microseconds": {"µs"},
    "bytes": {"bytes"},
    "ratio": {"percentunit"},
    "quotient": {"percentunit", "none"},  # of two counts: a share, or how many of one in another
    "percent": {"percent"},
    "celsius": {"celsius"},
    "hertz": {"hertz"},
    "watts": {"watt"},
    "count": {"short", "none"},
    "count/second": {"reqps", "ops", "cps"},
}
PER_SECOND = {"count": "count/second", "seconds": "ratio", "microseconds": "microseconds/second"}
QUOTIENTS = {
    ("microseconds/second", "count/second"): "microseconds",
    ("ratio", "count/second"): "seconds",
}
SCALED = {
    ("*", "ratio", 100.0): "percent",
    ("*", "quotient", 100.0): "percent",
    ("/", "microseconds", 1000.0): "milliseconds",
}


def unit_of(expr: str) -> str:
    """The unit of an expression whose variables have values.

    Raises:
        ValueError: It is no PromQL, or its unit cannot be told.
    """
    return _unit(promql_parser.parse(expr))


def _unit(node: object) -> str:
    match node:
        case ParenExpr():
            return _unit(node.expr)
        case AggregateExpr():
            return _unit(node.expr)
        case MatrixSelector():
            return _unit(node.vector_selector)
        case VectorSelector():
            return _metric_unit(node.name or "")
        case Call():
            return _call_unit(node)
        case BinaryExpr():
            return _binary_unit(node)
    raise ValueError(f"no unit for {type(node).__name__}")


def _metric_unit(name: str) -> str:
    if re.search(r"_bucket$|(seconds|us|size)_count$", name):
        return "count"
    bare = re.sub(r"_sum$", "", name)
    return next((unit for suffix, unit in SUFFIXES.items() if bare.endswith(suffix)), "count")


def _call_unit(call: Call) -> str:
    name = call.func.name
    if name == "histogram_quantile":
        (bucket,) = set(re.findall(r"\w+(?=_bucket\b)", str(call.args[1])))
        return _metric_unit(bucket)  # a quantile is between the bounds of the buckets
    inner = _unit(call.args[-1])
    if name == "rate":
        if inner not in PER_SECOND:
            raise ValueError(f"rate() of {inner}")
        return PER_SECOND[inner]
    if name == "increase":
        return inner
    if name == "changes":
        return "count"
    raise ValueError(f"no unit for {name}()")


def _binary_unit(node: BinaryExpr) -> str:
    operator = str(node.op)
    left, right = node.lhs, node.rhs
    if operator in {">", "<", ">=", "<=", "=="}:
        return _unit(left)
    if isinstance(right, NumberLiteral):
        scaled = SCALED.get((operator, _unit(left), right.val))
        if scaled is None:
            raise ValueError(f"{_unit(left)} {operator} {right.val:g}")
        return scaled
    if operator == "-" and isinstance(left, NumberLiteral) and left.val == 1:
        if _unit(right) not in {"ratio", "quotient"}:
            raise ValueError(f"1 - {_unit(right)}")
        return "ratio"
    if operator == "/":
        units = (_unit(left), _unit(right))
        if units[0] == units[1]:
            return "quotient"
        if units in QUOTIENTS:
            return QUOTIENTS[units]
        raise ValueError(f"{units[0]} / {units[1]}")
    raise ValueError(f"no unit for {operator}")
