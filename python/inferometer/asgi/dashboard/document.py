"""Grafana's dashboard JSON, as far as the page interprets it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer._core import ConfigError

_VARIABLE_KINDS = ("query", "custom", "constant", "interval", "datasource")
_VARIABLE = re.compile(r"\$\{?(\w+)")
_LINK = re.compile(r"(https?://|/(?!/)|\./|#)", re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """One query of a panel."""

    ref: str
    query: str
    legend: str
    instant: bool


@dataclass(frozen=True)
class Panel:
    """A panel: what the server needs to know of it, and all of its JSON for the browser."""

    id: int
    title: str
    kind: str
    targets: tuple[Target, ...]
    interval: str
    json: Mapping[str, Any]


@dataclass(frozen=True)
class Variable:
    """A variable of the dashboard.

    Args:
        name: As queries have it: ``$name``.
        label: As the page has it.
        kind: ``"query"``, ``"custom"``, ``"constant"`` or ``"interval"``.
        query: What its values are made of.
        multi: Whether several may be chosen.
        include_all: Whether all may be chosen.
        all_value: The regular expression for all; None: all values, one by one.
    """

    name: str
    label: str
    kind: str
    query: str
    multi: bool
    include_all: bool
    all_value: str | None
    hidden: bool


@dataclass(frozen=True)
class Annotations:
    """A query whose results are marked on the time axis."""

    name: str
    query: str
    colour: str
    title: str
    text: str


@dataclass(frozen=True)
class Dashboard:
    """One dashboard."""

    uid: str
    title: str
    panels: Mapping[int, Panel]
    variables: tuple[Variable, ...]
    annotations: tuple[Annotations, ...]
    json: Mapping[str, Any]


class _Reader:
    """Reads parts of one document; messages say where they are."""

    def __init__(self, where: str) -> None:
        self._where = where

    def fail(self, what: str, got: object, want: str) -> ConfigError:
        return ConfigError(f"dashboard {self._where}: {what}: got {got!r:.80}, want {want}")

    def text(self, values: Mapping[str, Any], key: str, what: str, default: str | None = "") -> str:
        value = values.get(key, default)
        if not isinstance(value, str):
            raise self.fail(f"{key} of {what}", value, "a string")
        return value

    def items(self, values: Mapping[str, Any], key: str, what: str) -> list[Mapping[str, Any]]:
        found = values.get(key) or []
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self.fail(f"{key} of {what}", found, "a list of objects")
        return found

    def target(self, target: Mapping[str, Any], what: str) -> Target:
        return Target(
            ref=self.text(target, "refId", what, None),
            query=self.text(target, "expr", what, None),
            legend=self.text(target, "legendFormat", what),
            # Grafana makes a range query of what is neither.
            instant=bool(target.get("instant")) and not target.get("range"),
        )

    def panel(self, panel: Mapping[str, Any]) -> Panel:
        number = panel.get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            raise self.fail(f"id of the panel {panel.get('title')!r}", number, "an integer")
        what = f"panel {number}"
        place = panel.get("gridPos")
        wanted = all(isinstance((place or {}).get(key), int) for key in "xywh")
        if not isinstance(place, dict) or not wanted:
            raise self.fail(f"gridPos of {what}", place, "integers x, y, w and h")
        targets = tuple(self.target(target, what) for target in self.items(panel, "targets", what))
        refs = [target.ref for target in targets]
        if len(set(refs)) < len(refs):
            raise self.fail(f"refIds of {what}", refs, "different ones")
        return Panel(
            id=number,
            title=self.text(panel, "title", what),
            kind=self.text(panel, "type", what, None),
            targets=targets,
            interval=self.text(panel, "interval", what),
            json=_for_browser(panel),
        )

    def variable(self, variable: Mapping[str, Any]) -> Variable:
        name = self.text(variable, "name", "a variable", None)
        what = f"variable {name}"
        kind = self.text(variable, "type", what, None)
        if kind not in _VARIABLE_KINDS:
            raise self.fail(f"type of {what}", kind, " or ".join(_VARIABLE_KINDS))
        query = variable.get("query") or ""
        if isinstance(query, dict):
            query = query.get("query") or ""
        all_value = variable.get("allValue")
        return Variable(
            name=name,
            label=self.text(variable, "label", what) or name,
            kind=kind,
            query=str(query),
            multi=bool(variable.get("multi")),
            include_all=bool(variable.get("includeAll")),
            all_value=str(all_value) if all_value else None,
            hidden=variable.get("hide") in (2, "hideVariable"),
        )

    def annotations(self, document: Mapping[str, Any]) -> Iterator[Annotations]:
        listed = self.items(document.get("annotations") or {}, "list", "annotations")
        for one in listed:
            if one.get("enable", True) and one.get("expr"):
                yield Annotations(
                    name=self.text(one, "name", "an annotation"),
                    query=self.text(one, "expr", "an annotation"),
                    colour=self.text(one, "iconColor", "an annotation"),
                    title=self.text(one, "titleFormat", "an annotation"),
                    text=self.text(one, "textFormat", "an annotation"),
                )


def _links(links: object) -> list[dict[str, Any]]:
    """Links that a page may show: to the web or to the same server, never to a script."""
    return [
        {"title": str(link.get("title", "")), "url": str(link["url"])}
        for link in (links if isinstance(links, list) else [])
        if isinstance(link, dict) and _LINK.match(str(link.get("url") or ""))
    ]


def _for_browser(panel: Mapping[str, Any]) -> dict[str, Any]:
    keys = (
        *("id", "title", "type", "description", "gridPos", "fieldConfig", "options"),
        *("transformations", "collapsed"),
    )
    shown = {key: panel[key] for key in keys if key in panel}
    shown["links"] = _links(panel.get("links"))
    queries = " ".join(str(target.get("expr", "")) for target in panel.get("targets") or [])
    shown["variables"] = sorted(set(_VARIABLE.findall(queries)))
    shown["targets"] = [
        {"refId": target.get("refId"), "format": target.get("format", "")}
        for target in panel.get("targets") or []
        if not target.get("hide")
    ]
    return shown


def _all_panels(reader: _Reader, document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Rows and panels in order; those of a folded row come after it."""
    for panel in reader.items(document, "panels", "the dashboard"):
        yield panel
        if panel.get("type") == "row":
            yield from reader.items(panel, "panels", "a row")


def read_dashboard(source: Mapping[str, Any] | Path, where: str = "") -> Dashboard:
    """Reads a dashboard.

    Args:
        source: Its JSON, parsed, or the file that holds it.
        where: What messages call it.

    Raises:
        ConfigError: It is not what Grafana would take for a dashboard, or has a variable of a kind
            that the page does not know.
    """
    document: Any = source
    if isinstance(source, Path):
        where = where or source.name
        try:
            document = json.loads(source.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"dashboard {source}: {error}") from error
    reader = _Reader(where or "given as JSON")
    if not isinstance(document, Mapping):
        raise reader.fail("the document", document, "an object")
    panels: dict[int, Panel] = {}
    for panel in map(reader.panel, _all_panels(reader, document)):
        if panel.id in panels:
            raise reader.fail("ids of panels", panel.id, "each once")
        panels[panel.id] = panel
    templating = reader.items(document.get("templating") or {}, "list", "templating")
    title = reader.text(document, "title", "the dashboard", None)
    return Dashboard(
        uid=reader.text(document, "uid", "the dashboard") or title,
        title=title,
        panels=panels,
        variables=tuple(map(reader.variable, templating)),
        annotations=tuple(reader.annotations(document)),
        json={
            "description": reader.text(document, "description", "the dashboard"),
            "links": _links(document.get("links")),
            "refresh": document.get("refresh") or "",
            "time": document.get("time") or {},
            "timepicker": document.get("timepicker") or {},
        },
    )


def read_dashboards(sources: Sequence[Mapping[str, Any] | Path]) -> dict[str, Dashboard]:
    """Dashboards by uid, in their order.

    Raises:
        ConfigError: There are none, one is broken, or two have the same uid.
    """
    found: dict[str, Dashboard] = {}
    for source in sources:
        dashboard = read_dashboard(source)
        if dashboard.uid in found:
            raise ConfigError(f"dashboards: got the uid {dashboard.uid!r} twice, want it once")
        found[dashboard.uid] = dashboard
    if not found:
        raise ConfigError("dashboards: got none, want at least one")
    return found
