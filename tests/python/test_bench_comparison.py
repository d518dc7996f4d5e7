"""What benches make of their values: rounds, ratios, verdicts, the table."""

from __future__ import annotations

import json
import random

import pytest
from comparison.rows import ChangeRow, Row
from comparison.samples import (
    Collected,
    emit,
    emit_absent,
    interleaved,
    median_and_quartiles,
    ratios,
)
from comparison.table import change_of, markdown, result_of


def collected(ours: list[float], peers: list[float] | None = None) -> Collected:
    values = Collected()
    values.add("speed", "us", ours)
    if peers is not None:
        values.add("speed", "them", peers)
    return values


def test_every_round_has_every_turn_in_an_order_drawn_anew() -> None:
    seen: list[str] = []

    def turn(who: str) -> float:
        seen.append(who)
        return float(len(seen))

    names = "abcd"
    values = interleaved({who: lambda who=who: turn(who) for who in names}, 20, random.Random(1))  # type: ignore[misc]
    orders = ["".join(seen[i : i + 4]) for i in range(0, 80, 4)]
    assert all(sorted(order) == list(names) for order in orders)
    assert len(set(orders)) > 5
    for who in names:  # by round, whatever the order within it
        assert [int(value - 1) // 4 for value in values[who]] == list(range(20))


def test_ratios_are_those_of_the_rounds() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]
    assert ratios([2.0, 9.0, 4.0], [1.0, 3.0]) == [2.0]  # other rounds: of the medians
    assert ratios([], [1.0]) == []


def test_a_spread_is_the_median_between_its_quartiles() -> None:
    assert median_and_quartiles([5.0, 1.0, 4.0, 2.0, 3.0]) == (3.0, 2.0, 4.0)
    assert median_and_quartiles([7.0]) == (7.0, 7.0, 7.0)


@pytest.mark.parametrize(
    ("row", "ours", "peers", "want"),
    [
        (Row("w", "ns", "speed", "us", reach=4), [3, 4, 9], None, "yes"),
        (Row("w", "ns", "speed", "us", reach=4), [3, 4.1, 4.2], None, "NO"),
        (Row("w", "/s", "speed", "us", reach=4, larger_is_better=True), [1, 4, 5], None, "yes"),
        (Row("w", "/s", "speed", "us", reach=4, larger_is_better=True), [1, 3, 9], None, "NO"),
        (Row("w", "ns", "speed", "us", "", "them", times=2), [1, 1, 1], [3, 2, 1], "yes"),
        (Row("w", "ns", "speed", "us", "", "them", times=2), [1, 1, 1], [3, 1, 1], "NO"),
        (
            Row("w", "/s", "speed", "us", "", "them", times=2, larger_is_better=True),
            [3, 2, 1],
            [1, 1, 1],
            "yes",
        ),
        (Row("w", "ns", "speed", "us", "", "them", 0.5, times=2), [1, 1, 1], [3, 2, 3], "NO"),
        (Row("w", "ns", "speed", "us", "", "them", times=2), [1, 1, 1], None, "no peer"),
        (Row("w", "ns", "speed", "us"), [1], None, ""),
    ],
)
def test_medians_decide_what_was_reached(
    row: Row, ours: list[float], peers: list[float] | None, want: str
) -> None:
    assert result_of(row, collected(ours, peers)).reached == want


def test_values_are_scaled_and_ratios_are_not() -> None:
    row = Row("w", "µs", "speed", "us", "", "them", reach=2.5, scale=1e6)
    result = result_of(row, collected([2e-6, 2e-6, 4e-6], [4e-6, 6e-6, 4e-6]))
    assert result.ours == pytest.approx((2, 2, 3))
    assert result.better == pytest.approx((2, 1.5, 2.5))
    assert result.reach == "≤ 2.5 µs" and result.reached == "yes"


def test_what_was_not_measured_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    emit_absent("speed", "us", "not there yet")
    emit("speed", "them", [1.0])
    values = Collected()
    for line in capsys.readouterr().out.splitlines():
        values.add_line(line)
    row = Row("w", "/s", "speed", "us", "", "them", 150_000, larger_is_better=True)
    result = result_of(row, values)
    assert (result.reached, result.reach) == ("not there yet", "≥ 150,000 /s")
    assert result.ours is None and result.peer is None
    assert result_of(Row("w", "ns", "other", "us"), values).reached == "not measured"


def test_an_interval_across_the_reach_decides_nothing() -> None:
    def change(values: list[float]) -> str:
        both = Collected()
        both.add("p99", "with", values)
        both.add("p99", "without", [1.0] * len(values))
        row = ChangeRow("w", ("p99", "with"), ("p99", "without"), 5)
        result = change_of(row, both)
        assert result.reach == "≤ 5 %"
        return result.reached

    assert change([1.01] * 9) == "yes"
    assert change([1.10] * 9) == "NO"
    assert change([1.0, 1.1] * 5) == "undecided"


def test_a_table_has_the_columns_that_are_used() -> None:
    rows = [Row("fast", "ns", "speed", "us", reach=4), Row("slow", "ns", "none", "us")]
    results = [result_of(row, collected([3.0, 3.0, 3.0])) for row in rows]
    assert markdown("title", results).splitlines() == [
        "| title | ours    | reach  | reached      |",
        "|-------|---------|--------|--------------|",
        "| fast  | 3.00 ns | ≤ 4 ns | yes          |",
        "| slow  |         |        | not measured |",
    ]
    json.dumps([result.cells() for result in results])
