"""Three services, one Prometheus: the configuration of examples/several_targets, for real."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import yaml

from conftest import ROOT, wait_for
from polling import wait_until
from prometheus_server import FIRST_SCRAPE_SECONDS, PrometheusServer, free_port

FOLDER = ROOT / "examples/several_targets"


def test_the_configuration_is_valid(prometheus_tools: Path) -> None:
    done = subprocess.run(
        [str(prometheus_tools / "promtool"), "check", "config", str(FOLDER / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_target_has_its_environment_and_its_instance(
    prometheus_tools: Path, tmp_path: Path
) -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"]["scrape_interval"] = "500ms"
    (job,) = config["scrape_configs"]
    want = {}
    with contextlib.ExitStack() as stack:
        for group in job["static_configs"]:
            hosts = [target.removesuffix(":8002") for target in group["targets"]]
            # Whoever holds 8002 on this machine keeps it.
            group["targets"] = [f"{host}:{free_port()}" for host in hosts]
            for target in group["targets"]:
                host, port = target.split(":")
                process = stack.enter_context(
                    subprocess.Popen(
                        [sys.executable, str(FOLDER / "service.py"), host, port], text=True
                    )
                )
                stack.callback(process.terminate)
                wait_for(f"http://{target}/metrics", process)
                want[host] = group["labels"]["environment"]
        server = stack.enter_context(PrometheusServer(prometheus_tools, tmp_path, config))
        expression = 'rate(inference_requests_total{status="success"}[5s]) > 0'
        found = wait_until(
            lambda: server.query(expression),
            lambda result: len(result) == 3,
            expression,
            FIRST_SCRAPE_SECONDS + 10,
        )
        assert {s["metric"]["instance"]: s["metric"]["environment"] for s in found} == want
        assert sorted(want.values()) == ["production", "production", "staging"]
        assert {s["metric"]["job"] for s in found} == {"inference-servers"}
        assert server.value('count(up{job="inference-servers"} == 1)') == 3
