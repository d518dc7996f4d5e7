"""What alerts did over time, as text: from the states that Prometheus stored."""

from __future__ import annotations

import time
from collections.abc import Iterable

from inferometer.monitoring.stack.prometheus_api import PrometheusApi
from inferometer.monitoring.stack.webhook import Notification

WIDTH = 60
_INACTIVE, _PENDING, _FIRING = "\u00b7", "\u2592", "\u2588"
_MARKS = {"pending": _PENDING, "firing": _FIRING}
_NOT_SHOWN = ("__name__", "alertname", "alertstate", "severity")


def alert_timeline(prometheus: PrometheusApi, start: float, end: float) -> str:
    """One line for each alert: when it was pending and when it fired.

    Args:
        prometheus: Which Prometheus.
        start: First moment, in seconds since 1970.
        end: Last moment.

    Raises:
        HttpError: It does not answer.
    """
    step = max((end - start) / WIDTH, 0.1)
    last = round((end - start) / step)
    rows: dict[str, list[str]] = {}
    for series in prometheus.query_range("ALERTS", start, end, step):
        labels = series["metric"]
        more = {name: value for name, value in labels.items() if name not in _NOT_SHOWN}
        text = ", ".join(f"{name}={value}" for name, value in sorted(more.items()))
        row = rows.setdefault(f"{labels['alertname']} {text}".strip(), [_INACTIVE] * (last + 1))
        for moment, _ in series["values"]:
            place = min(max(round((moment - start) / step), 0), last)
            if row[place] != _FIRING:  # the last moments of pending and the first of firing meet
                row[place] = _MARKS[labels["alertstate"]]
    head = (
        f"alerts over {end - start:.1f} s, {step:.2g} s a character"
        f" ({_PENDING} pending, {_FIRING} firing):"
    )
    if not rows:
        return f"{head} none was pending or firing"
    return "\n".join([head, *(f"{''.join(row)}  {name}" for name, row in sorted(rows.items()))])


def notification_lines(notifications: Iterable[Notification], start: float) -> list[str]:
    """One line for each notification, with the seconds since ``start``."""
    return [
        f"{seen.time - start:7.1f} s  {seen.status:<8}  {seen.name}  at {seen.receiver}"
        f" ({time.strftime('%H:%M:%S', time.localtime(seen.time))})"
        for seen in notifications
    ]
