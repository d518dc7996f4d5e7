"""Small dashboards in Grafana's JSON."""

from __future__ import annotations

from typing import Any


def panel(number: int, kind: str = "timeseries", *queries: str, **settings: Any) -> dict[str, Any]:
    """A panel with a target for each query, A, B, ..."""
    targets = [
        {"refId": chr(ord("A") + index), "expr": query, "legendFormat": "{{model_name}}"}
        for index, query in enumerate(queries)
    ]
    place = {"x": 0, "y": number, "w": 12, "h": 8}
    return {
        "id": number,
        "type": kind,
        "title": f"Panel {number}",
        "gridPos": place,
        "targets": targets,
        **settings,
    }


def variable(name: str, query: str, **settings: Any) -> dict[str, Any]:
    """A variable of label values, of which several may be chosen."""
    given = {"multi": True, "includeAll": True, "allValue": ".+", **settings}
    return {"name": name, "type": "query", "label": name.title(), "query": query, **given}


def dashboard(
    panels: list[dict[str, Any]],
    variables: list[dict[str, Any]] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """A dashboard with the uid ``test``."""
    return {
        "uid": "test",
        "title": "A test",
        "panels": panels,
        "templating": {"list": variables or []},
        **settings,
    }
