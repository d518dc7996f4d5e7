"""The committed dashboards, and what is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "python/inferometer/monitoring/files/grafana/dashboards"
NAMES = ("triton", "inference")


def load(name: str) -> dict[str, Any]:
    """One of the dashboards, by its short name."""
    text = (FOLDER / f"{name}-dashboard.json").read_text(encoding="utf-8")
    dashboard: dict[str, Any] = json.loads(text)
    return dashboard


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels without the rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def panel_titled(dashboard: dict[str, Any], title: str) -> dict[str, Any]:
    """The panel with that title."""
    (found,) = (panel for panel in panels(dashboard) if panel["title"] == title)
    return found


def variables(dashboard: dict[str, Any], kind: str = "query") -> list[dict[str, Any]]:
    """The variables of a kind."""
    return [each for each in dashboard["templating"]["list"] if each["type"] == kind]


def expressions(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(where, PromQL) of panels and annotations."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            yield annotation["name"], annotation["expr"]
