"""What a page asks for: read and bounded before anything is done with it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inferometer.asgi.dashboard.document import Dashboard, Panel
from inferometer.asgi.dashboard.time_range import (
    FEWEST_POINTS,
    LONGEST_SECONDS,
    MOST_POINTS,
    SHORTEST_SECONDS,
    TimeRange,
)

MOST_BYTES = 64 * 1024
_MOST_VALUES, _LONGEST_VALUE = 500, 300


class BadRequestError(ValueError):
    """A request that no page of ours sends; its message says what it got and wanted."""


@dataclass(frozen=True)
class PageRequest:
    """One dashboard's panels over a range, with chosen values of variables."""

    dashboard: Dashboard
    panels: tuple[Panel, ...]
    choices: Mapping[str, tuple[str, ...]]
    time_range: TimeRange


def _number(body: Mapping[str, Any], key: str, low: float, high: float) -> float:
    value = body.get(key)
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not low <= value <= high:  # type: ignore[operator]
        raise BadRequestError(f"{key}: got {value!r:.80}, want a number from {low:g} to {high:g}")
    return float(value)  # type: ignore[arg-type]


def _choices(body: Mapping[str, Any], dashboard: Dashboard) -> dict[str, tuple[str, ...]]:
    variables = body.get("variables", {})
    if not isinstance(variables, dict):
        raise BadRequestError(f"variables: got {variables!r:.80}, want an object")
    known = {variable.name for variable in dashboard.variables}
    for name, values in variables.items():
        fits = isinstance(values, list) and len(values) <= _MOST_VALUES
        if not fits or not all(isinstance(v, str) and len(v) <= _LONGEST_VALUE for v in values):
            raise BadRequestError(
                f"variables: got {values!r:.80} for {name!r:.80}, want at most {_MOST_VALUES} "
                f"strings of at most {_LONGEST_VALUE} characters"
            )
        if name not in known:
            raise BadRequestError(
                f"variables: got {name!r:.80}, want one of {', '.join(sorted(known))}"
            )
    return {name: tuple(values) for name, values in variables.items()}


def _panels(body: Mapping[str, Any], dashboard: Dashboard) -> tuple[Panel, ...]:
    wanted = body.get("panels", [])
    if not isinstance(wanted, list):
        raise BadRequestError(f"panels: got {wanted!r:.80}, want a list of ids")
    for number in wanted:
        if not isinstance(number, int) or number not in dashboard.panels:
            raise BadRequestError(f"panels: got {number!r:.80}, want ids of {dashboard.title}")
    return tuple(dashboard.panels[number] for number in dict.fromkeys(wanted))


def read_request(
    raw: bytes, dashboards: Mapping[str, Dashboard], scrape_seconds: float
) -> PageRequest:
    """The request in a body.

    ``{"dashboard": uid, "seconds": 900, "end": null, "points": 300, "panels": [1, 2],
    "variables": {"model": ["a", "b"]}}``; `end` is null for now, or seconds since the epoch.

    Raises:
        BadRequestError: It is none, or asks for more than the bounds allow.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"got a body that is no JSON ({error}), want an object") from error
    if not isinstance(body, dict):
        raise BadRequestError(f"got {body!r:.80}, want an object")
    uid = body.get("dashboard")
    dashboard = dashboards.get(uid) if isinstance(uid, str) else None
    if dashboard is None:
        raise BadRequestError(f"dashboard: got {uid!r:.80}, want one of {', '.join(dashboards)}")
    now = time.time()
    end = now if body.get("end") is None else _number(body, "end", 0, now + 86400)
    seconds = _number(body, "seconds", SHORTEST_SECONDS, LONGEST_SECONDS)
    points = int(_number(body, "points", FEWEST_POINTS, MOST_POINTS))
    return PageRequest(
        dashboard=dashboard,
        panels=_panels(body, dashboard),
        choices=_choices(body, dashboard),
        time_range=TimeRange(end - seconds, end, points, scrape_seconds),
    )
