"""Grafana's public schema of dashboards, as a checker that says where a mistake is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

SCHEMA = Path(__file__).resolve().parent.parent / "data/grafana_schema/grafana_schema.json"
# Its options are in no public schema; everything else of such a panel is checked.
WITHOUT_OPTIONS = {"alertlist"}


class GrafanaSchema:
    """The committed schema (tests/data/grafana_schema says where it is from).

    Grafana's own type of a dashboard leaves the options of panels, the queries and what a data
    source adds to annotations open; each of these is checked against its own type.
    """

    def __init__(self) -> None:
        definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]
        self._types = definitions["GrafanaSchema"]["properties"]

    def mistakes(self, dashboard: dict[str, Any]) -> list[str]:
        """What the schema does not allow: ``place: message``."""
        return list(self._mistakes(dashboard))

    def _mistakes(self, dashboard: dict[str, Any]) -> Iterator[str]:
        annotations = dashboard.get("annotations", {}).get("list", [])
        outside = {key: value for key, value in dashboard.items() if key != "panels"}
        yield from self._check({**outside, "annotations": {}}, "dashboard", "dashboard")
        for annotation in annotations:
            yield from self._check(annotation, f"annotation {annotation.get('name')}", "annotation")
        for panel in dashboard["panels"]:
            yield from self._panel(panel)

    def _panel(self, panel: dict[str, Any]) -> Iterator[str]:
        place = f"panel {panel.get('title')}"
        kind = str(panel.get("type"))
        if kind == "row":
            yield from self._check(panel, place, "row")
            return
        yield from self._check(panel, place, "panel")
        options = self._types["options"]["properties"]
        if kind in options:
            yield from self._check(panel.get("options", {}), f"{place} options", "options", kind)
        elif kind not in WITHOUT_OPTIONS:
            yield f"{place}: unknown type {kind!r}, want one of {sorted(options)}"
        if kind in self._types["custom"]["properties"]:
            custom = panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {})
            yield from self._check(custom, f"{place} custom", "custom", kind)
        for target in panel.get("targets", []):
            yield from self._check(target, f"{place} query {target.get('refId')}", "query")

    def _check(self, value: Any, place: str, *path: str) -> Iterator[str]:
        schema = self._types[path[0]]
        for name in path[1:]:
            schema = schema["properties"][name]
        for error in Draft7Validator(schema).iter_errors(value):
            where = "/".join(str(step) for step in error.absolute_path)
            yield f"{place}: {where}: {error.message}" if where else f"{place}: {error.message}"
