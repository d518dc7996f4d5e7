"""Reading dashboards, and putting values into their queries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import inferometer as im
from dashboard_json import dashboard, panel, variable
from inferometer.asgi.dashboard.document import read_dashboard, read_dashboards
from inferometer.asgi.dashboard.interpolation import Interpolation, check_references
from inferometer.asgi.dashboard.source import SourceError
from inferometer.asgi.dashboard.time_range import TimeRange, parse_duration, show_duration


def broken(**changes: Any) -> dict[str, Any]:
    return dashboard([{**panel(1, "stat", "up"), **changes}])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the document: got [], want an object"),
        ({"panels": []}, "title of the dashboard: got None, want a string"),
        ({"title": "x", "panels": {}}, None),
        ({"title": "x", "panels": [1]}, "panels of the dashboard: got [1], want a list of objects"),
        (broken(id="1"), "id of the panel 'Panel 1': got '1', want an integer"),
        (broken(gridPos={"x": 0}), "gridPos of panel 1: got {'x': 0}, want integers x, y, w and h"),
        (broken(gridPos=None), "gridPos of panel 1: got None"),
        (broken(type=None), "type of panel 1: got None, want a string"),
        (broken(targets=[{"expr": "up"}]), "refId of panel 1: got None, want a string"),
        (broken(targets=[{"refId": "A"}]), "expr of panel 1: got None, want a string"),
        (
            broken(targets=[{"refId": "A", "expr": "up"}] * 2),
            "refIds of panel 1: got ['A', 'A'], want different ones",
        ),
        (dashboard([panel(1), panel(1)]), "ids of panels: got 1, want each once"),
        (
            dashboard([], [{"name": "x", "type": "adhoc"}]),
            "type of variable x: got 'adhoc', want query or custom",
        ),
    ],
)
def test_broken_dashboards_are_refused(document: Any, message: str | None) -> None:
    if message is None:
        assert read_dashboard(document).panels == {}
        return
    with pytest.raises(im.ConfigError) as caught:
        read_dashboard(document)
    assert message in str(caught.value)


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(im.ConfigError, match=r"mine\.json"):
        read_dashboard(path)
    with pytest.raises(im.ConfigError, match=r"none\.json"):
        read_dashboard(tmp_path / "none.json")


def test_dashboards_have_different_uids() -> None:
    one = dashboard([panel(1)])
    with pytest.raises(im.ConfigError, match="got the uid 'test' twice"):
        read_dashboards([one, one])
    with pytest.raises(im.ConfigError, match="got none, want at least one"):
        read_dashboards([])


def test_panels_of_folded_rows_are_read() -> None:
    row = {**panel(1, "row"), "collapsed": True, "panels": [panel(2, "stat", "up")]}
    assert list(read_dashboard(dashboard([row, panel(3)])).panels) == [1, 2, 3]


def test_links_that_a_page_may_show() -> None:
    urls = ["https://a.example/x", "/docs", "#x", "javascript:alert(1)", "//evil.example", "data:x"]
    links = [{"title": url, "url": url} for url in urls]
    read = read_dashboard(dashboard([panel(1, links=links)], links=links))
    shown = [link["url"] for link in read.panels[1].json["links"]]
    assert shown == [link["url"] for link in read.json["links"]] == urls[:3]


def test_what_the_browser_gets_has_no_queries() -> None:
    read = read_dashboard(
        dashboard([panel(1, "stat", 'x{model="$model"}', datasource={"uid": "s"})])
    )
    shown = read.panels[1].json
    assert "datasource" not in shown and "expr" not in json.dumps(shown)
    assert shown["variables"] == ["model"]


@pytest.mark.parametrize(
    ("query", "is_quoted"),
    [
        ('x{a="$v"}', True),
        ('x{a=~"(${v:regex})|y"}', True),
        ('x{a="\\"$v"}', True),
        ("topk($v, x)", False),
        ('x{a="b"} > $v', False),
        ("x{a='$v'}", False),
        ("x{a=`$v`}", False),
        ('x{a="b\\\\"} + $v', False),
    ],
)
def test_chosen_values_stand_inside_of_double_quotes(query: str, is_quoted: bool) -> None:
    read = read_dashboard(dashboard([panel(1, "stat", query)], [variable("v", "label_values(v)")]))
    if is_quoted:
        check_references(read)
        return
    with pytest.raises(im.ConfigError, match="outside of double quotes"):
        check_references(read)


def filled(query: str, choices: dict[str, list[str]], **settings: Any) -> str:
    variables = [
        variable("model", "label_values(x, model)", **settings),
        {"name": "kind", "type": "custom", "query": "a,b", "multi": True, "includeAll": True},
        {"name": "window", "type": "custom", "query": "1m, 5m"},
        {"name": "source", "type": "datasource", "query": "prometheus"},
    ]
    read = read_dashboard(dashboard([], variables))
    intervals = TimeRange(0, 900, 90, 15.0).intervals()
    return Interpolation(read, choices, intervals, {"model": ["p", "q"]}).into(query)


@pytest.mark.parametrize(
    ("query", "choices", "settings", "want"),
    [
        ('x{m=~"$model"}', {}, {}, 'x{m=~".+"}'),
        ('x{m=~"${model}"}', {"model": ["$__all"]}, {}, 'x{m=~".+"}'),
        ('x{m=~"[[model]]"}', {"model": ["a"]}, {}, 'x{m=~"a"}'),
        ('x{m=~"${model:regex}"}', {"model": ["a", "b.c"]}, {}, 'x{m=~"(a|b\\\\.c)"}'),
        ('x{m=~"$model"}', {}, {"allValue": None}, 'x{m=~"(p|q)"}'),
        ('x{m="$model"}', {"model": ['"} or y{"']}, {"multi": False, "includeAll": False},
         'x{m="\\"} or y{\\""}'),
        ('x{m=~"$model"}', {"model": ['a"} or {b!="']}, {}, 'x{m=~"a\\"\\\\} or \\\\{b!=\\""}'),
        ('x{m=~"$model"}', {"model": ["a|b\\"]}, {}, 'x{m=~"a\\\\|b\\\\\\\\"}'),
        ("rate(x[$window])", {}, {}, "rate(x[1m])"),
        ("rate(x[$window])", {"window": ["5m"]}, {}, "rate(x[5m])"),
        ('x{q=~"$kind"}', {}, {}, 'x{q=~"a"}'),
        ('x{q=~"$kind"}', {"kind": ["a", "b"]}, {}, 'x{q=~"a|b"}'),
        ('x{q=~"$kind"}', {"kind": ["$__all"]}, {}, 'x{q=~"(a|b)"}'),
        ("rate(x[$__rate_interval])", {}, {}, "rate(x[1m])"),
        ("x[$__interval] + $__range_s", {}, {}, "x[15s] + 900"),
    ],
)  # fmt: skip
def test_values_in_queries(
    query: str, choices: dict[str, list[str]], settings: dict[str, Any], want: str
) -> None:
    assert filled(query, choices, **settings) == want


@pytest.mark.parametrize(
    ("query", "choices", "message"),
    [
        ("x[$window]", {"window": ["1m]) or y[1m"]}, "want one of 1m, 5m"),
        ("x + $unknown", {}, r"no variable \$unknown"),
        ("x + $source", {}, r"no variable \$source"),
    ],
)
def test_values_that_there_are_not(query: str, choices: dict[str, list[str]], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        filled(query, choices)


def test_steps_are_multiples_so_that_a_range_that_moves_asks_for_the_same_moments() -> None:
    one, other = TimeRange(1000.3, 1900.3, 90, 1.0), TimeRange(1004.1, 1904.1, 90, 1.0)
    assert one.step() == 10
    assert list(one.steps()) == list(other.steps())
    assert len(one.steps()) <= 91
    assert TimeRange(0, 900, 90, 60.0).step() == 60  # no finer than samples are
    assert TimeRange(0, 900, 90, 1.0).step(30) == 30


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "250ms"), (15, "15s"), (60, "1m"), (90, "90s"), (7200, "2h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert show_duration(seconds) == text
    assert parse_duration(text) == seconds
    assert parse_duration("soon") is None
