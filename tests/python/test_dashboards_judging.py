"""How answers to a dashboard's queries are judged, and what units its expressions have."""

from __future__ import annotations

import pytest

from dashboard_queries import Series, complaints, expected, filled, label_values, several
from promql_units import unit_of


def test_what_is_complained_about() -> None:
    def series(*values: float) -> list[Series]:
        return [Series("a", {}, values)]

    want = expected(1, 2, "a")
    assert complaints(series(1, float("nan"), 2), want) == []
    assert complaints([], want) == ["no series"]
    assert complaints(series(float("nan")), want) == ["a: nothing but NaN"]
    assert complaints(series(1, 3), want) == ["values from 1 to 3, want 1 to 2"]
    assert complaints([*series(1), *series(1)], want) == ["series ['a', 'a'], want ['a']"]
    assert complaints(series(0, 0), expected(0, 1, "a")) == ["nothing but 0"]
    assert complaints(series(0, 0), expected(0, 1, "a", idle=True)) == []


def test_variables_are_filled_in() -> None:
    assert (
        filled(
            'x{a=~"$a", b="${b}"}[$__rate_interval]',
            {"a": "1", "b": "2"} | {"__rate_interval": "1m"},
        )
        == 'x{a=~"1", b="2"}[1m]'
    )
    with pytest.raises(KeyError):
        filled("$c", {})
    with pytest.raises(ValueError, match="want label_values"):
        label_values(None, "query_result(up)", {})  # type: ignore[arg-type]


def test_chosen_values_are_escaped_for_a_string() -> None:
    assert several(["127.0.0.1:8002", "a|b"]) == r"(127\\.0\\.0\\.1:8002|a\\|b)"


@pytest.mark.parametrize(
    ("expr", "unit"),
    [
        ("a_bytes / b_bytes", "quotient"),
        ("a_bytes", "bytes"),
        ("rate(a_total[1m])", "count/second"),
        ("rate(a_seconds_total[1m])", "ratio"),
        ("rate(a_seconds_sum[1m]) / (rate(a_seconds_count[1m]) > 0)", "seconds"),
        ("rate(a_us[1m]) / rate(b[1m])", "microseconds"),
        ("histogram_quantile(0.9, sum by (le) (rate(a_us_bucket[1m]))) / 1000", "milliseconds"),
        ("histogram_quantile(0.9, sum by (le) (rate(a_seconds_bucket[1m])))", "seconds"),
        ("(1 - a / b) * 100", "percent"),
        ("increase(a_us_bucket[1m])", "count"),
        ("changes(a_seconds[1m])", "count"),
    ],
)
def test_the_unit_of(expr: str, unit: str) -> None:
    assert unit_of(expr) == unit


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        ("rate(a_bytes[1m])", r"rate\(\) of bytes"),
        ("a_seconds / b_bytes", "seconds / bytes"),
        ("a_seconds * 1000", r"seconds \* 1000"),
        ("1 - a_bytes", "1 - bytes"),
        ("a + b", r"no unit for \+"),
        ("abs(a)", r"no unit for abs\(\)"),
        ("-a", "no unit for UnaryExpr"),
        ("a{", "."),
    ],
)
def test_there_is_no_unit_of(expr: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unit_of(expr)
