"""What the SDK writes though nobody asked, and Grafana has no use for."""

from __future__ import annotations

from typing import Any

# Properties of interval variables, in variables of every kind.
VARIABLES = ("auto", "auto_count", "auto_min")
# Moves links and annotations from the page into a menu, where Grafana is new enough to know it.
PLACEMENT = "placement"
# The table's old footer, switched off; how panels repeat that do not repeat.
PANELS = ("repeatDirection",)
OPTIONS = ("footer",)


def without_leftovers(dashboard: dict[str, Any]) -> dict[str, Any]:
    """The dashboard, changed in place."""
    for variable in dashboard["templating"]["list"]:
        _drop(variable, VARIABLES)
    for placed in (*dashboard["annotations"]["list"], *dashboard["links"]):
        _drop(placed, (PLACEMENT,))
    for panel in dashboard["panels"]:
        _drop(panel, PANELS)
        _drop(panel.get("options", {}), OPTIONS)
        for link in panel.get("links", []):
            _drop(link, (PLACEMENT,))
    return dashboard


def _drop(found: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        found.pop(name, None)
