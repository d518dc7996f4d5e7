"""Where the page's numbers come from: Prometheus, or the process' own history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from inferometer.asgi.dashboard.promql.series import Floats, Vector


class SourceError(Exception):
    """What was asked for cannot be had; its message is shown in the panel."""


@dataclass(frozen=True)
class Alert:
    """An alert that is pending or firing.

    Args:
        labels: Its labels, ``alertname`` among them.
        annotations: Its annotations.
        state: ``"pending"`` or ``"firing"``.
        since: When it began, as Prometheus writes it (RFC 3339).
        value: The value of its expression.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: str
    since: str
    value: float


class DataSource(Protocol):
    """Answers queries. Its methods block, and are called on several threads."""

    @property
    def scrape_seconds(self) -> float:
        """How far apart samples are."""
        ...

    def describe(self) -> dict[str, Any]:
        """What the page says about it; ``kind`` is ``"prometheus"`` or ``"history"``."""
        ...

    def query(self, query: str, steps: Floats) -> Vector:
        """A query at evenly spaced moments, in seconds since the epoch.

        Raises:
            SourceError: It has no answer.
        """
        ...

    def label_values(self, selector: str, label: str, start: float, end: float) -> list[str]:
        """The values that a label has in the series of a selector (empty: in all), sorted.

        Raises:
            SourceError: It has no answer.
        """
        ...

    def alerts(self) -> list[Alert]:
        """The pending and firing alerts.

        Raises:
            SourceError: It knows of none.
        """
        ...
