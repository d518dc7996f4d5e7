"""Reads Grafana dashboards (the classic schema): panels, their queries, variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from inferometer.monitoring.lint.json_lines import Object, mapping, objects, read_json, text_of
from inferometer.monitoring.lint.source_text import SourceError

_PLAIN = re.compile(r"[\w.+-]+")


@dataclass(frozen=True)
class Query:
    """One query of a panel."""

    expr: str
    ref_id: str
    legend: str
    datasource: Any
    line: int


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: Its title.
        type: Grafana's name of what draws it.
        description: What it says of itself.
        unit: Of its values, empty for none.
        bucket_unit: Of a heatmap, the unit of its buckets.
        own_units: Whether some fields have units of their own.
        queries: What it asks.
        position: ``x``, ``y``, ``w``, ``h``; None if not given.
        identity: Its ``id``, None if not given.
        row: The row it is folded into, empty for none.
        line: Where it begins.
    """

    title: str
    type: str
    description: str
    unit: str
    bucket_unit: str
    own_units: bool
    queries: tuple[Query, ...]
    position: tuple[float, float, float, float] | None
    identity: Any
    row: str
    line: int

    @property
    def is_row(self) -> bool:
        """Whether it is only a heading."""
        return self.type == "row"


@dataclass(frozen=True)
class Variable:
    """One variable.

    Attributes:
        name: Its name.
        type: ``query``, ``datasource``, ``custom``, ``interval`` …
        many: Whether it can have several values at once.
        query: What gives its values.
        datasource: Whom that is asked.
        value: A value it can have, if that is a number, a word or a duration; else empty.
        line: Where it begins.
    """

    name: str
    type: str
    many: bool
    query: str
    datasource: Any
    value: str
    line: int


@dataclass(frozen=True)
class Dashboard:
    """One dashboard; ``source`` is all of it."""

    source: Object
    title: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...]
    annotations: tuple[Query, ...]


def read_dashboard(text: str) -> Dashboard:
    """Reads a dashboard, or the answer of Grafana's API that holds one.

    Raises:
        SourceError: If it is not JSON, or not a dashboard.
    """
    source = read_json(text)
    if isinstance(source, Object) and isinstance(source.get("dashboard"), Object):
        source = source["dashboard"]
    if not isinstance(source, Object) or not isinstance(source.get("panels"), list):
        raise SourceError("got no list of panels, want a dashboard of Grafana's classic schema")
    variables = objects(mapping(source.get("templating")).get("list"))
    annotations = objects(mapping(source.get("annotations")).get("list"))
    return Dashboard(
        source,
        text_of(source.get("title")),
        tuple(_panels(source["panels"], "")),
        tuple(map(_variable, variables)),
        tuple(_annotation(each) for each in annotations if not each.get("builtIn")),
    )


def _panels(panels: Any, row: str) -> Iterator[Panel]:
    for panel in objects(panels):
        yield _panel(panel, row)
        if text_of(panel.get("type")) == "row" and not row:
            yield from _panels(panel.get("panels"), text_of(panel.get("title")) or "a row")


def _panel(panel: Object, row: str) -> Panel:
    fields = mapping(panel.get("fieldConfig"))
    overrides = [
        text_of(each.get("id"))
        for override in objects(fields.get("overrides"))
        for each in objects(override.get("properties"))
    ]
    datasource = panel.get("datasource")
    return Panel(
        title=text_of(panel.get("title")),
        type=text_of(panel.get("type")),
        description=text_of(panel.get("description")),
        unit=text_of(mapping(fields.get("defaults")).get("unit")),
        bucket_unit=text_of(mapping(mapping(panel.get("options")).get("yAxis")).get("unit")),
        own_units="unit" in overrides,
        queries=tuple(_query(each, datasource) for each in objects(panel.get("targets"))),
        position=_position(mapping(panel.get("gridPos"))),
        identity=panel.get("id"),
        row=row,
        line=panel.line,
    )


def _position(grid: Object) -> tuple[float, float, float, float] | None:
    numbers = [grid.get(key, 0) for key in ("x", "y", "w", "h")]
    if not grid or not all(isinstance(n, int | float) for n in numbers):
        return None
    x, y, w, h = numbers
    return (x, y, w, h)


def _query(target: Object, datasource: Any) -> Query:
    own = target.get("datasource") or datasource
    kind = text_of(mapping(own).get("type")) or "prometheus"
    return Query(
        text_of(target.get("expr")) if kind == "prometheus" else "",
        text_of(target.get("refId")),
        text_of(target.get("legendFormat")),
        own,
        target.line,
    )


def _annotation(annotation: Object) -> Query:
    target = mapping(annotation.get("target"))
    expr = text_of(annotation.get("expr")) or text_of(target.get("expr"))
    name = text_of(annotation.get("name"))
    legend = " ".join(text_of(annotation.get(key)) for key in ("titleFormat", "textFormat"))
    return Query(expr, name, legend, annotation.get("datasource"), annotation.line)


def _variable(variable: Object) -> Variable:
    kind = text_of(variable.get("type"))
    query = variable.get("query")
    asked = text_of(query) or text_of(mapping(query).get("query"))
    return Variable(
        name=text_of(variable.get("name")),
        type=kind,
        many=bool(variable.get("multi")) or bool(variable.get("includeAll")),
        query=asked or text_of(variable.get("definition")),
        datasource=variable.get("datasource"),
        value=_value(variable, asked) if kind not in ("query", "datasource", "adhoc") else "",
        line=variable.line,
    )


def _value(variable: Object, asked: str) -> str:
    current = mapping(variable.get("current")).get("value")
    options = [text_of(option.get("value")) for option in objects(variable.get("options"))]
    first = current[0] if isinstance(current, list) and current else current
    for value in (text_of(first), *options, *(part.strip() for part in asked.split(","))):
        if not value.startswith("$") and _PLAIN.fullmatch(value):
            return value
    return ""
