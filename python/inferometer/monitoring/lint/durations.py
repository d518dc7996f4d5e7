"""Durations as the checks of rules count them: in seconds."""

from __future__ import annotations

from inferometer.monitoring.durations import milliseconds


def duration_seconds(text: str) -> float | None:
    """A duration such as ``1h30m`` in seconds; None if Prometheus would refuse it."""
    try:
        return milliseconds(text) / 1000
    except ValueError:
        return None


def duration_text(seconds: float) -> str:
    """Seconds as a duration to write into a rule."""
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{round(seconds * 1000)}ms"
