"""Rules that every committed dashboard keeps, each with a message that says where it does not.

They are the rules of Grafana's dashboard-linter, and those that keep the file readable by other
programs than Grafana.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from dashboard_files import expressions, panels, variables
from promql_units import GRAFANA, unit_of

GRID_WIDTH = 24
WINDOW = "$__rate_interval"
DATASOURCE = "${datasource}"
# A value for each variable that Grafana itself has.
BUILT_IN = {"__rate_interval"}
REFRESH = ["5s", "10s", "30s", "1m"]
RANGES = ["now-15m", "now-1h", "now-6h"]
TYPES = {"alertlist", "gauge", "heatmap", "stat", "table", "timeseries"}


def problems(dashboard: dict[str, Any]) -> list[str]:
    """What is wrong with a dashboard."""
    checks = (_frame, _unique, _grid, _described, _sources, _variables, _windows, _units, _links)
    return [found for check in checks for found in check(dashboard)]


def _frame(dashboard: dict[str, Any]) -> Iterator[str]:
    picker = dashboard["timepicker"]
    expected = {
        "editable": (dashboard.get("editable"), False),
        "id": (dashboard.get("id"), None),
        "__inputs": (dashboard.get("__inputs"), None),
        "graphTooltip": (dashboard.get("graphTooltip"), 1),
        "refresh": (dashboard.get("refresh"), REFRESH[0]),
        "refresh intervals": (picker["refresh_intervals"], REFRESH),
        "time": (dashboard["time"], {"from": RANGES[0], "to": "now"}),
        "quick ranges": ([each["from"] for each in picker["quick_ranges"]], RANGES),
    }
    for name, (got, wanted) in expected.items():
        if got != wanted:
            yield f"{name}: got {got!r}, want {wanted!r}"


def _unique(dashboard: dict[str, Any]) -> Iterator[str]:
    yield from _repeated("id", (panel.get("id") for panel in dashboard["panels"]))
    yield from _repeated("title", (panel.get("title") for panel in panels(dashboard)))
    for panel in panels(dashboard):
        refs = [target.get("refId") or None for target in panel.get("targets", [])]
        yield from _repeated(f"{panel['title']}: refId", refs)


def _repeated(what: str, values: Iterable[object]) -> Iterator[str]:
    for value, number in Counter(values).items():
        if number > 1 or value is None:
            yield f"{what} {value!r}: {number} times, want each once"


def _grid(dashboard: dict[str, Any]) -> Iterator[str]:
    places = [(panel["title"], panel["gridPos"]) for panel in dashboard["panels"]]
    for title, at in places:
        if at["x"] < 0 or at["x"] + at["w"] > GRID_WIDTH:
            yield f"{title}: x {at['x']} + w {at['w']} sticks out of {GRID_WIDTH} columns"
    for (one, a), (other, b) in itertools.combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        apart = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        if not (beside or apart):
            yield f"{one} overlaps {other}"


def _described(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in panels(dashboard):
        if not panel.get("title"):
            yield f"panel {panel['id']}: no title"
        if not panel.get("description", "").endswith("."):
            yield f"{panel['title']}: no description that ends as a sentence does"
        if panel["type"] not in TYPES:
            yield f"{panel['title']}: type {panel['type']!r}, want one of {sorted(TYPES)}"


def _sources(dashboard: dict[str, Any]) -> Iterator[str]:
    (source,) = variables(dashboard, "datasource")
    if (source["name"], source["query"]) != ("datasource", "prometheus"):
        yield f"data source variable: got {source['name']!r} of {source['query']!r}"
    asked = [
        *((panel["title"], panel) for panel in panels(dashboard)),
        *((p["title"], target) for p in panels(dashboard) for target in p.get("targets", [])),
        *((each["name"], each) for each in variables(dashboard)),
        *((a["name"], a) for a in dashboard["annotations"]["list"] if not a["builtIn"]),
    ]
    for where, each in asked:
        if each.get("datasource") != {"type": "prometheus", "uid": DATASOURCE}:
            yield f"{where}: data source {each.get('datasource')!r}, want {DATASOURCE}"


def _variables(dashboard: dict[str, Any]) -> Iterator[str]:
    defined = {each["name"] for each in variables(dashboard)}
    used: set[str] = set()
    for where, expr in expressions(dashboard):
        names = set(re.findall(r"\$\{?(\w+)", expr))
        used |= names
        for name in sorted(names - defined - BUILT_IN):
            yield f"{where}: ${name} is not a variable"
        if '{alertstate="firing"' in expr:
            continue  # alerts on a whole job have no instance
        for selector in re.findall(r"\{([^}]*)\}", expr):
            for name in ("job", "instance"):
                if f'{name}=~"${name}"' not in selector:
                    yield f"{where}: {{{selector}}} does not ask for ${name}"
    for each in variables(dashboard):
        name = each["name"]
        if name not in used:
            yield f"variable {name}: no query uses it"
        if (each.get("multi"), each.get("includeAll"), each.get("allValue")) != (True, True, ".+"):
            yield f"variable {name}: want several values, and All as .+"
        if each.get("refresh") != 2:
            yield f"variable {name}: want it read anew when the time range changes"


def _windows(dashboard: dict[str, Any]) -> Iterator[str]:
    for where, expr in expressions(dashboard):
        for window in re.findall(r"\[(.*?)\]", expr):
            if window != WINDOW:
                yield f"{where}: window [{window}], want [{WINDOW}]"


def _units(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            where = f"{panel['title']} {target['refId']}"
            try:
                found = unit_of(target["expr"].replace(WINDOW, "1m"))
            except ValueError as error:
                yield f"{where}: {error}"
                continue
            shown = _shown_unit(panel, target["legendFormat"])
            if shown not in GRAFANA[found]:
                yield f"{where}: unit {shown!r} for {found}, want {sorted(GRAFANA[found])}"


def _shown_unit(panel: dict[str, Any], legend: str) -> Any:
    """The unit of a target: a column's own, else the panel's."""
    for override in panel["fieldConfig"]["overrides"]:
        for each in override["properties"]:
            if override["matcher"]["options"] == legend and each["id"] == "unit":
                return each["value"]
    return panel["fieldConfig"]["defaults"].get("unit")


def _links(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in panels(dashboard):
        for link in panel.get("links", []):
            alert = link["title"].removeprefix("Runbook: ")
            if not link["url"].endswith(f"/docs/runbooks/{alert}.md"):
                yield f"{panel['title']}: {link['title']!r} leads to {link['url']}"
