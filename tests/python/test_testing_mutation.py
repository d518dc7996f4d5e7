"""Mutants of rules: which there are, and whether tests notice them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from inferometer.testing import LabError
from inferometer.testing.mutation import mutants_of
from inferometer.testing.mutation_run import read_survivors, run
from inferometer.testing.rule_files import Rule
from lab_rules import between, gauge, lab


def rule(query: str) -> Rule:
    return Rule("A", True, query, 0.0, {}, {}, "g", None, Path("r.yml"), (0, 0, 0))


def queries(query: str) -> list[tuple[str, str]]:
    """Kind and expression of all mutants, which are queries all."""
    mutants = mutants_of(rule(query))
    for mutant in mutants:
        promql_parser.parse(mutant.query)
    return [(mutant.kind, mutant.query.replace("{}", "")) for mutant in mutants]


def test_thresholds_and_comparisons() -> None:
    assert queries("a > 2") == [("comparison flipped", "a < 2"), ("threshold x 10", "a > 20")]
    assert queries("0.05 < a") == [
        ("comparison flipped", "0.05 > a"),
        ("threshold x 10", "0.5 < a"),
    ]
    assert queries("a == 0") == [("comparison flipped", "a != 0"), ("threshold x 10", "a == 10")]
    assert queries("a >= bool -1") == [
        ("comparison flipped", "a <= bool -1"),
        ("threshold x 10", "a >= bool -10"),
    ]
    assert queries("a > on (x) b") == [("comparison flipped", "a < on (x) b")]


def test_rates() -> None:
    assert queries('rate(a{b="c"}[5m])') == [("rate removed", 'a{b="c"}')]
    assert queries("increase(a[5m]) / b") == [("rate removed", "a / b")]
    assert queries("avg_over_time(a[5m])") == []


def test_labels() -> None:
    assert queries("sum by (job, le) (a)") == [
        ("by label dropped", "sum by (le)(a)"),
        ("by label dropped", "sum by (job)(a)"),
    ]
    assert queries("topk by (job) (3, a)") == [("by label dropped", "topk by ()(3, a)")]
    assert queries("sum without (job) (a)") == []
    assert queries("sum(a)") == []


def test_each_place_is_changed_by_itself() -> None:
    found = queries("sum by (m) (rate(a[5m])) / sum by (m) (rate(a[5m])) > 0.1")
    assert len(found) == len(set(found)) == 6
    assert ("rate removed", "sum by (m)(a) / sum by (m)(rate(a[5m])) > 0.1") in found
    assert ("rate removed", "sum by (m)(rate(a[5m])) / sum by (m)(a) > 0.1") in found


def test_titles_are_unique_and_short() -> None:
    query = "sum by (m) (rate(a[5m])) / sum by (m) (rate(a[5m])) > 0.1 and sum by (m) (b) > 0.1"
    titles = [mutant.title for mutant in mutants_of(rule(query))]
    assert len(set(titles)) == len(titles) == 9
    assert titles[0] == "rate removed, 1: rate(a[5m])"
    assert max(map(len, titles)) < 150


def test_what_cannot_be_written_has_none() -> None:
    # promql-parser leaves the colon of a subquery without a step out.
    assert mutants_of(rule("max_over_time(rate(a[1m])[1h:]) > 2")) == []


LOAD = "groups: [{name: g, interval: 15s, rules: [{alert: A, expr: load > 10}]}]"


def watched(folder: Path, value: Callable[[float], object], check: str) -> Any:
    made = lab(folder, gauge("load", value), rules=LOAD)
    made.run("5m")
    getattr(made, check)("A")
    return made


def test_a_test_that_notices(tmp_path: Path) -> None:
    made = watched(tmp_path, between(60, 120, 20, 5), "assert_fires")
    report = run([("test_a", made)], {})
    assert [(mutant.kind, test) for mutant, test in report.killed] == [
        ("threshold x 10", "test_a"),
    ]
    assert [mutant.title for mutant in report.survived] == [
        "comparison flipped, 1: > to < in load > 10"
    ]
    assert not report.passed
    assert "  survived: A: comparison flipped, 1: > to < in load > 10" in report.text()


def test_several_tests_notice_together(tmp_path: Path) -> None:
    fires = watched(tmp_path, lambda now: 20, "assert_fires")
    never = watched(tmp_path, lambda now: 5, "assert_never")
    report = run([("fires", fires), ("never", never)], {})
    assert report.passed
    assert report.text().startswith("2 mutants: 2 killed, 0 listed with a reason, 0 survived")


def test_a_change_of_nothing_is_not_noticed(tmp_path: Path) -> None:
    made = watched(tmp_path, lambda now: 20, "assert_fires")
    (only,) = made.rules.alerts
    same = made.engine.with_rules(made.rules.with_query(only, "load > 10.0"))
    assert all(one.failure(same.timeline()) is None for one in made.expectations)


def test_which_alerts_fire_counts_too(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("load", lambda now: 20), rules=LOAD)
    made.run("5m")
    made.assert_only({"A"})
    assert run([("only", made)], {}).passed


def test_recording_rules_have_mutants(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("load", between(60, 240, 20, 5)))
    made.run("5m")
    made.assert_fires("LoadHigh")
    report = run([("test", made)], {})
    fate = {mutant.title: "killed" for mutant, _ in report.killed}
    fate |= {mutant.title: "survived" for mutant in report.survived}
    # An alert without labels fires too; nobody asked for its labels.
    assert fate["by label dropped, 1: job of max by (job)(load)"] == "survived"
    made.assert_fires("LoadHigh", labels={"job": "triton"})
    titles = [mutant.title for mutant, _ in run([("test", made)], {}).killed]
    assert "by label dropped, 1: job of max by (job)(load)" in titles


def test_listed_survivors(tmp_path: Path) -> None:
    made = watched(tmp_path, between(60, 120, 20, 5), "assert_fires")
    path = tmp_path / "survivors.yml"
    path.write_text("""
- rule: A
  mutant: "comparison flipped, 1: > to < in load > 10"
  reason: the load is never low for long
""")
    report = run([("test_a", made)], read_survivors(path))
    assert report.passed
    assert [reason for _, reason in report.accepted] == ["the load is never low for long"]
    stale = {("A", "threshold x 10, 1: 10 to 100 in load > 10"): "x", ("A", "gone"): "y"}
    report = run([("test_a", made)], {**read_survivors(path), **stale})
    assert not report.passed
    assert "  listed, but killed or gone: A: gone" in report.text()
    assert len(report.stale) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "alerts_survivors: got .*, want a list in YAML"),
        ("- {rule: A, mutant: x}", "alerts_survivors: got .*, want rule, mutant and reason"),
        ("just text", "alerts_survivors: got 'just text', want rule, mutant and reason"),
    ],
)
def test_wrong_lists(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "survivors.yml"
    path.write_text(text)
    with pytest.raises(LabError, match=f"(?s){message}"):
        read_survivors(path)
