"""Who is told what, by amtool; and what a running Alertmanager holds back."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT, wait_for
from inferometer.monitoring import Settings
from inferometer.monitoring.files import render
from monitoring_tools import accepted, load, output_of, rules_of, tool
from polling import wait_until
from prometheus_server import free_port

CONFIG = ROOT / "configs/alertmanager.yml"
ALERTS = rules_of(load(ROOT / "configs/prometheus-alerts.yml"))
PATIENCE_SECONDS = 30.0
Labels = dict[str, str]


@pytest.fixture(scope="module")
def amtool(prometheus_tools: Path) -> Path:
    """Alertmanager's own tool."""
    return tool(prometheus_tools, "amtool")


def test_alertmanager_accepts_the_files(amtool: Path, tmp_path: Path) -> None:
    for number, settings in enumerate(
        [
            Settings(),
            Settings(format="local"),
            Settings(targets=("a:1", "b:1"), webhook_url="https://hooks.example.org/x?y=z"),
        ]
    ):
        path = tmp_path / f"{number}.yml"
        path.write_text(render("alertmanager.yml", settings), encoding="utf-8")
        assert "3 inhibit rules" in accepted(amtool, "check-config", path)


def receiver_of(amtool: Path, labels: Labels) -> str:
    """The receiver of an alert with these labels."""
    pairs = [f"{name}={value}" for name, value in labels.items()]
    done = subprocess.run(
        [str(amtool), "config", "routes", "test", f"--config.file={CONFIG}", *pairs],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_goes_to_the_receiver_of_its_severity(
    amtool: Path, rule: dict[str, Any]
) -> None:
    wanted = "watchdog" if rule["alert"] == "Watchdog" else rule["labels"]["severity"]
    labels = {"alertname": rule["alert"], "model_name": "m", **rule["labels"]}
    assert receiver_of(amtool, labels) == wanted


@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
def test_each_severity_has_a_receiver(amtool: Path, severity: str) -> None:
    assert receiver_of(amtool, {"alertname": "Mine", "severity": severity}) == severity


def test_an_alert_without_a_severity_is_not_lost(amtool: Path) -> None:
    assert receiver_of(amtool, {"alertname": "Mine"}) == "warning"


def test_the_check_of_routes_can_fail(amtool: Path) -> None:
    status, output = output_of(
        amtool, "config", "routes", "test", f"--config.file={CONFIG}",
        "--verify.receivers=info", "severity=critical",
    )  # fmt: skip
    assert status == 1, output


class Alertmanager:
    """A running Alertmanager with one of our files."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, *alerts: Labels) -> None:
        """As Prometheus does."""
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts",
            json.dumps([{"labels": labels} for labels in alerts]).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert reply.status == 200

    def states(self) -> dict[str, str]:
        """The state of each alert: active, suppressed, or not yet decided, unprocessed."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as reply:
            return {
                alert["labels"]["alertname"]: alert["status"]["state"] for alert in json.load(reply)
            }


@contextlib.contextmanager
def running(folder: Path, program: Path, settings: Settings) -> Iterator[Alertmanager]:
    """An Alertmanager; its groups wait for nothing, so that it decides at once."""
    # Debian's Alertmanager does not start where it was only unpacked.
    relocation = pytest.importorskip("inferometer.monitoring.stack.relocation")
    runnable = relocation.runnable_alertmanager(program)
    config = yaml.safe_load(render("alertmanager.yml", settings))
    for route in (config["route"], *config["route"]["routes"]):
        route["group_wait"] = "0s"
    # Nobody listens there; here it is about what is held back.
    for receiver in config["receivers"]:
        receiver["webhook_configs"] = []
    (folder / "alertmanager.yml").write_text(json.dumps(config), encoding="utf-8")
    url = f"http://127.0.0.1:{free_port()}"
    with (
        (folder / "log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [
                str(runnable.program),
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={folder}/data",
                f"--web.listen-address={url.removeprefix('http://')}",
                "--cluster.listen-address=",
            ],
            cwd=runnable.folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        try:
            wait_for(f"{url}/-/ready", process)
            yield Alertmanager(url)
        finally:
            process.terminate()


def labels(name: str, severity: str = "warning", job: str = "triton", **more: str) -> Labels:
    """An alert's labels."""
    return {"alertname": name, "severity": severity, "job": job, **more}


DOWN = labels("TritonDown", "critical", instance="a:1")
WATCHDOG = labels("Watchdog", "info")
ONE = Settings(format="local")
SEVERAL = Settings(format="local", targets=("a:1", "b:1"))


# In each case something is held back, which shows that Alertmanager knows why by then; so what is
# not held back will not be.
@pytest.mark.parametrize(
    ("settings", "source", "held_back", "sent"),
    [
        pytest.param(
            ONE,
            labels("HighInferenceLatency", "critical", model_name="m"),
            [
                labels("HighInferenceLatencyWarning", model_name="m"),
                labels("LowBatchingEfficiency", "info", model_name="m"),
                labels("QueueSaturated", model_name="m", instance="a:1"),
            ],
            [
                labels("HighErrorRate", "critical", model_name="m"),
                labels("RequestQueueBacklog", model_name="other", instance="a:1"),
                labels("ErrorBudgetBurnSlow", job="other", model_name="m"),
                labels("ScrapeSlow", instance="a:1"),
                WATCHDOG,
            ],
            id="critical for a model",
        ),
        pytest.param(
            ONE,
            DOWN,
            [
                labels("HighErrorRate", "critical", model_name="m"),
                labels("InferenceStalled", "critical", model_name="m", instance="a:1"),
                labels("ScrapeSlow", instance="a:1"),
                labels("HighGPUUtilization", instance="a:1", gpu_uuid="g"),
            ],
            [labels("QueueSaturated", job="other", model_name="m", instance="a:1"), WATCHDOG],
            id="the only target is down",
        ),
        pytest.param(
            SEVERAL,
            DOWN,
            [labels("ScrapeSlow", instance="a:1")],
            [
                labels("HighErrorRate", "critical", model_name="m"),
                labels("QueueSaturated", model_name="other", instance="b:1"),
                WATCHDOG,
            ],
            id="one target of several is down",
        ),
        pytest.param(
            SEVERAL,
            labels("InferenceAbsent", "critical"),
            [
                labels("HighErrorRate", "critical", model_name="m"),
                labels("ScrapeSlow", instance="a:1"),
            ],
            [labels("QueueSaturated", job="other", model_name="m", instance="a:1"), WATCHDOG],
            id="no target",
        ),
    ],
)
def test_a_running_alertmanager_holds_back_what_means_nothing_more(
    prometheus_tools: Path,
    tmp_path: Path,
    settings: Settings,
    source: Labels,
    held_back: list[Labels],
    sent: list[Labels],
) -> None:
    program = tool(prometheus_tools, "alertmanager", "prometheus-alertmanager")
    wanted = {
        **{alert["alertname"]: "suppressed" for alert in held_back},
        **{alert["alertname"]: "active" for alert in (source, *sent)},
    }
    with running(tmp_path, program, settings) as alertmanager:
        alertmanager.post(source, *held_back, *sent)
        wait_until(
            alertmanager.states, lambda seen: seen == wanted, f"want {wanted}", PATIENCE_SECONDS
        )
