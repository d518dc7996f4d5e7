"""Everything that a page shows at one moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from inferometer.asgi.dashboard.answers import answer_alerts, answer_annotations, answer_target
from inferometer.asgi.dashboard.document import Dashboard, Panel, Target
from inferometer.asgi.dashboard.interpolation import Choices, Interpolation
from inferometer.asgi.dashboard.page_request import PageRequest
from inferometer.asgi.dashboard.source import DataSource
from inferometer.asgi.dashboard.time_range import TimeRange, parse_duration
from inferometer.asgi.dashboard.variable_options import read_options

_QUERIES_AT_ONCE = 4


def _all_at_once(calls: Iterable[Callable[[], Any]], waits: bool) -> list[Any]:
    """Results of calls, in order; on several threads if they wait for somebody else."""
    if not waits:
        return [call() for call in calls]
    with ThreadPoolExecutor(_QUERIES_AT_ONCE) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def _options(
    dashboard: Dashboard, choices: Choices, source: DataSource, time_range: TimeRange
) -> Choices:
    """All values of variables, where "all" can only be said by naming them."""
    if all(v.all_value is not None or not v.include_all for v in dashboard.variables):
        return {}
    found = read_options(dashboard, choices, source, time_range)
    return {name: values["options"] for name, values in found.items()}


def answer_page(request: PageRequest, source: DataSource) -> bytes:
    """The series of panels, the alerts, the marks on the time axis.

    Args:
        request: Which panels, of when.
        source: Who answers.

    Returns:
        JSON.
    """
    dashboard, time_range = request.dashboard, request.time_range
    options = _options(dashboard, request.choices, source, time_range)

    def values(least: float) -> Interpolation:
        return Interpolation(dashboard, request.choices, time_range.intervals(least), options)

    def target_call(panel: Panel, target: Target) -> Callable[[], dict[str, Any]]:
        least = parse_duration(panel.interval) or 0.0
        steps = time_range.steps(least)
        return partial(answer_target, source, panel, target, values(least), steps, time_range.end)

    wanted = [(panel, target) for panel in request.panels for target in panel.targets]
    waits = source.describe()["kind"] == "prometheus"
    calls: list[Callable[[], dict[str, Any]]] = [
        partial(answer_alerts, source),
        *(
            partial(answer_annotations, source, annotations, values(0.0), time_range)
            for annotations in dashboard.annotations
        ),
        *(target_call(panel, target) for panel, target in wanted),
    ]
    alerts, *rest = _all_at_once(calls, waits)
    annotations, answers = rest[: len(dashboard.annotations)], rest[len(dashboard.annotations) :]
    targets: dict[int, list[dict[str, Any]]] = {panel.id: [] for panel in request.panels}
    for (panel, _), answer in zip(wanted, answers, strict=True):
        targets[panel.id].append(answer)
    page = {
        "start": time_range.start,
        "end": time_range.end,
        "source": source.describe(),
        "alerts": alerts,
        "annotations": annotations,
        "panels": targets,
    }
    return json.dumps(page, separators=(",", ":"), allow_nan=False).encode()


def answer_variables(request: PageRequest, source: DataSource) -> bytes:
    """The values that variables can have, as JSON."""
    found = read_options(request.dashboard, request.choices, source, request.time_range)
    return json.dumps(found, separators=(",", ":")).encode()


def describe_page(dashboards: Iterable[Dashboard], source: DataSource, charts: bool) -> bytes:
    """What does not change: the dashboards as they are drawn, as JSON."""
    shown = [
        {
            "uid": dashboard.uid,
            "title": dashboard.title,
            **dashboard.json,
            "panels": [panel.json for panel in dashboard.panels.values()],
            "variables": [
                {
                    "name": variable.name,
                    "label": variable.label,
                    "multi": variable.multi,
                    "all": variable.include_all,
                }
                for variable in dashboard.variables
                if variable.kind not in ("datasource", "constant") and not variable.hidden
            ],
        }
        for dashboard in dashboards
    ]
    page = {"dashboards": shown, "source": source.describe(), "charts": charts}
    return json.dumps(page, separators=(",", ":")).encode()
