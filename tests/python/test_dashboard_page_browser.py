"""The page in a real Chromium, over a service under load and a real Prometheus.

The tests themselves are in tests/browser, for node's own test runner; they need Debian's packages
chromium and npm.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import inferometer as im
from conftest import ROOT, wait_for
from polling import wait_until
from prometheus_server import PrometheusServer, free_port, scrape_config

pytestmark = pytest.mark.slow

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
DASHBOARDS = sorted((Path(im.__file__).parent / "monitoring/files/grafana/dashboards").glob("*"))
RULES = {
    "groups": [
        {
            "name": "alerts",
            "rules": [
                {"alert": "Watchdog", "expr": "vector(1)"},
                {
                    "alert": "HighInferenceLatency",
                    "expr": 'sum by (model) (nv_inference_count{model="slow"}) > 0',
                    "labels": {"severity": "critical"},
                    "annotations": {
                        "summary": "slow answers slowly",
                        "runbook_url": "https://example.org/HighInferenceLatency",
                    },
                },
                {
                    "alert": "RequestQueueBacklog",
                    "expr": 'sum by (model) (nv_inference_count{model="digits"}) > 0',
                    "for": "1h",
                    "labels": {"severity": "warning"},
                },
            ],
        }
    ]
}


@pytest.fixture(scope="module")
def chromium() -> dict[str, str]:
    """Where the browser and what drives it are, as the tests' environment."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is missing (Debian: apt-get install chromium)")
    fetched = subprocess.run(
        [str(ROOT / "scripts/fetch_page_assets.sh"), "browser"],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode != 0:
        pytest.skip(f"playwright-core could not be had: {(fetched.stdout + fetched.stderr)[-300:]}")
    return {"CHROMIUM": found, "PLAYWRIGHT": str(PLAYWRIGHT)}


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


def run(file: str, environment: dict[str, str]) -> None:
    """Runs a file of tests/browser; its output is shown, also where it passes (``pytest -s``)."""
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", str(BROWSER / file)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.fixture(scope="module")
def stack(
    prometheus_tools: Path, chromium: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A service with four models and a Prometheus that has scraped it for a while."""
    folder = tmp_path_factory.mktemp("prometheus")
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
        PrometheusServer(prometheus_tools, folder, config) as prometheus,
        service(4, port, "--prometheus", prometheus.url, gpus=folder / "gpus") as url,
    ):
        prometheus.wait_until_scraped()
        enough = 'min(count_over_time(nv_inference_count{model!="x"}[1m]))'
        wait_until(
            lambda: prometheus.value(enough), lambda seen: (seen or 0) >= 20, "20 scrapes", 60, 0.5
        )
        yield {
            **chromium,
            "SERVICE": url,
            "PROMETHEUS": prometheus.url,
            "DASHBOARDS": json.dumps([str(path) for path in DASHBOARDS]),
        }


def test_each_panel_says_what_prometheus_says(stack: dict[str, str]) -> None:
    run("values.test.mjs", stack)


def test_the_page_in_use(stack: dict[str, str]) -> None:
    run("use.test.mjs", stack)


@pytest.mark.parametrize("models", [0, 100])
def test_as_many_models_as_there_may_be(models: int, chromium: dict[str, str]) -> None:
    with service(models, free_port()) as url:
        run("scale.test.mjs", {**chromium, "SERVICE": url, "MODELS": str(models)})


def test_the_pages_own_calculations(chromium: dict[str, str]) -> None:
    run("calculations.test.mjs", chromium)
