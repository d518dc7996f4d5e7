"""A service under load, a Prometheus that scrapes it, and node to look at its page in a browser."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import inferometer as im
from conftest import ROOT, wait_for
from polling import wait_until
from prometheus_server import PrometheusServer, free_port, scrape_config

BROWSER = ROOT / "tests/browser"
PLAYWRIGHT = ROOT / "build/page/node_modules/playwright-core/index.mjs"
FAKE_NVML = ROOT / "build/release/cpp/tests/fakes/nvml/fake_nvml/libnvidia-ml.so.1"
GPUS = """
[gpu]
uuid = GPU-11111111-2222-3333-4444-555555555555
utilization = 37
memory_total = 150754820096
memory_used = 91234567890
power_usage = 471337
power_limit = 700000
temperature = 61
sm_clock = 1980
memory_clock = 3201

[gpu]
uuid = GPU-66666666-7777-8888-9999-000000000000
utilization = 93
memory_total = 150754820096
memory_used = 1073741824
power_usage = 71337
temperature = 41
"""
DASHBOARDS = sorted(
    (Path(im.__file__).parent / "monitoring/files/grafana/dashboards").glob("*.json")
)
RULES = {
    "groups": [
        {
            "name": "alerts",
            "rules": [
                {"alert": "Watchdog", "expr": "vector(1)"},
                {
                    "alert": "HighInferenceLatency",
                    "expr": 'sum by (model) (nv_inference_count{model="slow_ranker"}) > 0',
                    "labels": {"severity": "critical"},
                    "annotations": {
                        "summary": "slow_ranker answers slowly",
                        "runbook_url": "https://example.org/HighInferenceLatency",
                    },
                },
                {
                    "alert": "RequestQueueBacklog",
                    "expr": 'sum by (model) (nv_inference_count{model="fraud_check"}) > 0',
                    "for": "1h",
                    "labels": {"severity": "warning"},
                },
            ],
        }
    ]
}


class MissingToolError(Exception):
    """Something that only a package manager can bring is missing; the message says what."""


def browser_tools() -> dict[str, str]:
    """Where the browser and what drives it are, as the environment of tests/browser.

    Raises:
        MissingToolError: There is no Chromium, or npm cannot bring playwright-core.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        raise MissingToolError("chromium is missing (Debian: apt-get install chromium)")
    command = [str(ROOT / "scripts/fetch_page_assets.sh"), "browser"]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False)
    if fetched.returncode != 0:
        output = (fetched.stdout + fetched.stderr)[-300:]
        raise MissingToolError(f"playwright-core could not be had: {output}")
    return {"CHROMIUM": chromium, "PLAYWRIGHT": str(PLAYWRIGHT)}


def run_node(*command: str, environment: Mapping[str, str]) -> str:
    """Runs node in tests/browser and returns its output.

    Raises:
        AssertionError: It failed; its output is the message.
    """
    done = subprocess.run(
        ["node", *command],
        cwd=BROWSER,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


@contextlib.contextmanager
def service(models: int, port: int, *options: str, gpus: Path | None = None) -> Iterator[str]:
    """The URL of tests/browser/page_service.py.

    Args:
        models: How many it has.
        port: Of 127.0.0.1.
        options: More of its options.
        gpus: What the fake NVML says, which the C++ tests build; None: no GPU.
    """
    nvml = {"INFEROMETER_NVML_LIBRARY": str(FAKE_NVML), "FAKE_NVML_SCRIPT": str(gpus)}
    environment = {**os.environ, **(nvml if gpus and FAKE_NVML.exists() else {})}
    command = [sys.executable, str(BROWSER / "page_service.py"), "--port", str(port)]
    with subprocess.Popen(
        [*command, "--models", str(models), *options], env=environment, text=True
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/livez", process, 60)
            yield url
        finally:
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def running_stack(tools: Path, folder: Path, models: int) -> Iterator[dict[str, str]]:
    """A service with models under load, which Prometheus has scraped every second for a while.

    Args:
        tools: The folder of prometheus.
        folder: Where configuration and data go.
        models: How many.

    Yields:
        The environment of tests/browser, without that of the browser.
    """
    (folder / "gpus").write_text(GPUS, encoding="utf-8")
    (folder / "rules.yml").write_text(json.dumps(RULES), encoding="utf-8")
    port = free_port()
    config = scrape_config(f"http://127.0.0.1:{port}", "triton", 1000, [folder / "rules.yml"])
    config["scrape_configs"][0]["metric_relabel_configs"] = [
        {
            "source_labels": ["__name__"],
            "regex": "nv_inference_request_latency_us(_bucket|_sum|_count)",
            "target_label": "__name__",
            "replacement": "nv_inference_request_duration_us$1",
        }
    ]
    with (
        PrometheusServer(tools, folder, config) as prometheus,
        service(models, port, "--prometheus", prometheus.url, gpus=folder / "gpus") as url,
    ):
        prometheus.wait_until_scraped()
        enough = 'min(count_over_time(nv_inference_count{model!="x"}[1m]))'
        wait_until(
            lambda: prometheus.value(enough), lambda seen: (seen or 0) >= 20, "20 scrapes", 60, 0.5
        )
        yield {
            "SERVICE": url,
            "PROMETHEUS": prometheus.url,
            "DASHBOARDS": json.dumps([str(path) for path in DASHBOARDS]),
        }


def run_in_chromium(file: str, environment: dict[str, str]) -> None:
    """Runs a file of tests/browser; ``pytest -s`` shows what it says."""
    print(run_node("--test", "--test-reporter=spec", file, environment=environment))
