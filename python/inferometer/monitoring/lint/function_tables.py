"""What PromQL's functions do to the values of their argument."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from inferometer.monitoring.lint.interval import NOT_NEGATIVE, UNIT, Interval, absolute

RATES = frozenset({"rate", "irate", "increase"})
DELTAS = frozenset({"delta", "idelta", "deriv", "predict_linear"})
# What only asks whether there are series or whether they change, not what their values are.
EXISTENCE = frozenset(
    {
        "absent",
        "absent_over_time",
        "changes",
        "count",
        "count_over_time",
        "group",
        "present_over_time",
        "resets",
        "timestamp",
    }
)

Map = Callable[[Interval], Interval]


def _rising(function: Callable[[float], float]) -> Map:
    return lambda x: x.monotone(function)


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    def value(x: float) -> float:
        return -math.inf if x <= 0 else math.inf if x == math.inf else function(x)

    return value


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _whole(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: x if math.isinf(x) else float(function(x))


def _widened_log(function: Callable[[float], float]) -> Map:
    def value(x: Interval) -> Interval:
        found = x.monotone(_logarithm(function))
        slack = 1e-9
        return Interval(found.low - slack, found.high + slack)

    return value


def _widened_exp(x: Interval) -> Interval:
    return Interval(_exp(x.low) * (1 - 1e-9), _exp(x.high) * (1 + 1e-9))


# Functions of one instant vector that work value by value, and what they make of an interval.
ELEMENTWISE: Mapping[str, Map] = {
    "abs": absolute,
    "ceil": _rising(_whole(math.ceil)),
    "floor": _rising(_whole(math.floor)),
    "exp": _widened_exp,
    "ln": _widened_log(math.log),
    "log2": _widened_log(math.log2),
    "log10": _widened_log(math.log10),
    "sqrt": _rising(lambda x: math.sqrt(x) if x > 0 else 0.0),
    "sgn": _rising(lambda x: float((x > 0) - (x < 0))),
    "sin": lambda _: Interval(-1, 1),
    "cos": lambda _: Interval(-1, 1),
    "tanh": lambda _: Interval(-1, 1),
}
# Functions whose result has the values, unit and kind of their first argument.
SAME_VALUES = frozenset(
    {
        "sort",
        "sort_desc",
        "sort_by_label",
        "sort_by_label_desc",
        "label_replace",
        "label_join",
        "avg_over_time",
        "min_over_time",
        "max_over_time",
        "last_over_time",
        "first_over_time",
        "vector",
        "info",
    }
)
# Functions whose result has the unit of their argument but not its values.
SAME_UNIT = frozenset({"abs", "ceil", "floor", "clamp", "clamp_min", "clamp_max", "scalar"})
# Functions whose result says nothing about the values of their argument.
FIXED: Mapping[str, Interval] = {
    "absent": Interval(1, 1),
    "absent_over_time": Interval(1, 1),
    "present_over_time": Interval(1, 1),
    "changes": NOT_NEGATIVE,
    "resets": NOT_NEGATIVE,
    "count_over_time": NOT_NEGATIVE,
    "stddev_over_time": NOT_NEGATIVE,
    "stdvar_over_time": NOT_NEGATIVE,
    "mad_over_time": NOT_NEGATIVE,
    "histogram_count": NOT_NEGATIVE,
    "histogram_fraction": UNIT,
    "histogram_stddev": NOT_NEGATIVE,
    "histogram_stdvar": NOT_NEGATIVE,
    "hour": Interval(0, 23),
    "minute": Interval(0, 59),
    "month": Interval(1, 12),
    "day_of_week": Interval(0, 6),
    "day_of_month": Interval(1, 31),
    "day_of_year": Interval(1, 366),
    "days_in_month": Interval(28, 31),
    "pi": Interval(math.pi, math.pi),
    "time": NOT_NEGATIVE,
    "timestamp": NOT_NEGATIVE,
}
