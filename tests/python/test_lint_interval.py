"""Interval arithmetic is sound: what an expression computes lies within its interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.monitoring.lint.evaluation import Evaluation
from inferometer.monitoring.lint.interval import Interval, float_power, verdict
from inferometer.monitoring.lint.knowledge import Knowledge
from inferometer.monitoring.lint.parsing import parse
from inferometer.monitoring.lint.report import Findings, Report
from inferometer.monitoring.lint.samples import SampleInfo
from inferometer.monitoring.lint.settings import Settings

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: float(f"{x:.6g}") + 0.0)


@dataclass(frozen=True)
class Sum:
    """An expression as text, and its value where the metric ``x`` has the value ``x``.

    Intervals take every zero for a positive one: ``+ 0.0`` makes it so.
    """

    text: str
    value: Callable[[float], float]


def divided(a: float, b: float) -> float:
    if b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
    return a / b


def remainder(a: float, b: float) -> float:
    return math.nan if b == 0 or math.isinf(a) or math.isnan(a + b) else math.fmod(a, b)


BINARY: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": divided,
    "%": remainder,
    "^": float_power,
    "atan2": math.atan2,
}


def finite_or_same(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: float(function(x)) if math.isfinite(x) else x


def logarithm(x: float) -> float:
    if x < 0 or math.isnan(x):
        return math.nan
    return -math.inf if x == 0 else math.log(x) if math.isfinite(x) else x


def exponential(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def clamped(x: float, low: float, high: float) -> float:
    return x if math.isnan(x) else max(low, min(high, x))


UNARY: dict[str, Callable[[float], float]] = {
    "-({})": lambda x: -x,
    "abs({})": abs,
    "ceil({})": finite_or_same(math.ceil),
    "floor({})": finite_or_same(math.floor),
    "round({}, 0.5)": finite_or_same(lambda x: math.floor(x / 0.5 + 0.5) * 0.5),
    "round({})": finite_or_same(lambda x: math.floor(x + 0.5)),
    "sqrt({})": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "ln({})": logarithm,
    "exp({})": exponential,
    "sgn({})": lambda x: math.nan if math.isnan(x) else float((x > 0) - (x < 0)),
    "clamp({}, -2, 3)": lambda x: clamped(x, -2.0, 3.0),
    "clamp_min({}, 0.5)": lambda x: clamped(x, 0.5, math.inf),
    "clamp_max({}, 7)": lambda x: clamped(x, -math.inf, 7.0),
    "max by (job) ({})": lambda x: x,
    "sum by (job) ({})": lambda x: x,
    "avg_over_time(({})[5m:])": lambda x: x,
}


def nest(inner: st.SearchStrategy[Sum]) -> st.SearchStrategy[Sum]:
    def join(op: str, a: Sum, b: Sum) -> Sum:
        function = BINARY[op]
        return Sum(f"({a.text}) {op} ({b.text})", lambda x: function(a.value(x), b.value(x)) + 0.0)

    def wrap(form: str, a: Sum) -> Sum:
        return Sum(form.format(a.text), lambda x: UNARY[form](a.value(x)) + 0.0)

    return st.builds(join, st.sampled_from(sorted(BINARY)), inner, inner) | st.builds(
        wrap, st.sampled_from(sorted(UNARY)), inner
    )


METRIC = Sum("x", lambda x: x)
EXPRESSIONS = st.recursive(
    st.just(METRIC) | st.builds(lambda n: Sum(f"vector({n!r})", lambda _: n), NUMBERS),
    nest,
    max_leaves=6,
)


def interval_of(text: str, of_x: Interval) -> Interval:
    x = SampleInfo("x", "x", "gauge", of_x, None, frozenset())
    knowledge = Knowledge(Settings(metrics={"x": x}))
    return Evaluation(knowledge, Report(Findings(), "")).value(parse(text)).interval


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS, NUMBERS, NUMBERS, st.floats(0, 1))
def test_values_lie_within(expression: Sum, a: float, b: float, share: float) -> None:
    low, high = min(a, b), max(a, b)
    x = min(high, max(low, low + (high - low) * share))
    value = expression.value(x)
    found = interval_of(expression.text, Interval(low, high))
    # Prometheus' rounding and Python's may differ in the last digits.
    slack = 1e-9 * max(1.0, abs(value)) if math.isfinite(value) else 0.0
    assert math.isnan(value) or found.low - slack <= value <= found.high + slack, found


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
def test_a_verdict_holds_for_every_value(a: float, b: float, limit: float, op: str) -> None:
    low, high = min(a, b), max(a, b)
    compare = {
        "<": float.__lt__,
        "<=": float.__le__,
        ">": float.__gt__,
        ">=": float.__ge__,
        "==": float.__eq__,
        "!=": float.__ne__,
    }[op]
    said = verdict(Interval(low, high), op, Interval(limit, limit))
    outcomes = {compare(low, limit), compare(high, limit)}
    if low <= limit <= high and low != high and op in ("==", "!="):
        outcomes |= {True, False}
    assert said == (outcomes.pop() if len(outcomes) == 1 else None)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("nv_gpu_utilization * 100", 0, 100),
        ("1 - avg_over_time(nv_gpu_utilization[5m])", 0, 1),
        ("sum(nv_gpu_utilization)", 0, math.inf),
        ("100 - 100 * max by (instance) (up)", 0, 100),
        ("histogram_quantile(0.5, rate(inference_latency_seconds_bucket[5m])) * 1000", 0, 60_000),
        ("nv_gpu_memory_used_bytes / nv_gpu_memory_total_bytes * 100", 0, 100),
        ('sum(rate(inference_requests_total{status=~"f.*"}[5m])) / '
         'sum(rate(inference_requests_total{status!="success"}[5m]))', 0, 1),
        ('sum(rate(inference_requests_total{status!="success"}[5m])) / '
         'sum(rate(inference_requests_total{status="failure"}[5m]))', 1, math.inf),
        ('sum(rate(inference_requests_total{status="success"}[5m])) / '
         'sum(rate(inference_requests_total{status="failure"}[5m]))', 0, math.inf),
        ("nv_gpu_memory_total_bytes / nv_gpu_memory_used_bytes", 1, math.inf),
        ("sum(up == 0)", 0, 0),
        ("count(up == 0) / count(up)", 0, math.inf),
        ("(nv_gpu_utilization > 0.9) * 100", 90, 100),
        ('rate(inference_latency_seconds_bucket{le="2.0"}[5m]) / ignoring(le) '
         "rate(inference_latency_seconds_count[5m])", 0, 1),
    ],
)  # fmt: skip
def test_ranges_of_the_catalogue_are_carried_along(text: str, low: float, high: float) -> None:
    value = Evaluation(Knowledge(Settings()), Report(Findings(), "")).value(parse(text))
    assert value.interval == Interval(low, high)
