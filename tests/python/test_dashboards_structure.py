"""The committed dashboards: what they are made of, whether Grafana's schema allows it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard_files import FOLDER, NAMES, ROOT, load, panel_titled, panels, variables
from dashboard_structure import problems
from grafana_schema import GrafanaSchema

GENERATOR = ROOT / "scripts/dashboards/generate.py"
Dashboard = dict[str, Any]

needs_sdk = pytest.mark.skipif(
    importlib.util.find_spec("grafana_foundation_sdk") is None,
    reason="no grafana-foundation-sdk (it needs Python 3.11)",
)


@pytest.fixture(scope="module")
def schema() -> GrafanaSchema:
    return GrafanaSchema()


@needs_sdk
def test_generating_anew_gives_the_committed_files(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(GENERATOR), "--check"], check=True)
    # And it would notice: the same generator for another folder.
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(GENERATOR.parent.parent)!r})
from dashboards import generate
generate.ROOT = Path({str(tmp_path)!r})
generate.FOLDER = generate.ROOT / "files"
sys.argv[1:] = sys.argv[2:]
sys.exit(generate.main())
"""

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, "-", *options],
            capture_output=True,
            text=True,
            check=False,
        )

    missing = run("--check")
    assert missing.returncode == 1
    assert "files/triton-dashboard.json is out of date" in missing.stdout
    written = run()
    assert written.returncode == 0, written.stderr
    for name in NAMES:
        made = tmp_path / f"files/{name}-dashboard.json"
        assert made.read_bytes() == (FOLDER / made.name).read_bytes()
    made.write_text(made.read_text().replace('"5s"', '"7s"'))
    changed = run("--check")
    assert changed.returncode == 1
    assert changed.stdout.count("out of date") == 1


def test_what_they_are_called() -> None:
    triton, inference = load("triton"), load("inference")
    assert (triton["uid"], triton["title"]) == (
        "triton-metrics",
        "Triton Inference Server Metrics",
    )
    assert (inference["uid"], inference["title"]) == ("inference-metrics", "Inference Metrics")
    for dashboard in (triton, inference):
        names = [each["name"] for each in dashboard["templating"]["list"]]
        assert names == ["datasource", "job", "instance", "model", "gpu"]


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_are_kept(name: str) -> None:
    assert problems(load(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_allows_it(name: str, schema: GrafanaSchema) -> None:
    assert schema.mistakes(load(name)) == []


def set_in(title: str, *path: str | int) -> Callable[[Dashboard, Any], None]:
    """Sets something inside the panel with that title."""

    def change(dashboard: Dashboard, value: Any) -> None:
        found: Any = panel_titled(dashboard, title)
        for step in path[:-1]:
            found = found[step]
        found[path[-1]] = value

    return change


def set_at(*path: str | int) -> Callable[[Dashboard, Any], None]:
    """Sets something outside the panels."""

    def change(dashboard: Dashboard, value: Any) -> None:
        found: Any = dashboard
        for step in path[:-1]:
            found = found[step]
        found[path[-1]] = value

    return change


OUTCOME = "Request rate by outcome"
Change = Callable[[Dashboard, Any], None]
SCHEMA_MUTANTS: dict[str, tuple[Change, Any, str]] = {
    "a width in words": (set_in(OUTCOME, "gridPos", "w"), "8", "gridPos/w"),
    "a number for refresh": (set_at("refresh"), 5, "refresh"),
    "an unknown kind of threshold": (
        set_in(OUTCOME, "fieldConfig", "defaults", "thresholds", "mode"),
        "absolut",
        "thresholds/mode",
    ),
    "a misspelt property of a panel": (set_in(OUTCOME, "descripton"), "", "descripton"),
    "a misspelt option": (set_in(OUTCOME, "options", "legends"), {}, "legends"),
    "an unknown legend": (
        set_in(OUTCOME, "options", "legend", "displayMode"),
        "grid",
        "legend/displayMode",
    ),
    "an unknown style of lines": (
        set_in(OUTCOME, "fieldConfig", "defaults", "custom", "drawStyle"),
        "dots",
        "drawStyle",
    ),
    "an option of another panel": (
        set_in("GPU utilization", "options", "graphMode"),
        "area",
        "graphMode",
    ),
    "a colour of no scheme": (
        set_in("Latency distribution", "options", "color", "mode"),
        "rainbow",
        "color/mode",
    ),
    "a heading to sort by that is none": (
        set_in("Models", "options", "sortBy", 0, "displayName"),
        None,
        "displayName",
    ),
    "a unit that is a number": (set_in("Models", "fieldConfig", "defaults", "unit"), 1, "unit"),
    "a legend under another name": (set_in(OUTCOME, "targets", 0, "legend"), "x", "legend"),
    "no expression": (set_in(OUTCOME, "targets", 0, "expr"), None, "expr"),
    "an unknown format": (set_in(OUTCOME, "targets", 0, "format"), "buckets", "format"),
    "an unknown type of panel": (set_in(OUTCOME, "type"), "graph", "graph"),
    "an unknown type of variable": (set_at("templating", "list", 1, "type"), "label", "type"),
    "a variable's property that is none": (
        set_at("templating", "list", 1, "all_value"),
        ".*",
        "all_value",
    ),
    "an annotation's property that is none": (
        set_at("annotations", "list", 1, "query"),
        "up",
        "query",
    ),
    "a row of another kind": (set_at("panels", 0, "collapsed"), "no", "collapsed"),
    "a dashboard's property that is none": (set_at("timePicker"), {}, "timePicker"),
}


@pytest.mark.parametrize("mutant", SCHEMA_MUTANTS)
def test_the_schema_refuses(mutant: str, schema: GrafanaSchema) -> None:
    change, value, where = SCHEMA_MUTANTS[mutant]
    dashboard = load("triton")
    change(dashboard, value)
    found = schema.mistakes(dashboard)
    print(found)
    assert len(found) == 1
    assert where in found[0]


def replaced(title: str, old: str, new: str) -> Callable[[Dashboard, Any], None]:
    """Changes the first expression of a panel."""

    def change(dashboard: Dashboard, _: Any) -> None:
        target = panel_titled(dashboard, title)["targets"][0]
        assert old in target["expr"]
        target["expr"] = target["expr"].replace(old, new)

    return change


RULE_MUTANTS: dict[str, tuple[Change, Any, str]] = {
    "editable": (set_at("editable"), True, "editable: got True, want False"),
    "an import form": (set_at("__inputs"), [], "__inputs"),
    "its own cursor for each panel": (set_at("graphTooltip"), 0, "graphTooltip"),
    "another refresh": (set_at("refresh"), "1s", "refresh"),
    "fewer refresh intervals": (set_at("timepicker", "refresh_intervals"), ["5s"], "intervals"),
    "another time": (set_at("time", "from"), "now-1h", "time"),
    "fewer ranges": (set_at("timepicker", "quick_ranges"), [], "quick ranges"),
    "an id twice": (set_in(OUTCOME, "id"), 202, "id 202: 2 times"),
    "a title twice": (set_in(OUTCOME, "title"), "Models", "title 'Models': 2 times"),
    "a refId twice": (set_in(OUTCOME, "targets", 1, "refId"), "A", "refId 'A': 2 times"),
    "no refId": (set_in(OUTCOME, "targets", 0, "refId"), "", "refId None"),
    "a panel that sticks out": (set_in("Alerts", "gridPos", "w"), 9, "Alerts: x 16 + w 9"),
    "a panel over another": (
        set_in(OUTCOME, "gridPos", "h"),
        9,
        f"{OUTCOME} overlaps Latency",
    ),
    "no description": (set_in(OUTCOME, "description"), "", "no description"),
    "another data source": (
        set_in(OUTCOME, "targets", 0, "datasource", "uid"),
        "prometheus",
        "data source",
    ),
    "an unknown variable": (replaced(OUTCOME, "$model", "$modle"), None, "$modle is not"),
    "a query of all jobs": (
        replaced(OUTCOME, 'job=~"$job", ', ""),
        None,
        "does not ask for $job",
    ),
    "a variable that nothing uses": (
        set_at("templating", "list", 4, "name"),
        "card",
        "variable card: no query uses it",
    ),
    "a variable with one value": (
        set_at("templating", "list", 1, "multi"),
        False,
        "variable job: want several values",
    ),
    "a variable that stays as it is": (
        set_at("templating", "list", 1, "refresh"),
        1,
        "variable job: want it read anew",
    ),
    "a fixed window": (replaced(OUTCOME, "$__rate_interval", "1m"), None, "window [1m]"),
    "no PromQL": (replaced(OUTCOME, "sum(", "sum(("), None, f"{OUTCOME} A: "),
    "microseconds shown as milliseconds": (
        replaced("Queue time by model", " / 1000", ""),
        None,
        "unit 'ms' for microseconds",
    ),
    "a ratio shown as percent": (
        replaced("GPU memory", " * 100", ""),
        None,
        "unit 'percent' for quotient",
    ),
    "percent shown as a ratio": (
        set_in("GPU memory", "fieldConfig", "defaults", "unit"),
        "percentunit",
        "unit 'percentunit' for percent",
    ),
    "a unit that Grafana does not know": (
        set_in("GPU utilization", "fieldConfig", "defaults", "unit"),
        "%",
        "unit '%' for ratio",
    ),
    "a column without its unit": (
        set_in("Models", "fieldConfig", "overrides"),
        [],
        "Models C: unit 'none' for milliseconds",
    ),
    "the rate of a gauge of bytes": (
        replaced("GPU memory", "nv_gpu_memory_used_bytes", "rate(nv_gpu_memory_used_bytes"),
        None,
        "GPU memory A: ",
    ),
    "a runbook of another alert": (
        set_in(OUTCOME, "links", 0, "title"),
        "Runbook: TritonDown",
        "leads to",
    ),
}


@pytest.mark.parametrize("mutant", RULE_MUTANTS)
def test_the_rules_refuse(mutant: str) -> None:
    change, value, message = RULE_MUTANTS[mutant]
    dashboard = load("triton")
    change(dashboard, value)
    found = problems(dashboard)
    assert any(message in each for each in found), found


def threshold_steps(panel: dict[str, Any]) -> list[tuple[float | None, str]]:
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [(step["value"], step["color"]) for step in steps]


@pytest.mark.parametrize(("name", "millisecond"), [("triton", 1.0), ("inference", 0.001)])
def test_the_lines_of_latency(name: str, millisecond: float) -> None:
    panel = panel_titled(load(name), "Latency P50, P95, P99")
    values = [value for value, _ in threshold_steps(panel)[1:]]
    assert values == [100 * millisecond, 500 * millisecond, 2000 * millisecond]
    assert panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"] == {"mode": "line"}


@pytest.mark.parametrize("name", NAMES)
def test_where_colours_change(name: str) -> None:
    dashboard = load(name)
    gauge = panel_titled(dashboard, "GPU utilization")
    assert gauge["type"] == "gauge"
    assert gauge["fieldConfig"]["defaults"]["unit"] == "percentunit"
    assert threshold_steps(gauge) == [(None, "green"), (0.5, "yellow"), (0.8, "red")]
    efficiency = panel_titled(dashboard, "Batching efficiency")
    assert threshold_steps(efficiency) == [(None, "red"), (50, "yellow"), (70, "green")]
    assert threshold_steps(panel_titled(dashboard, "Average batch size"))[1] == (2, "green")
    colours = {
        override["matcher"]["options"]: override["properties"][0]["value"]["fixedColor"]
        for override in panel_titled(dashboard, OUTCOME)["fieldConfig"]["overrides"]
    }
    assert (colours["success"], colours["failure"]) == ("green", "red")


@needs_sdk
def test_where_alerts_begin_is_where_they_do() -> None:
    rules = pytest.importorskip("inferometer.monitoring.objectives").Objectives()
    from dashboards.limits import OBJECTIVES

    for name, value in vars(OBJECTIVES).items():
        assert getattr(rules, name) == value, name


@pytest.mark.skipif(not (ROOT / "docs/runbooks").is_dir(), reason="no docs/runbooks yet")
@pytest.mark.parametrize("name", NAMES)
def test_runbooks_are_there(name: str) -> None:
    for panel in panels(load(name)):
        for link in panel["links"]:
            page = link["url"].rpartition("/")[2]
            assert (ROOT / "docs/runbooks" / page).exists(), link


@pytest.mark.parametrize("name", NAMES)
def test_annotations_and_alerts(name: str) -> None:
    dashboard = load(name)
    found = {each["name"]: each.get("expr", "") for each in dashboard["annotations"]["list"]}
    assert found["Firing alerts"].startswith("ALERTS{")
    assert "process_start_time_seconds" in found["Restarts"]
    assert [panel["title"] for panel in panels(dashboard) if panel["type"] == "alertlist"] == [
        "Alerts"
    ]
    assert {each["query"].split("(")[0] for each in variables(dashboard)} == {"label_values"}
