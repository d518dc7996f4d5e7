"""The report of a failing property test shows where two histories part."""

from __future__ import annotations

from dataclasses import replace

from batching_history import Arrival, Ending, Options
from batching_report import side_by_side
from batching_strategies import Scenario

SCENARIO = Scenario(Options(max_batch_size=2), (Arrival(0), Arrival(10, timeout=500)), 100)


def test_the_lines_that_differ_are_marked() -> None:
    expected = SCENARIO.expected()
    observed = replace(
        expected,
        requests=[expected.requests[0], Ending(1, "timeout", 510)],
        batches=expected.batches[:1],
    )
    assert side_by_side(SCENARIO, expected, observed).splitlines() == [
        "max_batch_size=2",
        "instances=1, cost=100 + 0 * rows",
        "  request               specification               observed",
        "  0 at=0                0: success at 100, batch 0  0: success at 100, batch 0",
        "! 1 at=10, timeout=500  1: success at 200, batch 1  1: timeout at 510",
        "  batch  specification                       observed",
        "  0      0 to 100 on 0, idle, 1 rows of 0    0 to 100 on 0, idle, 1 rows of 0",
        "! 1      100 to 200 on 0, idle, 1 rows of 1",
    ]


def test_what_is_left_over_is_shown() -> None:
    expected = SCENARIO.expected()
    observed = replace(expected, requests=[*expected.requests, expected.requests[0]])
    marked = [
        line.split()
        for line in side_by_side(SCENARIO, expected, observed).splitlines()
        if line.startswith("!")
    ]
    assert marked == [["!", "0:", "success", "at", "100,", "batch", "0"]]
