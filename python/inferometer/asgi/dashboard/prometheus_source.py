"""Answers from a Prometheus server's HTTP API."""

from __future__ import annotations

import http.client
import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

import numpy as np

from inferometer._core import ConfigError
from inferometer.asgi.dashboard.promql.series import Floats, Series, Vector
from inferometer.asgi.dashboard.source import Alert, SourceError

_TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 32 * 1024 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A Prometheus that sends us elsewhere is not followed there."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _checked_url(url: str) -> str:
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port  # checked when it is asked for
        good = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    except ValueError:
        good = False
    if not good:
        raise ConfigError(
            f"prometheus_url: got {url!r}, want http://HOST:PORT or https://HOST:PORT, "
            "without a user"
        )
    return url.rstrip("/")


class PrometheusSource:
    """A Prometheus server. Thread-safe.

    Args:
        url: Of the server, as in ``http://127.0.0.1:9090``.
        scrape_seconds: How often it scrapes.

    Raises:
        ConfigError: A URL that is none.
    """

    def __init__(self, url: str, scrape_seconds: float) -> None:
        self._url = _checked_url(url)
        self.scrape_seconds = scrape_seconds
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def describe(self) -> dict[str, Any]:
        """See `DataSource`."""
        return {"kind": "prometheus", "url": self._url, "interval": self.scrape_seconds}

    def _get(self, path: str, parameters: Sequence[tuple[str, str]]) -> Any:
        request = urllib.request.Request(f"{self._url}/api/v1/{path}")
        if parameters:  # in the body: a query may be longer than a URL may be
            request.data = urllib.parse.urlencode(parameters).encode()
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as reply:
                body = reply.read(_MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            with error:
                raise SourceError(f"Prometheus: {self._complaint(error)}") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise SourceError(f"Prometheus does not answer at {self._url}: {reason}") from error
        if len(body) > _MOST_BYTES:
            raise SourceError(f"Prometheus' answer has more than {_MOST_BYTES >> 20} MiB")
        try:
            return json.loads(body)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(f"what answers at {self._url} is no Prometheus") from error

    @staticmethod
    def _complaint(error: urllib.error.HTTPError) -> str:
        try:
            return str(json.loads(error.read(4096))["error"])
        except (ValueError, KeyError, TypeError, OSError):
            return f"HTTP status {error.code}"

    def query(self, query: str, steps: Floats) -> Vector:
        """See `DataSource`."""
        timeout = ("timeout", f"{_TIMEOUT_SECONDS:g}s")
        if len(steps) == 1:
            data = self._get("query", [("query", query), ("time", f"{steps[0]:.3f}"), timeout])
        else:
            parameters = {
                "query": query,
                "start": f"{steps[0]:.3f}",
                "end": f"{steps[-1]:.3f}",
                "step": f"{steps[1] - steps[0]:.3f}",
            }
            data = self._get("query_range", [*parameters.items(), timeout])
        kind, result = data["resultType"], data["result"]
        if kind == "string":
            raise SourceError("got a string, want a vector or a scalar")
        if kind == "scalar":
            result = [{"metric": {}, "value": result}]
        return [self._series(one, steps) for one in result]

    @staticmethod
    def _series(one: dict[str, Any], steps: Floats) -> Series:
        pairs = one["values"] if "values" in one else [one["value"]]
        values = np.zeros(len(steps))
        present = np.zeros(len(steps), np.bool_)
        apart = steps[1] - steps[0] if len(steps) > 1 else 1.0
        for at, value in pairs:
            index = round((float(at) - steps[0]) / apart)
            values[index], present[index] = float(value), True
        return Series(one["metric"], values, present)

    def label_values(self, selector: str, label: str, start: float, end: float) -> list[str]:
        """See `DataSource`."""
        parameters = [("start", f"{start:.3f}"), ("end", f"{end:.3f}")]
        if selector:
            parameters.append(("match[]", selector))
        path = f"label/{urllib.parse.quote(label, safe='')}/values"
        # This path takes its parameters in the URL alone.
        found = self._get(f"{path}?{urllib.parse.urlencode(parameters)}", ())
        return sorted(str(value) for value in found)

    def alerts(self) -> list[Alert]:
        """See `DataSource`."""
        return [
            Alert(
                labels=alert["labels"],
                annotations=alert["annotations"],
                state=alert["state"],
                since=alert.get("activeAt", ""),
                value=_number(alert.get("value")),
            )
            for alert in self._get("alerts", ())["alerts"]
        ]


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan
