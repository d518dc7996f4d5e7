"""The committed alerts on a real Prometheus: a model made slow, a service stopped, and back.

All durations of the rules and the scrape interval are divided by one factor; the limits stay, so
the requests really take more than two seconds. What was seen is left in build/records/.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

import run_record
from alert_watch import AlertWatch
from conftest import ROOT, wait_for
from inferometer.monitoring.durations import milliseconds
from inferometer.monitoring.stack.scaled_rules import divided, scaled
from polling import wait_until
from prometheus_server import PrometheusServer, free_port, scrape_config
from steady_load import SteadyLoad

RULES = ROOT / "configs/prometheus-alerts.yml"
FACTOR = 60
SCRAPE_INTERVAL = "15s"  # in production; 250 ms here
REQUESTS_PER_SECOND = 20.0
SLOW_SECONDS = 2.2  # a batch; its requests have also waited for the batch before it
# A wait that takes so long has failed. Each takes a few seconds.
PATIENCE_SECONDS = 30.0
P95 = "histogram_quantile(0.95, sum by (le) (rate(inference_latency_seconds_bucket[{window}])))"

pytestmark = pytest.mark.slow


class DelayService:
    """The process of delay_service.py, always on the same port. Single-owner."""

    def __init__(self) -> None:
        self.made = time.monotonic()
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns when it is ready."""
        script = str(ROOT / "tests/python/delay_service.py")
        self._process = subprocess.Popen(
            [sys.executable, script, f"--port={self._port}"], text=True
        )
        wait_for(f"{self.url}/readyz", self._process)

    def stop(self) -> None:
        """Returns when the process is gone."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def set_delay(self, seconds: float) -> None:
        """Each batch of its model takes that long from now on."""
        request = urllib.request.Request(f"{self.url}/delay", str(seconds).encode(), method="PUT")
        with urllib.request.urlopen(request, timeout=5) as reply:
            assert reply.status == 204


@pytest.fixture(scope="module")
def rules() -> dict[str, Any]:
    """The committed rules with their durations divided."""
    return scaled(yaml.safe_load(RULES.read_text(encoding="utf-8")), FACTOR)


@pytest.fixture(scope="module")
def service() -> Iterator[DelayService]:
    service = DelayService()
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="module")
def prometheus(
    prometheus_tools: Path,
    service: DelayService,
    rules: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PrometheusServer]:
    """A Prometheus that scrapes the service and evaluates the rules; the first scrape is in."""
    folder = tmp_path_factory.mktemp("prometheus")
    rule_file = folder / "alerts.json"
    rule_file.write_text(json.dumps(rules), encoding="utf-8")
    subprocess.run([str(prometheus_tools / "promtool"), "check", "rules", rule_file], check=True)
    scrape_ms = milliseconds(divided(SCRAPE_INTERVAL, FACTOR))
    config = scrape_config(service.url, "triton", scrape_ms, [rule_file])
    with PrometheusServer(prometheus_tools, folder, config) as server:
        server.wait_until_scraped()
        yield server


@pytest.fixture(scope="module")
def observed(prometheus: PrometheusServer, service: DelayService) -> Iterator[dict[str, Any]]:
    """What the tests saw, by alert; written to a record at the end."""
    alerts: dict[str, Any] = {}
    yield alerts
    path = run_record.write(
        "alerts",
        {
            "rules": str(RULES.relative_to(ROOT)),
            "factor": FACTOR,
            "scrape_interval": SCRAPE_INTERVAL,
            "requests_per_second": REQUESTS_PER_SECOND,
            "slow_batch_seconds": SLOW_SECONDS,
        },
        {
            "prometheus": prometheus.get("status/buildinfo")["version"],
            "seconds": round(time.monotonic() - service.made, 1),  # starting everything included
            "alerts": alerts,
        },
    )
    for name, seen in alerts.items():
        steps = ", ".join(f"{change['state']} {change['seconds']:.1f} s" for change in seen["seen"])
        print(f"\n{name}: {steps}", end="")
    print(f"\nrecord: {path.relative_to(ROOT)}")


def rule_named(rules: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (r for group in rules["groups"] for r in group["rules"] if r["alert"] == name)
    assert isinstance(found, dict)
    return found


def assert_fired_and_resolved(watch: AlertWatch, rule: dict[str, Any]) -> dict[str, Any]:
    """Checks the states that were seen and those that Prometheus stored; returns both."""
    assert [change.state for change in watch.changes] == [
        "inactive",
        "pending",
        "firing",
        "inactive",
    ]
    stored = watch.recorded()
    assert stored.keys() == {"pending", "firing"}
    # It waited as long as the rule says, on the clock of the evaluations.
    pending, firing = stored["pending"][0], stored["firing"][0]
    assert firing - pending >= milliseconds(rule["for"]) / 1000 - 0.001
    assert max(stored["pending"]) < firing
    return {
        "seen": [asdict(change) for change in watch.changes],
        "evaluations": {
            state: {"first": moments[0], "last": moments[-1], "number": len(moments)}
            for state, moments in stored.items()
        },
    }


def test_a_wrong_delay_is_refused(service: DelayService) -> None:
    for wrong in (-1.0, 61.0, float("nan")):
        with pytest.raises(urllib.error.HTTPError, match="400") as refused:
            service.set_delay(wrong)
        with refused.value as reply:
            assert "want seconds from 0 to 60" in json.load(reply)["error"]


def test_prometheus_runs_the_committed_rules(
    prometheus: PrometheusServer, rules: dict[str, Any]
) -> None:
    committed = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for group in committed["groups"]:
        for rule in group["rules"]:
            running = prometheus.rule(rule["alert"])
            # Prometheus' own reading of the scaled file, in seconds.
            waits = milliseconds(rule["for"]) / FACTOR / 1000 if "for" in rule else 0
            assert running["duration"] == waits
            assert running["labels"] == rule["labels"]
            assert running["annotations"] == rule["annotations"]


def test_a_slow_model_fires_and_resolves(
    prometheus: PrometheusServer,
    service: DelayService,
    rules: dict[str, Any],
    observed: dict[str, Any],
) -> None:
    name = "HighInferenceLatencyWarning"
    p95 = P95.format(window=divided("5m", FACTOR))
    with SteadyLoad(f"{service.url}/infer", REQUESTS_PER_SECOND) as load:
        # Fast requests have a P95, and it is no reason to fire.
        wait_until(
            lambda: prometheus.value(p95),
            lambda value: value is not None and value < 1,
            "a P95 below 1 s",
            PATIENCE_SECONDS,
        )
        watch = AlertWatch(prometheus, name)
        watch.wait_for("inactive", PATIENCE_SECONDS)

        service.set_delay(SLOW_SECONDS)
        watch.wait_for("pending", PATIENCE_SECONDS)
        watch.wait_for("firing", PATIENCE_SECONDS)
        (alert,) = prometheus.alerts(name)
        assert alert["state"] == "firing"
        assert alert["labels"] == {
            "alertname": name,
            "severity": "warning",
            "component": "model",
            "job": "triton",
            "model_name": "delayed",
        }
        assert alert["annotations"]["summary"] == "delayed answers slowly"
        slow_p95 = float(alert["value"])
        assert slow_p95 > 2

        service.set_delay(0)
        watch.wait_for("inactive", PATIENCE_SECONDS)
        assert prometheus.alerts(name) == []
    assert load.failures == []
    observed[name] = {
        **assert_fired_and_resolved(watch, rule_named(rules, name)),
        "p95_seconds_when_firing": slow_p95,
        "description_when_firing": alert["annotations"]["description"],
        "requests": len(load.answers),
        "slowest_answer_seconds": round(max(seconds for _, seconds in load.answers), 3),
    }


def test_a_stopped_service_fires_and_resolves(
    prometheus: PrometheusServer,
    service: DelayService,
    rules: dict[str, Any],
    observed: dict[str, Any],
) -> None:
    name = "TritonDown"
    watch = AlertWatch(prometheus, name)
    watch.wait_for("inactive", PATIENCE_SECONDS)

    service.stop()
    watch.wait_for("pending", PATIENCE_SECONDS)
    watch.wait_for("firing", PATIENCE_SECONDS)
    (alert,) = prometheus.alerts(name)
    assert alert["state"] == "firing"
    instance = service.url.removeprefix("http://")
    assert alert["labels"] == {
        "alertname": name,
        "severity": "critical",
        "component": "service",
        "job": "triton",
        "instance": instance,
    }
    assert alert["annotations"]["summary"] == f"{instance} cannot be scraped"

    service.start()
    watch.wait_for("inactive", PATIENCE_SECONDS)
    assert prometheus.alerts(name) == []
    observed[name] = assert_fired_and_resolved(watch, rule_named(rules, name))
