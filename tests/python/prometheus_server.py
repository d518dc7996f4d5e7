"""A real Prometheus in a folder and on a port of its own, and what the tests ask it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from conftest import wait_for
from polling import wait_until

# Prometheus looks for targets every five seconds; the first time, five seconds after it started.
FIRST_SCRAPE_SECONDS = 20.0
# With these it asks for protobuf first, and keeps native histograms and exemplars.
NATIVE_FEATURES = ("native-histograms", "exemplar-storage")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scrape_config(
    url: str, job: str, scrape_ms: int, rule_files: Sequence[Path] = ()
) -> dict[str, Any]:
    """A configuration with one job of one target; rules without a group interval run as often."""
    parts = urllib.parse.urlsplit(url)
    return {
        "global": {
            "scrape_interval": f"{scrape_ms}ms",
            "scrape_timeout": f"{scrape_ms}ms",
            "evaluation_interval": f"{scrape_ms}ms",
        },
        "rule_files": [str(path) for path in rule_files],
        "scrape_configs": [
            {
                "job_name": job,
                "metrics_path": parts.path or "/metrics",
                "static_configs": [{"targets": [parts.netloc]}],
            }
        ],
    }


class PrometheusServer:
    """A Prometheus process that runs while its ``with`` block does.

    Its warnings and errors are printed at the end, so that a failing test shows them.

    Args:
        tools: The folder of the binary.
        folder: Where configuration, data and log go.
        config: The configuration, as in ``prometheus.yml``.
        features: Names for ``--enable-feature``.
    """

    def __init__(
        self, tools: Path, folder: Path, config: dict[str, Any], features: Sequence[str] = ()
    ) -> None:
        self._folder = folder
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._command = [
            str(tools / "prometheus"),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            *([f"--enable-feature={','.join(features)}"] if features else []),
        ]
        self._config = config
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> PrometheusServer:
        self._folder.mkdir(parents=True, exist_ok=True)
        # JSON is YAML.
        (self._folder / "prometheus.yml").write_text(json.dumps(self._config), encoding="utf-8")
        with contextlib.ExitStack() as stack:
            log = self._folder / "prometheus.log"
            output = stack.enter_context(log.open("w", encoding="utf-8"))
            stack.callback(self._print_complaints, log)
            process = stack.enter_context(
                subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT, text=True)
            )
            stack.callback(process.terminate)
            wait_for(f"{self.url}/-/ready", process)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @staticmethod
    def _print_complaints(log: Path) -> None:
        for line in log.read_text(encoding="utf-8").splitlines():
            if "level=info" not in line and "Received SIGTERM" not in line:
                print(line)

    def get(self, path: str, **parameters: str) -> Any:
        """The ``data`` of an answer of the HTTP API; `path` comes after ``/api/v1/``."""
        encoded = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{encoded}", timeout=10) as reply:
            return json.load(reply)["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        result: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return result

    def value(self, expression: str) -> float | None:
        """The value of an expression with one result, None without one."""
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None

    def query_exemplars(self, expression: str, start: float, end: float) -> list[dict[str, Any]]:
        """Exemplars by series, between two moments in seconds since 1970."""
        found: list[dict[str, Any]] = self.get(
            "query_exemplars", query=expression, start=str(start), end=str(end)
        )
        return found

    def rule(self, name: str) -> dict[str, Any]:
        """What the API says about the alerting or recording rule of that name."""
        groups = self.get("rules")["groups"]
        named = [rule for group in groups for rule in group["rules"] if rule["name"] == name]
        assert len(named) == 1, f"want one rule {name}, got {len(named)} in {groups}"
        found: dict[str, Any] = named[0]
        return found

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """The pending and firing alerts of that name."""
        return [
            alert for alert in self.get("alerts")["alerts"] if alert["labels"]["alertname"] == name
        ]

    def wait_for_value(self, expression: str, wanted: float, seconds: float) -> None:
        """Polls until the expression has the wanted value."""
        wait_until(lambda: self.value(expression), lambda seen: seen == wanted, expression, seconds)

    def wait_until_scraped(self) -> None:
        """Polls until the target has been scraped for the first time."""
        self.wait_for_value("up", 1, FIRST_SCRAPE_SECONDS)
