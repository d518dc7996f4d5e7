"""What becomes of one alert in a running Prometheus, with times."""

from __future__ import annotations

import time
from dataclasses import dataclass

from polling import wait_until
from prometheus_server import PrometheusServer


@dataclass(frozen=True)
class Change:
    """A state of an alert, and when it was first seen in it: seconds since the watch began."""

    seconds: float
    state: str


class AlertWatch:
    """Follows the state of one alerting rule: inactive, pending or firing. Single-owner.

    It looks only while somebody waits; wait for every state that matters.

    Attributes:
        changes: Every state seen, in order; the first is the one at the beginning.
    """

    def __init__(self, prometheus: PrometheusServer, name: str) -> None:
        self.name = name
        self.changes: list[Change] = []
        self._prometheus = prometheus
        self._begin = time.monotonic()

    def _look(self) -> str:
        state = str(self._prometheus.rule(self.name)["state"])
        if not self.changes or self.changes[-1].state != state:
            self.changes.append(Change(round(time.monotonic() - self._begin, 3), state))
        return state

    def wait_for(self, state: str, seconds: float) -> None:
        """Blocks until the alert has that state."""
        try:
            wait_until(self._look, lambda seen: seen == state, f"{self.name} {state}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; changes so far: {self.changes}") from None

    def recorded(self) -> dict[str, list[float]]:
        """Evaluations that found the alert pending or firing, as Prometheus itself stored them.

        Returns:
            The times of the evaluations, seconds since 1970, by state.
        """
        stored = self._prometheus.query(f'ALERTS{{alertname="{self.name}"}}[1h]')
        return {
            series["metric"]["alertstate"]: [float(moment) for moment, _ in series["values"]]
            for series in stored
        }
