"""Engines under load, and two Prometheus servers that have scraped them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import ROOT, wait_for
from dashboard_expectations import NVML_SCRIPT
from dashboard_queries import STEP_SECONDS, Series, ask
from polling import wait_until
from prometheus_server import FIRST_SCRAPE_SECONDS, PrometheusServer, free_port, scrape_config

NVML = ROOT / "build/release/cpp/tests/fakes/nvml/fake_nvml/libnvidia-ml.so.1"
SCRAPE_MS = 500
WINDOW = "15s"  # long enough that the restart fits into it
PATIENCE_SECONDS = 60.0
JOB = "triton"
# As the scrape configurations have it that the package writes.
RENAMED = {
    "source_labels": ["__name__"],
    "regex": "nv_inference_request_latency_us_(bucket|sum|count)",
    "target_label": "__name__",
    "replacement": "nv_inference_request_duration_us_$1",
}
RULES = {
    "groups": [
        {
            "name": "test",
            "rules": [
                {"alert": "ServerIsUp", "expr": "up == 1", "labels": {"severity": "info"}},
                {"alert": "Watchdog", "expr": "vector(1)", "labels": {"job": JOB}},
            ],
        }
    ]
}


@dataclass(frozen=True)
class Scraped:
    """What has been scraped, and from when on."""

    prometheus: PrometheusServer
    plain: PrometheusServer  # scrapes the same without renaming anything
    instance: str
    begin: float

    def ask(self, target: dict[str, Any], values: dict[str, str]) -> list[Series]:
        return ask(self.prometheus, target, {"__rate_interval": WINDOW} | values, self.begin)


@contextlib.contextmanager
def loaded_engines(port: int, folder: Path) -> Iterator[None]:
    """The process, until the block ends; its metrics are there."""
    script = folder / "gpus"
    script.write_text(NVML_SCRIPT)
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tests/python/loaded_engines.py"), f"--port={port}"],
        env=os.environ | {"INFEROMETER_NVML_LIBRARY": str(NVML), "FAKE_NVML_SCRIPT": str(script)},
        text=True,
    ) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/metrics", process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()  # if it does not end: the failure is to be seen, not waited for
    assert process.returncode == 0


def wait_for_answers(server: PrometheusServer) -> None:
    """Polls until there is enough for rates, and for every outcome to have happened."""
    fewest = "min(sum by (model_name) (inference_requests_total{status='success'}))"
    wait_until(
        lambda: server.value(fewest),
        lambda requests: requests is not None and requests >= 250,
        "250 answers of each model",
        PATIENCE_SECONDS,
    )


@contextlib.contextmanager
def scraped_engines(tools: Path, folder: Path) -> Iterator[Scraped]:
    """Engines that were started twice, scraped all the while; the load goes on.

    Args:
        tools: The folder of prometheus.
        folder: Where everything goes.
    """
    rules = folder / "rules.json"
    rules.write_text(json.dumps(RULES), encoding="utf-8")
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    config = scrape_config(url, JOB, SCRAPE_MS, [rules])
    config["scrape_configs"][0]["metric_relabel_configs"] = [RENAMED]
    with contextlib.ExitStack() as stack:
        prometheus = stack.enter_context(PrometheusServer(tools, folder / "renamed", config))
        plain = stack.enter_context(
            PrometheusServer(tools, folder / "plain", scrape_config(url, JOB, SCRAPE_MS))
        )
        with loaded_engines(port, folder):
            wait_until(
                lambda: prometheus.value("count_over_time(process_start_time_seconds[1m])"),
                lambda scrapes: scrapes is not None and scrapes >= 2,
                "two scrapes",
                FIRST_SCRAPE_SECONDS,
            )
        stack.enter_context(loaded_engines(port, folder))
        for server in (prometheus, plain):
            wait_for_answers(server)
        yield Scraped(prometheus, plain, f"127.0.0.1:{port}", time.time() - STEP_SECONDS)
