"""Three servers under one Prometheus with the files for several targets."""

from __future__ import annotations

import contextlib
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT
from inferometer.monitoring import Settings
from inferometer.monitoring.files import render, write
from monitoring_tools import load, rules_of
from polling import wait_until
from prometheus_server import FIRST_SCRAPE_SECONDS, PrometheusServer

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
PATIENCE_SECONDS = 40.0
JOB = "inference-servers"
# A block of a runbook, or of the page that explains the alerts.
PROMQL = re.compile(r"^```promql\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def targets() -> Iterator[tuple[str, ...]]:
    """HOST:PORT of three processes with the same model, under load."""
    script = str(ROOT / "tests/python/metrics_process.py")
    with contextlib.ExitStack() as stack:
        found = []
        for host in HOSTS:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, script, host, "m"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            assert process.stdin is not None
            assert process.stdout is not None
            stack.callback(process.stdin.close)  # which ends it
            url = process.stdout.readline().strip()
            found.append(url.removeprefix("http://").removesuffix("/metrics"))
        yield tuple(found)


@pytest.fixture(scope="module")
def prometheus(
    prometheus_tools: Path, targets: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    """A Prometheus with prometheus-multi-target.yml that has scraped all three."""
    folder = tmp_path_factory.mktemp("several")
    settings = Settings(
        format="local", job=JOB, targets=targets, environment="staging", scrape_interval=0.5
    )
    write(folder, settings)
    for rules in ("prometheus-alerts.yml", "recording-rules.yml"):
        text = (folder / rules).read_text(encoding="utf-8")
        (folder / rules).write_text(text.replace("interval: 30s", "interval: 1s"), encoding="utf-8")
    config = load(folder / "prometheus-multi-target.yml")
    with PrometheusServer(prometheus_tools, folder, config) as server:
        server.wait_for_value("count(up == 1)", len(targets), FIRST_SCRAPE_SECONDS)
        yield server


pytestmark = pytest.mark.slow


def test_each_server_is_an_instance_without_a_port(
    prometheus: PrometheusServer, targets: tuple[str, ...]
) -> None:
    found = [series["metric"] for series in prometheus.query("up")]
    assert sorted(found, key=lambda labels: str(labels["instance"])) == [
        {
            "__name__": "up",
            "job": JOB,
            "instance": host,
            "environment": "staging",
            "service": "triton-inference-server",
        }
        for host in HOSTS
    ]
    assert {target["scrapeUrl"] for target in prometheus.get("targets")["activeTargets"]} == {
        f"http://{target}/metrics" for target in targets
    }


def test_the_widely_copied_query_finds_its_histogram(prometheus: PrometheusServer) -> None:
    copied = f'rate(nv_inference_request_duration_us_bucket{{job="{JOB}"}}[1m])'
    quantiles = wait_until(
        lambda: prometheus.query(f"histogram_quantile(0.95, {copied}) / 1000"),
        lambda series: len(series) == len(HOSTS),
        "a P95 of each server",
        PATIENCE_SECONDS,
    )
    for series in quantiles:
        assert 0 < float(series["value"][1]) < 60_000  # milliseconds
    for sample in ("sum", "count"):
        assert len(prometheus.query(f"nv_inference_request_duration_us_{sample}")) == len(HOSTS)
    # Renamed, not doubled; and the counter of that name is still there.
    assert prometheus.query('{__name__=~"nv_inference_request_latency_us.*"}') == []
    assert len(prometheus.query("nv_inference_request_duration_us")) == len(HOSTS)


def evaluated(prometheus: PrometheusServer) -> list[dict[str, Any]]:
    """All rules, when each has been evaluated."""
    return wait_until(
        lambda: [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]],
        lambda rules: all(rule["health"] != "unknown" for rule in rules),
        "an evaluation of every rule",
        PATIENCE_SECONDS,
    )


def test_every_rule_is_evaluated_and_a_healthy_service_fires_nothing(
    prometheus: PrometheusServer,
) -> None:
    assert {rule["name"]: rule["health"] for rule in evaluated(prometheus)} == {
        (rule.get("alert") or rule["record"]): "ok"
        for name in ("prometheus-alerts.yml", "recording-rules.yml")
        for rule in rules_of(yaml.safe_load(render(name, Settings())))
    }
    # Rules may be evaluated before the first scrape: what is absent then is pending for a moment.
    firing = prometheus.query('ALERTS{alertstate="firing"}')
    assert {alert["metric"]["alertname"] for alert in firing} == {"Watchdog"}


def test_every_recorded_series_is_there_and_sane(prometheus: PrometheusServer) -> None:
    names = {rule["record"] for rule in rules_of(load(ROOT / "configs/recording-rules.yml"))}

    def recorded() -> dict[str, list[float]]:
        values: dict[str, list[float]] = {}
        for series in prometheus.query('{__name__=~"job_.*"}'):
            name = series["metric"]["__name__"]
            values.setdefault(name, []).append(float(series["value"][1]))
        return values

    values = wait_until(
        recorded,
        lambda found: (
            found.keys() == names
            and not any(math.isnan(value) for values in found.values() for value in values)
        ),
        "a value of each recorded series",
        PATIENCE_SECONDS,
    )
    # The model is one, whatever process it runs in; its queues are three.
    assert len(values.pop("job_model_status:inference_requests:rate5m")) == 7
    assert len(values.pop("job_instance_model:inference_queue:fill_ratio")) == len(HOSTS)
    assert {len(found) for found in values.values()} == {1}
    one = {name: found[0] for name, found in values.items()}
    assert one["job_model:inference_requests:rate5m"] > 0
    for name, value in one.items():
        if "error" in name:
            assert value == 0
        elif "ratio" in name:
            assert 0 <= value <= 1
    latency = "job_model:inference_latency_seconds"
    p50, p95, p99 = (one[f"{latency}:{quantile}_rate5m"] for quantile in ("p50", "p95", "p99"))
    assert 0 < p50 <= p95 <= p99 < 60
    assert one["job_model:inference_batch_size:mean_rate5m"] == 1


@pytest.mark.parametrize(
    "page",
    [ROOT / "docs/alerts.md", *sorted((ROOT / "docs/runbooks").glob("*.md"))],
    ids=lambda page: page.name,
)
def test_the_queries_of_the_documents_run(prometheus: PrometheusServer, page: Path) -> None:
    queries = PROMQL.findall(page.read_text(encoding="utf-8"))
    assert queries or page.name == "README.md"
    for query in queries:
        prometheus.query(query.replace('job="triton"', f'job="{JOB}"'))
