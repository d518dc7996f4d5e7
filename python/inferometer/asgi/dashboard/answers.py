"""What panels show, as JSON: their series, alerts, and marks on the time axis."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inferometer.asgi.dashboard.document import Annotations, Panel, Target
from inferometer.asgi.dashboard.interpolation import Interpolation
from inferometer.asgi.dashboard.promql.series import NAME, Floats, Series
from inferometer.asgi.dashboard.source import Alert, DataSource, SourceError
from inferometer.asgi.dashboard.time_range import TimeRange

MOST_SERIES = 300
_MOST_MARKS = 50
_LABEL = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def _json_number(value: float) -> float | str | None:
    """JSON has no NaN and no infinities: they are strings."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")


def _json_values(series: Series) -> list[float | str | None]:
    values: list[float | str | None] = series.values.tolist()
    if series.present.all() and np.isfinite(series.values).all():
        return values
    return [
        _json_number(float(value)) if there else None  # type: ignore[arg-type]
        for value, there in zip(values, series.present, strict=True)
    ]


def _formatted(template: str, labels: Mapping[str, str]) -> str:
    return _LABEL.sub(lambda match: labels.get(match[1], ""), template)


def _series_name(legend: str, labels: Mapping[str, str]) -> str:
    if legend and legend != "__auto":
        return _formatted(legend, labels)
    shown = {key: value for key, value in labels.items() if key != NAME}
    if legend == "__auto" and len(shown) == 1:
        return next(iter(shown.values()))
    inside = ", ".join(f'{key}="{value}"' for key, value in sorted(shown.items()))
    name = labels.get(NAME, "")
    return f"{name}{{{inside}}}" if inside else name


def answer_target(
    source: DataSource,
    panel: Panel,
    target: Target,
    values: Interpolation,
    steps: Floats,
    end: float,
) -> dict[str, Any]:
    """The series of one query, or why there are none.

    Args:
        source: Who answers.
        panel: Whose query it is.
        target: The query.
        values: Of the variables.
        steps: The moments of a range query.
        end: That of an instant query.
    """
    moments = np.array([end]) if target.instant else steps
    step = float(moments[1] - moments[0]) if len(moments) > 1 else 0.0
    answer: dict[str, Any] = {
        "ref": target.ref,
        "instant": target.instant,
        "start": float(moments[0]),
        "step": step,
        "count": len(moments),
        "series": [],
        "left_out": 0,
        "error": None,
    }
    try:
        answer["query"] = values.into(target.query)
        found = source.query(answer["query"], moments)
    except SourceError as error:
        answer["error"] = str(error)
        return answer
    named = [(_series_name(target.legend, series.labels), series) for series in found]
    named.sort(key=lambda pair: pair[0])
    answer["left_out"] = max(0, len(named) - MOST_SERIES)
    answer["series"] = [
        {"name": name, "labels": dict(series.labels), "values": _json_values(series)}
        for name, series in named[:MOST_SERIES]
    ]
    return answer


def answer_alerts(source: DataSource) -> dict[str, Any]:
    """All alerts that are pending or firing, the firing ones first."""
    try:
        alerts = source.alerts()
    except SourceError as error:
        return {"error": str(error), "alerts": []}
    alerts.sort(key=lambda alert: (alert.state != "firing", alert.labels.get("alertname", "")))
    return {"error": None, "alerts": [_alert(alert) for alert in alerts]}


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state,
        "since": alert.since,
        "value": _json_number(alert.value),
    }


def _spans(series: Series, steps: Floats) -> Sequence[tuple[float, float]]:
    """From when to when a series was there."""
    there = np.flatnonzero(series.present)
    parts = np.split(there, np.flatnonzero(np.diff(there) > 1) + 1)
    return [(float(steps[part[0]]), float(steps[part[-1]])) for part in parts if len(part)]


def answer_annotations(
    source: DataSource,
    annotations: Annotations,
    values: Interpolation,
    time_range: TimeRange,
) -> dict[str, Any]:
    """When the annotations' query had results."""
    steps = time_range.steps()
    answer: dict[str, Any] = {
        "name": annotations.name,
        "colour": annotations.colour,
        "marks": [],
        "error": None,
    }
    try:
        found = source.query(values.into(annotations.query), steps)
    except SourceError as error:
        answer["error"] = str(error)
        return answer
    marks = [
        {
            "start": start,
            "end": end,
            "title": _formatted(annotations.title, series.labels) or annotations.name,
            "text": _formatted(annotations.text, series.labels),
        }
        for series in found
        for start, end in _spans(series, steps)
    ]
    answer["marks"] = sorted(marks, key=lambda mark: str(mark["start"]))[-_MOST_MARKS:]
    return answer
