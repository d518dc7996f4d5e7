"""scripts/setup_monitoring.sh without Docker: start, again, taken ports, status, stop, reset."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT
from inferometer.monitoring.stack import docker_stack
from inferometer.monitoring.stack.http_client import answers, fetch, fetch_json
from inferometer.monitoring.stack.ports import free_ports, is_free
from inferometer.monitoring.stack.processes import Identity, ProcessError
from inferometer.monitoring.stack.prometheus_api import PrometheusApi
from inferometer.monitoring.stack.stack_folder import StackFolder
from inferometer.monitoring.stack.waiting import wait_until
from stack_case import processes_of, stack_tools

SCRIPT = ROOT / "scripts/setup_monitoring.sh"
NAMES = ("http", "metrics", "prometheus", "alertmanager", "webhook")


class Setup:
    """Runs of the script on ports and in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))

    def command(self, *options: str) -> list[str]:
        # The script sets the project up first. Where the tests run with another Python than the
        # project's, what it does after that is what can be tried.
        in_venv = Path(sys.executable).parent == ROOT / ".venv/bin"
        module = "inferometer.monitoring.stack.setup_command"
        return [
            *([str(SCRIPT)] if in_venv else [sys.executable, "-m", module]),
            "--without-docker",
            f"--folder={self.folder}",
            *(f"--{name}-port={port}" for name, port in self.ports.items()),
            *options,
        ]

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*options), capture_output=True, text=True, check=False)

    def pids(self) -> dict[str, int]:
        return {
            path.stem: json.loads(path.read_text())["pid"] for path in self.folder.glob("*.pid")
        }

    @property
    def prometheus(self) -> PrometheusApi:
        return PrometheusApi(f"http://127.0.0.1:{self.ports['prometheus']}")


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    stack_tools()
    setup = Setup(tmp_path / "monitoring")
    yield setup
    setup.run("--stop")
    assert processes_of(str(setup.folder)) == []


@pytest.mark.slow
def test_one_command_starts_everything_and_another_starts_it_anew(setup: Setup) -> None:
    first = setup.run("--scrape-interval=1s", "--with-load")
    assert first.returncode == 0, first.stdout + first.stderr
    print(first.stdout)
    assert "everything runs, and the first scrape is in" in first.stdout
    assert f"http://127.0.0.1:{setup.ports['prometheus']}" in first.stdout
    assert f"http://127.0.0.1:{setup.ports['http']}/dashboard" in first.stdout
    assert re.search(r"Grafana +not available", first.stdout)
    before = setup.pids()
    assert before.keys() == {"service", "webhook", "alertmanager", "prometheus", "load"}
    # What it said is so: a scrape is in, digits arrive, the alert that always fires arrives.
    assert setup.prometheus.value('up{job="triton"}') == 1
    digits = 'sum(inference_requests_total{model_name="resnet_model",status="success"})'
    wait_until(lambda: setup.prometheus.value(digits), lambda n: bool(n and n > 20), "answers", 60)
    url = f"http://127.0.0.1:{setup.ports['webhook']}/notifications?since=0"
    wait_until(
        lambda: {n["labels"]["alertname"] for n in fetch_json(url)["notifications"]},
        lambda names: "Watchdog" in names,
        "the Watchdog",
        60,
    )
    flags = setup.prometheus.get("status/flags")
    assert flags["storage.tsdb.retention.time"] == "1w"

    status = setup.run("--status")
    assert status.returncode == 0
    for name, pid in before.items():
        assert re.search(rf"{name} +runs, pid {pid}\b", status.stdout)

    second = setup.run("--retention=2d")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "stopped what an earlier run had started: load, prometheus, alert" in second.stdout
    after = setup.pids()
    assert after.keys() == before.keys() - {"load"}
    assert not set(after.values()) & set(before.values())
    assert all(Identity.of(pid) is None for pid in before.values())
    assert setup.prometheus.get("status/flags")["storage.tsdb.retention.time"] == "2d"
    # Data of the first run is still there.
    assert setup.prometheus.query("max_over_time(inference_requests_total[10m]) > 20")

    stopped = setup.run("--stop")
    assert stopped.returncode == 0
    assert "stopped: prometheus, alertmanager, webhook, service" in stopped.stdout
    assert all(is_free(port) for port in setup.ports.values())
    assert (setup.folder / "prometheus-data").is_dir()
    assert "nothing ran" in setup.run("--stop").stdout
    status = setup.run("--status")
    assert status.returncode == 1
    assert re.search("service +does not run", status.stdout)

    reset = setup.run("--reset")
    assert reset.returncode == 0
    assert [path.name for path in setup.folder.iterdir()] == ["setup.lock"]


@pytest.mark.slow
def test_taken_ports_are_named_and_nothing_is_started(setup: Setup) -> None:
    with socket.socket() as other, socket.socket() as another:
        for server, name in ((other, "prometheus"), (another, "http")):
            server.bind(("127.0.0.1", setup.ports[name]))
            server.listen()
        done = setup.run()
    assert done.returncode == 1
    for name, what in (("prometheus", "Prometheus"), ("http", "inference service")):
        assert re.search(
            rf"port {setup.ports[name]} \({what}\) is taken by .+ \(pid {os.getpid()}\)",
            done.stderr,
        )
    assert "Nothing has been started" in done.stderr
    assert "--prometheus-port" in done.stderr
    assert setup.pids() == {}


@pytest.mark.slow
def test_a_process_that_got_an_old_pid_is_left_alone(setup: Setup) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        try:
            real = Identity.of(stranger.pid)
            assert real is not None
            StackFolder(setup.folder).claim(["service.pid", "prometheus.pid"])
            old = {"pid": stranger.pid, "started": real.started - 100, "boot": real.boot}
            for name in ("service", "prometheus"):
                (setup.folder / f"{name}.pid").write_text(json.dumps(old), encoding="utf-8")
            assert setup.run("--status").returncode == 1
            assert "nothing ran" in setup.run("--stop").stdout
            assert setup.run("--reset").returncode == 0
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_start_leaves_nothing(setup: Setup, number: signal.Signals) -> None:
    with subprocess.Popen(
        setup.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if "waiting for the first scrape" in line:
                break
        assert len(setup.pids()) == 4
        process.send_signal(number)
        assert process.wait(60) == 130
        assert "interrupted" in process.stderr.read()
    assert setup.pids() == {}
    assert all(is_free(port) for port in setup.ports.values())


@pytest.mark.slow
def test_two_runs_at_once_do_not_meet(setup: Setup) -> None:
    with subprocess.Popen(setup.command(), stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        first.stdout.readline()  # it is at work
        second = setup.run("--stop")
        assert second.returncode == 1
        assert "another run is at work" in second.stderr
        first.communicate()
        assert first.returncode == 0


@pytest.mark.slow
def test_a_service_that_does_not_start_is_reported_with_its_log(setup: Setup) -> None:
    empty = setup.folder / "models"
    empty.mkdir(parents=True)
    done = setup.run(f"--repository={empty}")
    assert done.returncode == 1
    assert "service has ended with exit status" in done.stderr
    assert str(setup.folder / "service.log") in done.stderr
    assert setup.pids() == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--http-port", "0"], "want a port from 1 to 65535"),
        (["--retention", "week"], "--retention: got 'week', want a duration"),
        (["--retention", "1d1y"], "--retention: got '1d1y', want a duration"),
        (["--retention", "0s"], "--retention: got '0s', want a duration above 0"),
        (["--scrape-interval", "5"], "--scrape-interval: got '5', want a duration"),
        (["--scrape-interval", "31s"], "--scrape-interval: got '31s', want more than 1ms and at"),
        (["--http-port", "\u0668"], "want a port from 1 to 65535"),
        (
            ["--http-port", "9090"],
            "--prometheus-port: got 9090, want another port",
        ),
        (["--folder", ""], "--folder: got '', want a folder"),
        (["--repository", "/no/such"], "--repository: got /no/such, which is no folder"),
        (["--stop", "--reset"], "not allowed with"),
        (["--start"], "unrecognized arguments: --start"),
    ],
)
def test_wrong_options(tmp_path: Path, options: list[str], message: str) -> None:
    setup = Setup(tmp_path / "monitoring")
    done = subprocess.run(
        [sys.executable, "-m", "inferometer.monitoring.stack.setup_command", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert not setup.folder.exists()


def script_in(folder: Path) -> Path:
    """The script in a project whose set-up leaves a mark, where somebody has modules of his own."""
    (folder / "project/scripts").mkdir(parents=True)
    (folder / "project/python").symlink_to(ROOT / "python")
    script = shutil.copy(SCRIPT, folder / "project/scripts")
    set_up = folder / "project/scripts/setup.sh"
    set_up.write_text("#!/bin/sh\necho set up >>../set-up\nexit 7\n")
    set_up.chmod(0o755)
    (folder / "argparse.py").write_text("raise SystemExit('not mine')\n")
    return Path(script)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--retention", "1d1y"], "--retention: got '1d1y'"),
        (["--scrape-interval", "31s"], "--scrape-interval: got '31s'"),
        (["--repository", "none"], "--repository: got none, which is no folder"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_installed(
    tmp_path: Path, options: list[str], message: str
) -> None:
    script = script_in(tmp_path)
    done = subprocess.run([script, *options], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not (tmp_path / "set-up").exists()
    # A right one is not held up.
    (tmp_path / "some").mkdir()
    command: list[str | Path] = [script, "--repository", "some"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (7, "")
    assert (tmp_path / "set-up").exists()


@pytest.mark.slow
def test_what_has_gone_wrong_with_prometheus_is_shown(setup: Setup) -> None:
    setup.folder.mkdir(parents=True)
    StackFolder(setup.folder).claim(["prometheus-data"])
    (setup.folder / "prometheus-data").write_text("no folder", encoding="utf-8")
    done = setup.run()
    assert done.returncode == 1
    assert re.search(r"prometheus has ended with exit status [1-9]\d*; ", done.stderr)
    assert re.search(r"level=error .*prometheus-data.*not a directory", done.stderr)
    assert setup.pids() == {}


def test_help_needs_nothing_installed() -> None:
    done = subprocess.run(
        ["bash", str(SCRIPT), "--help"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for option in ("--stop", "--status", "--reset", "--with-load", "--retention"):
        assert option in done.stdout
    assert "--scrape-interval" in done.stdout


def test_a_docker_client_without_an_engine_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not docker_stack.has_engine()
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    client.chmod(0o755)
    assert not docker_stack.has_engine()


def fake_docker(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A client that notes what it is called with, in the file that is returned."""
    client, calls = folder / "bin/docker", folder / "calls"
    client.parent.mkdir()
    client.write_text(f'#!/bin/sh\necho "$MODEL_REPOSITORY $*" >> {calls}\n')
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}/bin:/bin:/usr/bin")
    return calls


def test_the_compose_file_is_the_shipped_one_or_one_with_other_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which commands an engine would get: no engine has run them."""
    calls = fake_docker(tmp_path, monkeypatch)
    monkeypatch.setattr(docker_stack, "_FIRST_SCRAPE_SECONDS", 0.0)
    monkeypatch.setattr(PrometheusApi, "value", lambda self, expression: 1.0)
    assert docker_stack.has_engine()
    for retention, interval, file in (
        (None, None, ROOT / "configs/docker-compose.yaml"),
        ("3d", "5s", tmp_path / "compose/docker-compose.yaml"),
    ):
        calls.write_text("")
        docker_stack.start(tmp_path, retention, interval, print)
        assert docker_stack.is_ours(tmp_path)
        assert docker_stack.status(tmp_path) == 0
        assert docker_stack.stop(tmp_path, data_too=True)
        assert not docker_stack.is_ours(tmp_path)
        begin = f"{ROOT}/model_repository compose -p inferometer -f {file}"
        assert calls.read_text().splitlines() == [
            f"{begin} up -d --build --wait",
            f"{begin} ps",
            f"{begin} down --volumes",
        ]
        assert not docker_stack.stop(tmp_path)
    written = (tmp_path / "compose/docker-compose.yaml").read_text()
    assert "--storage.tsdb.retention.time=3d" in written
    assert "scrape_interval: 5s" in (tmp_path / "compose/prometheus.yml").read_text()


def test_a_compose_that_fails_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_docker(tmp_path, monkeypatch)
    (tmp_path / "bin/docker").write_text("#!/bin/sh\nexit 17\n")
    assert not docker_stack.has_engine()
    with pytest.raises(ProcessError, match="up -d --build --wait: exit status 17"):
        docker_stack.start(tmp_path, None, None, print)


def test_ports_of_the_defaults_are_those_of_the_documents() -> None:
    from inferometer.monitoring.stack.setup_options import parser

    options = parser().parse_args([])
    assert [getattr(options, f"{name}_port") for name in NAMES] == [8000, 8002, 9090, 9093, 9099]
    assert answers("http://127.0.0.1:1/") is False
    with pytest.raises(OSError, match=r"GET http://127.0.0.1:1/"):
        fetch("http://127.0.0.1:1/")
