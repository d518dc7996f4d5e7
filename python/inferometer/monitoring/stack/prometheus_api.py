"""What a Prometheus and an Alertmanager on this machine are asked."""

from __future__ import annotations

import urllib.parse
from typing import Any

from inferometer.monitoring.stack.http_client import answers, fetch, fetch_json


class PrometheusApi:
    """The HTTP API of one Prometheus.

    Every method raises `HttpError` where it does not answer.

    Args:
        url: Where it is, as ``http://127.0.0.1:9090``.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str, **parameters: str) -> Any:
        """The ``data`` of an answer; ``path`` comes after ``/api/v1/``."""
        encoded = urllib.parse.urlencode(parameters)
        return fetch_json(f"{self.url}/api/v1/{path}?{encoded}", seconds=15.0)["data"]

    def ready(self) -> bool:
        """Whether it can be asked."""
        return answers(f"{self.url}/-/ready")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query: a list of ``metric`` and ``value``."""
        result: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return result

    def value(self, expression: str) -> float | None:
        """The value of an expression with one result; None without one."""
        result = self.query(expression)
        if len(result) > 1:
            raise ValueError(f"{expression}: got {len(result)} results, want one")
        return float(result[0]["value"][1]) if result else None

    def query_range(
        self, expression: str, start: float, end: float, step: float
    ) -> list[dict[str, Any]]:
        """The result over time: a list of ``metric`` and ``values``.

        Args:
            expression: The query.
            start: First moment, in seconds since 1970.
            end: Last moment.
            step: Seconds between two values.
        """
        result: list[dict[str, Any]] = self.get(
            "query_range", query=expression, start=str(start), end=str(end), step=str(step)
        )["result"]
        return result

    def rule_names(self) -> set[str]:
        """The names of the alerting rules that it runs."""
        groups = self.get("rules", type="alert")["groups"]
        return {rule["name"] for group in groups for rule in group["rules"]}

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """The pending and firing alerts of that name."""
        found = self.get("alerts")["alerts"]
        return [alert for alert in found if alert["labels"]["alertname"] == name]

    def knows_alertmanager(self) -> bool:
        """Whether it has found an Alertmanager to send alerts to."""
        return bool(self.get("alertmanagers")["activeAlertmanagers"])

    def reload(self) -> None:
        """Has it read its configuration and rules anew.

        Raises:
            HttpError: They are wrong; it goes on with those it has.
        """
        fetch(f"{self.url}/-/reload", "POST", seconds=15.0)


class AlertmanagerApi:
    """The HTTP API of one Alertmanager. Methods raise `HttpError` where it does not answer.

    Args:
        url: Where it is, as ``http://127.0.0.1:9093``.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def ready(self) -> bool:
        """Whether it can be asked."""
        return answers(f"{self.url}/-/ready")

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that it has now, those that are inhibited or silenced too."""
        found: list[dict[str, Any]] = fetch_json(f"{self.url}/api/v2/alerts")
        return found

    def reload(self) -> None:
        """Has it read its configuration anew.

        Raises:
            HttpError: That is wrong; it goes on with the one it has.
        """
        fetch(f"{self.url}/-/reload", "POST", seconds=15.0)
