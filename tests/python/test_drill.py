"""``inferometer drill``: alerts that really fire and resolve, and what it says when they do not."""

from __future__ import annotations

import _ctypes
import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT
from inferometer.command_error import CommandError
from inferometer.monitoring import Settings, drill_command
from inferometer.monitoring.drill.fake_gpu import FakeGpu
from inferometer.monitoring.drill.ground import Ground
from inferometer.monitoring.drill.repository import drill_repository
from inferometer.monitoring.drill.run import Limits, Outcome, run_drill
from inferometer.monitoring.drill.scenario import SCENARIOS
from inferometer.monitoring.files import render
from inferometer.monitoring.stack.ports import free_ports
from inferometer.monitoring.stack.processes import ProcessError
from inferometer.monitoring.stack.prometheus_api import PrometheusApi
from inferometer.monitoring.stack.service import Service, ServiceAddress
from inferometer.monitoring.stack.webhook import Notification
from inferometer.repository import read_repository
from stack_case import processes_of, stack_tools

FAKE_NVML = ROOT / "build/release/cpp/tests/fakes/nvml/fake_nvml/libnvidia-ml.so.1"
COMMAND = [sys.executable, "-m", "inferometer", "drill"]


def drill(folder: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Runs a drill; what it printed, and its record."""
    stack_tools()
    done = subprocess.run(
        [*COMMAND, *options, f"--keep={folder}/keep"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout + done.stderr)
    found = re.search(r"record: (.+)", done.stdout)
    record = json.loads(Path(found[1]).read_text(encoding="utf-8")) if found else {}
    assert processes_of(str(folder)) == []
    return done, record


@pytest.mark.slow
@pytest.mark.parametrize("name", ["latency", "errors", "queue", "down"])
def test_the_alert_fires_and_resolves(tmp_path: Path, name: str) -> None:
    done, record = drill(tmp_path, name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the alert has fired and resolved" in done.stdout
    scenario = SCENARIOS[name]
    observed = record["observed"]
    fired, resolved = observed["fired"], observed["resolved"]
    assert fired["labels"]["alertname"] in scenario.alerts
    assert (fired["status"], resolved["status"]) == ("firing", "resolved")
    assert fired["labels"] == resolved["labels"]
    order = [event["event"] for event in observed["events"]]
    texts = ["load: 20", "fault: ", "firing: at the", "fault is removed", "resolved: at the"]
    assert [text in event for text, event in zip(texts, order, strict=True)] == [True] * 5
    moments = [event["seconds"] for event in observed["events"]]
    assert moments == sorted(moments)
    assert observed["load"]["sent"] > 20
    assert record["settings"]["time_scale"] == 60
    assert {"python", "numpy"} <= record["versions"].keys()
    # Kept: what Prometheus, Alertmanager and the service said.
    kept = {path.name for path in (tmp_path / "keep").iterdir()}
    assert {"prometheus.log", "alertmanager.log", "service.log", "prometheus-alerts.yml"} <= kept
    assert not [name for name in kept if name.endswith(".pid")]


@pytest.mark.slow
@pytest.mark.skipif(not FAKE_NVML.exists(), reason="the fake NVML is not built")
def test_a_gpu_that_fills_up(tmp_path: Path) -> None:
    done, record = drill(tmp_path, "gpu", f"--fake-nvml={FAKE_NVML}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert record["observed"]["fired"]["labels"]["alertname"] == "GPUMemoryExhausted"


@pytest.mark.slow
@pytest.mark.skipif(not FAKE_NVML.exists(), reason="the fake NVML is not built")
def test_a_gpu_that_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a driver, whose place the fake one takes here, the limit is moved, not the GPU."""
    gpu = FakeGpu(FAKE_NVML, tmp_path / "gpu.ini")
    gpu.fill(False)
    for name, value in gpu.environment.items():
        monkeypatch.setenv(name, value)
    before = (tmp_path / "gpu.ini").read_text()
    done, record = drill(tmp_path, "gpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert record["observed"]["fired"]["labels"]["alertname"] == "GPUMemoryExhausted"
    assert (tmp_path / "gpu.ini").read_text() == before


@pytest.mark.slow
def test_an_interrupted_drill_leaves_nothing(tmp_path: Path) -> None:
    stack_tools()
    with subprocess.Popen(
        [*COMMAND, "latency", f"--keep={tmp_path}"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "fault: " in line:
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert processes_of(str(tmp_path)) == []


@pytest.mark.slow
def test_a_service_that_does_not_start_is_one_line_and_status_1(tmp_path: Path) -> None:
    empty = tmp_path / "models"
    empty.mkdir()
    done, record = drill(tmp_path, "latency", f"--repository={empty}")
    assert done.returncode == 1
    assert record == {}
    assert done.stderr.startswith("inferometer: service has ended with exit status")
    assert done.stderr.count("\n") == 1


def test_an_alert_that_does_not_come_is_a_failure(tmp_path: Path) -> None:
    """A ground where nothing answers: no alert, and in time an answer that says so."""
    nobody = ServiceAddress(*free_ports(2))
    service = Service(tmp_path, tmp_path, nobody)
    ground = Ground(PrometheusApi(nobody.url), service, lambda since: [])
    said: list[str] = []
    limits = Limits(total=1.0, fault=1.0)
    outcome = run_drill(ground, SCENARIOS["latency"], limits, said.append)
    assert not outcome.passed
    assert outcome.problem is not None
    assert "Connection refused" in outcome.problem
    assert any("failed: " in line for line in said)
    assert Outcome().passed is False


PASSED = Outcome(
    fired=Notification(0, 0.0, "firing", "warning", {"alertname": "A"}, {}, "", ""),
    resolved=Notification(1, 1.0, "resolved", "warning", {"alertname": "A"}, {}, "", ""),
    timeline="\u00b7\u2588\u00b7  A",
)


def drill_in_place_of_one(
    monkeypatch: pytest.MonkeyPatch, drill: Callable[[Path, Callable[[str], None]], Outcome]
) -> None:
    """Has the command run that, with the folder it would run in, in place of a real drill."""

    @contextlib.contextmanager
    def own_ground(folder: Path, repository: Path, fake_nvml: Path | None) -> Iterator[Ground]:
        address = ServiceAddress(1, 2)
        yield Ground(PrometheusApi(address.url), Service(folder, folder, address), lambda n: [])

    monkeypatch.setattr("inferometer.monitoring.stack.binaries.find_or_fetch", lambda: None)
    monkeypatch.setattr(drill_command, "own_ground", own_ground)
    monkeypatch.setattr(
        drill_command,
        "run_drill",
        lambda ground, scenario, limits, say: drill(ground.service.process.log.parent, say),
    )


def test_a_verdict_is_told_though_its_record_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drill_in_place_of_one(monkeypatch, lambda folder, say: PASSED)
    monkeypatch.setattr("inferometer.monitoring.drill.record.project_root", lambda: tmp_path)
    (tmp_path / "build").mkdir()
    (tmp_path / "build/records").write_text("a file where the folder should be", encoding="utf-8")
    assert drill_command.run(parsed("errors")) == 0
    *_, timeline, _, verdict, record = capsys.readouterr().out.splitlines()
    assert timeline == PASSED.timeline
    assert verdict.startswith("passed in ")
    assert re.fullmatch(r"record: could not be written: .*File exists: '.*/build/records'", record)


def test_no_message_names_a_log_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("inferometer.monitoring.drill.record.project_root", lambda: tmp_path)
    seen: list[Path] = []

    def fail(folder: Path, say: Callable[[str], None]) -> Outcome:
        seen.append(folder)
        text = f"service has ended with exit status 1; {folder}/service.log:\nits end"
        say(text)
        return Outcome(problem=text, events=[(1.0, text)])

    def end(folder: Path, say: Callable[[str], None]) -> Outcome:
        raise ProcessError(str(fail(folder, say).problem))

    drill_in_place_of_one(monkeypatch, fail)
    assert drill_command.run(parsed("errors")) == 1
    said = capsys.readouterr().out
    assert said.count("status 1; service.log (--keep FOLDER keeps it):\nits end") == 2
    (record,) = (tmp_path / "build/records").iterdir()
    drill_in_place_of_one(monkeypatch, end)
    with pytest.raises(CommandError) as error:
        drill_command.run(parsed("errors"))
    for text in (said, record.read_text(encoding="utf-8"), str(error.value)):
        assert not any(str(folder) in text for folder in seen)
    # One that stays is named.
    with pytest.raises(CommandError, match=f"; {tmp_path}/kept/service.log:"):
        drill_command.run(parsed("errors", f"--keep={tmp_path}/kept"))


def test_a_fault_ends_though_nobody_can_be_told(tmp_path: Path) -> None:
    """Standard output is gone when the fault is to be removed: a service must not stay stopped."""
    calls: list[str] = []

    class Told(Service):
        def start(self) -> None:
            calls.append("start")

        def stop(self) -> bool:
            calls.append("stop")
            return True

    class Quiet(PrometheusApi):
        def alerts(self, name: str) -> list[dict[str, Any]]:
            return []

        def value(self, expression: str) -> float | None:
            return 1.0

    def say(text: str) -> None:
        if calls:
            raise BrokenPipeError

    address = ServiceAddress(*free_ports(2))
    ground = Ground(Quiet(address.url), Told(tmp_path, tmp_path, address), lambda since: [])
    with pytest.raises(BrokenPipeError):
        run_drill(ground, SCENARIOS["down"], Limits(total=0.2, fault=1.0), say)
    assert calls == ["stop", "start"]


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    drill_command.add_arguments(parser)
    return parser.parse_args(options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["gpu"], "drill gpu: needs an NVIDIA driver (libnvidia-ml.so.1), or --fake-nvml PATH"),
        (["gpu", "--live"], "drill gpu --live: "),
        (["gpu", "--fake-nvml", "/no/such"], "--fake-nvml: got /no/such, want a shared library"),
        (["gpu", "--fake-nvml", __file__], "want a shared library with NVML's functions: "),
        (["gpu", "--fake-nvml", _ctypes.__file__], "NVML's functions: it has no nvmlInit_v2"),
        (["latency", "--repository", "/no/such"], "--repository: got /no/such, want a folder"),
    ],
)
def test_wrong_options(
    options: list[str], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INFEROMETER_NVML_LIBRARY", str(tmp_path / "none.so"))
    with pytest.raises(CommandError, match=re.escape(message)) as error:
        drill_command.run(parsed(*options))
    assert error.value.status == 2


def test_an_unknown_drill_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed("earthquake")
    assert ended.value.code == 2
    assert "invalid choice: 'earthquake'" in capsys.readouterr().err


def test_live_without_a_stack_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no stack in .* scripts/setup_monitoring.sh") as error:
        drill_command.run(parsed("latency", "--live", f"--folder={tmp_path}"))
    assert error.value.status == 1


def test_every_drill_waits_for_an_alert_that_is_shipped() -> None:
    shipped = yaml.safe_load(render("prometheus-alerts.yml", Settings()))
    names = {rule["alert"] for group in shipped["groups"] for rule in group["rules"]}
    for scenario in SCENARIOS.values():
        assert set(scenario.alerts) <= names
        assert (scenario.fault is not None) == (scenario.action == "fault")


def test_without_a_repository_a_small_one_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert drill_repository(tmp_path / "mine", tmp_path) == tmp_path / "mine"
    assert drill_repository(None, tmp_path) == ROOT / "model_repository"
    (tmp_path / "model_repository").mkdir()
    assert drill_repository(None, tmp_path) == tmp_path / "model_repository"
    # As from a wheel, in a folder without one.
    monkeypatch.setattr("inferometer.monitoring.drill.repository.project_root", lambda: None)
    (tmp_path / "model_repository").rmdir()
    small = drill_repository(None, tmp_path / "work")
    (model,) = read_repository(small)
    assert model.name == "relu"


def test_the_fake_gpus_file_is_never_half_written(tmp_path: Path) -> None:
    gpu = FakeGpu(tmp_path / "lib.so", tmp_path / "gpu.ini")
    assert os.listdir(tmp_path) == []
    gpu.fill(False)
    quiet = (tmp_path / "gpu.ini").read_text()
    gpu.fill(True)
    full = (tmp_path / "gpu.ini").read_text()
    used = [int(re.findall(r"memory_used = (\d+)", text)[0]) for text in (quiet, full)]
    total = int(re.findall(r"memory_total = (\d+)", full)[0])
    assert used[0] < 0.5 * total < 0.95 * total < used[1] < total
    assert gpu.environment["FAKE_NVML_SCRIPT"] == str(tmp_path / "gpu.ini")
    assert os.listdir(tmp_path) == ["gpu.ini"]
    assert gpu.files == ("gpu.ini", "gpu.ini.part")
