"""Checks a dashboard: its panels, what they ask, and its variables."""

from __future__ import annotations

import re

from inferometer.monitoring.lint.dashboard_file import Dashboard, Panel, Variable
from inferometer.monitoring.lint.dashboard_queries import DashboardQueries, check_datasource
from inferometer.monitoring.lint.grafana_variables import names_in
from inferometer.monitoring.lint.json_lines import strings
from inferometer.monitoring.lint.knowledge import Knowledge, did_you_mean
from inferometer.monitoring.lint.report import Report

COLUMNS = 24
_PLACEHOLDER = re.compile(r"\$\{DS_\w+\}")
# Panels that show no values of their own.
_NO_DESCRIPTION = frozenset({"row", "text"})
_LABEL_VALUES = re.compile(r"label_values\(\s*(?:(.+),)?\s*(\w+)\s*\)\s*", re.DOTALL)
_QUERY_RESULT = re.compile(r"query_result\((.+)\)\s*", re.DOTALL)


def check_dashboard(dashboard: Dashboard, report: Report, knowledge: Knowledge) -> None:
    """Checks a dashboard; findings go to the report."""
    whole = report.at(dashboard.source.line, f"dashboard {dashboard.title or '(no title)'}")
    _check_import(dashboard, whole)
    _check_variables(dashboard, whole)
    queries = DashboardQueries(dashboard.variables, knowledge)
    for variable in dashboard.variables:
        _check_variable(variable, whole, queries)
    for annotation in dashboard.annotations:
        place = whole.at(annotation.line, f"annotation {annotation.ref_id}")
        if annotation.expr:
            check_datasource(annotation.datasource, place)
            queries.check(annotation, place)
    for panel in dashboard.panels:
        place = report.at(panel.line, f"panel {panel.title or f'of type {panel.type}'}")
        _check_words(panel, place)
        queries.check_panel(panel, place)
    _check_unique(dashboard.panels, report)
    _check_positions(dashboard.panels, report)


def _check_import(dashboard: Dashboard, report: Report) -> None:
    placeholders = {m[0] for text in strings(dashboard.source) for m in _PLACEHOLDER.finditer(text)}
    if "__inputs" in dashboard.source or placeholders:
        got = ", ".join(sorted(placeholders)) or "__inputs"
        report(
            "import-placeholder",
            f"got {got}, which provisioning does not fill in: want a variable of type datasource "
            'and {"uid": "${datasource}"}',
        )


def _check_variables(dashboard: Dashboard, report: Report) -> None:
    defined = {variable.name for variable in dashboard.variables}
    used: dict[str, int] = {}
    for panel in dashboard.panels:
        for query in panel.queries:
            for name in names_in(query.expr) | names_in(query.legend):
                used.setdefault(name, query.line)
        for name in names_in(panel.title):
            used.setdefault(name, panel.line)
    for annotation in dashboard.annotations:
        for name in names_in(annotation.expr):
            used.setdefault(name, annotation.line)
    for variable in dashboard.variables:
        for name in names_in(variable.query):
            used.setdefault(name, variable.line)
    for name, line in used.items():
        if name not in defined and not name.startswith("DS_"):
            hint = did_you_mean(name, sorted(defined)) or f"it has {', '.join(sorted(defined))}"
            report("undefined-variable", f"got ${name}, which is not defined: {hint}", line=line)
    _check_used(dashboard, report)


def _check_used(dashboard: Dashboard, report: Report) -> None:
    parts = {k: v for k, v in dashboard.source.items() if k != "templating"}
    mentioned: set[str] = set()
    for text in strings(parts):
        mentioned |= names_in(text)
        mentioned.add(text)  # "repeat": "model" names it without a sign
    for variable in dashboard.variables:
        mentioned |= names_in(variable.query) - {variable.name}
        for text in strings(variable.datasource):
            mentioned |= names_in(text)
    for variable in dashboard.variables:
        if variable.name not in mentioned and variable.type != "adhoc":
            report(
                "unused-variable",
                f"got the variable {variable.name}, which nothing uses: use it or leave it out",
                line=variable.line,
            )


def _check_variable(variable: Variable, whole: Report, queries: DashboardQueries) -> None:
    if variable.type != "query":
        return
    report = whole.at(variable.line, f"variable {variable.name}")
    check_datasource(variable.datasource, report)
    values = _LABEL_VALUES.fullmatch(variable.query.strip())
    result = _QUERY_RESULT.fullmatch(variable.query.strip())
    if values is not None and values[1]:
        value = queries.evaluated(values[1], report)
        if value is not None and not value.labels.may_have(values[2]):
            report(
                "unknown-label",
                f"got label_values(..., {values[2]}), but {values[1].strip()} has no label "
                f"{values[2]}: it has {value.labels}",
            )
    elif result is not None:
        queries.evaluated(result[1], report)


def _check_words(panel: Panel, report: Report) -> None:
    if not panel.title and panel.type != "text":
        report("missing-title", "got no title, want one")
    if not panel.description and panel.type not in _NO_DESCRIPTION:
        report(
            "panel-without-description", "got no description, want what it shows and when to act"
        )


def _check_unique(panels: tuple[Panel, ...], report: Report) -> None:
    titles: dict[str, int] = {}
    identities: dict[str, int] = {}
    for panel in panels:
        place = report.at(panel.line, f"panel {panel.title or f'of type {panel.type}'}")
        if panel.title and not panel.is_row:
            if panel.title in titles:
                place(
                    "duplicate-title",
                    f"got the title of the panel at line {titles[panel.title]}: want another one",
                )
            titles.setdefault(panel.title, panel.line)
        if panel.identity is not None:
            key = repr(panel.identity)
            if key in identities:
                place(
                    "duplicate-panel-id",
                    f"got the id {key} of the panel at line {identities[key]}: want another one, "
                    "or none",
                )
            identities.setdefault(key, panel.line)


def _check_positions(panels: tuple[Panel, ...], report: Report) -> None:
    placed: list[Panel] = []
    for panel in panels:
        if panel.position is None:
            continue
        x, y, w, h = panel.position
        place = report.at(panel.line, f"panel {panel.title or f'of type {panel.type}'}")
        if x < 0 or y < 0 or w <= 0 or h <= 0 or x + w > COLUMNS:
            place(
                "panel-overlap",
                f"got x {x:g}, w {w:g}, h {h:g}: want it within {COLUMNS} columns",
            )
        other = next((p for p in placed if p.row == panel.row and _overlap(p, panel)), None)
        if other is not None:
            place(
                "panel-overlap",
                f"got a place that overlaps the panel {other.title} at line {other.line}: move it",
            )
        placed.append(panel)


def _overlap(a: Panel, b: Panel) -> bool:
    if a.position is None or b.position is None:
        return False
    (ax, ay, aw, ah), (bx, by, bw, bh) = a.position, b.position
    return ax < bx + bw and bx < ax + aw and ay < by + bh and by < ay + ah
