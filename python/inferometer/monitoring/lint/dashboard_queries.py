"""Checks the queries of a dashboard, and whether its panels show them in the right unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from inferometer.monitoring.lint.dashboard_file import Panel, Query, Variable
from inferometer.monitoring.lint.evaluation import Evaluation
from inferometer.monitoring.lint.expression import Node, Selector
from inferometer.monitoring.lint.grafana_units import judge, wanted
from inferometer.monitoring.lint.grafana_variables import (
    PLACEHOLDER,
    VARIABLE,
    substituted,
)
from inferometer.monitoring.lint.json_lines import mapping, text_of
from inferometer.monitoring.lint.knowledge import Knowledge
from inferometer.monitoring.lint.report import Report
from inferometer.monitoring.lint.rule_set import parsed
from inferometer.monitoring.lint.value import Value

_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')
_RATE = re.compile(r"\b(rate|irate|increase)\s*\(([^()\[\]]*)\[([^\]]*)\]")
_FIXED_RANGE = re.compile(r"\d[\w.]*|\$(?:__interval|\{__interval\})")
_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_OWN_SOURCES = ("-- Mixed --", "-- Grafana --", "-- Dashboard --", "grafana")
# Each query of these is a column or field of its own.
_MANY_FIELDS = frozenset({"table"})


def check_datasource(datasource: Any, report: Report) -> None:
    """Whether a datasource is given by a variable."""
    uid = text_of(datasource) or text_of(mapping(datasource).get("uid"))
    if uid in _OWN_SOURCES or VARIABLE.fullmatch(uid):
        return
    report(
        "fixed-datasource",
        f"got the datasource {uid or '(the default one)'}, want a variable of type datasource: "
        '{"type": "prometheus", "uid": "${datasource}"}',
    )


class DashboardQueries:
    """Checks queries in which a dashboard's variables occur.

    Args:
        variables: The dashboard's.
        knowledge: Which series there are.
    """

    def __init__(self, variables: Sequence[Variable], knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._values = {v.name: v.value for v in variables if v.value}
        self._many = {v.name for v in variables if v.many}

    def evaluated(self, expr: str, report: Report) -> Value | None:
        """What is known about an expression's result; None if it is not PromQL."""
        text = substituted(expr, self._values, self._knowledge.scrape_interval)
        node = parsed(text, report, report.line)
        if node is None:
            return None
        self._check_many(node, report)
        return Evaluation(self._knowledge, report, on_dashboard=True).value(node)

    def check(self, query: Query, report: Report) -> Value | None:
        """Checks one query; returns what is known about its result."""
        value = self.evaluated(query.expr, report)
        for function, _, written in _RATE.findall(_STRING.sub('""', query.expr)):
            if _FIXED_RANGE.fullmatch(written.strip()):
                report(
                    "fixed-range-in-rate",
                    f"got {function}(...[{written}]), want [$__rate_interval], which follows the "
                    "zoom and the scrape interval",
                )
        for label in _LEGEND.findall(query.legend):
            if value is not None and label != "__name__" and not value.labels.may_have(label):
                report(
                    "legend-label",
                    f"got {{{{{label}}}}} in the legend, but the result has no label {label}: it "
                    f"has {value.labels}",
                )
        return value

    def check_panel(self, panel: Panel, report: Report) -> None:
        """Checks all queries of a panel and its unit."""
        asked = [query for query in panel.queries if query.expr]
        references = [query.ref_id for query in panel.queries]
        for reference in dict.fromkeys(references):
            if not reference or references.count(reference) > 1:
                report(
                    "duplicate-ref-id",
                    f"got the refId {reference!r} {references.count(reference)} times, want A, B, "
                    "C, ...",
                )
        for query in asked:
            place = report.at(query.line, report.where)
            check_datasource(query.datasource, place)
            value = self.check(query, place)
            one_field = panel.type not in _MANY_FIELDS or len(asked) == 1
            if value is not None and one_field and not panel.own_units:
                _check_unit(panel, value, report)

    def _check_many(self, node: Node, report: Report) -> None:
        for part in node.walk():
            for matcher in part.matchers if isinstance(part, Selector) else ():
                name = matcher.value.removeprefix(PLACEHOLDER)
                if matcher.op in ("=", "!=") and name != matcher.value and name in self._many:
                    regex = {"=": "=~", "!=": "!~"}[matcher.op]
                    report(
                        "variable-needs-regex",
                        f'got {matcher.label}{matcher.op}"${name}", but {name} can have several '
                        f'values: write {matcher.label}{regex}"${name}"',
                    )


def _check_unit(panel: Panel, value: Value, report: Report) -> None:
    unit, shown, what = value.unit, panel.unit, "values"
    source = value.source
    if source is not None and source.kind == "bucket" and value.labels.may_have("le"):
        if panel.type != "heatmap":
            return
        unit, shown, what = source.unit, panel.bucket_unit, "buckets"
    if unit is None:
        return
    verdict = judge(shown, unit, value.interval)
    if verdict == "wrong":
        report(
            "panel-unit",
            f"got the unit {shown} for {what} in {unit}: want {wanted(unit)}, or another "
            "expression",
        )
    elif verdict == "missing":
        report(
            "missing-unit",
            f"got {'the unit ' + shown if shown else 'no unit'} for {what} in {unit}: want "
            f"{wanted(unit)}",
        )
