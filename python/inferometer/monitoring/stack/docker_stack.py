"""The stack as containers: ``configs/docker-compose.yaml``, where there is a Docker engine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from inferometer.monitoring.stack.processes import ProcessError
from inferometer.monitoring.stack.prometheus_api import PrometheusApi
from inferometer.monitoring.stack.setup_state import SetupState
from inferometer.monitoring.stack.waiting import wait_until

_MARK = "docker"
_QUESTION_SECONDS = 20.0
_FIRST_SCRAPE_SECONDS = 60.0


def has_engine() -> bool:
    """Whether a Docker engine with compose answers: the client alone is not enough."""
    if shutil.which("docker") is None:
        return False
    try:
        for question in (["docker", "info"], ["docker", "compose", "version"]):
            subprocess.run(question, capture_output=True, timeout=_QUESTION_SECONDS, check=True)
    except (subprocess.SubprocessError, OSError):
        return False
    return True


def is_ours(folder: Path) -> bool:
    """Whether the containers were started from this folder and not stopped since."""
    return (folder / _MARK).exists()


def start(folder: Path, state: SetupState, say: Callable[[str], None]) -> None:
    """Builds and starts the containers; returns when the first scrape is in.

    Raises:
        ProcessError: Compose failed.
        WaitError: There is no scrape after a minute.
    """
    say("a Docker engine is here: building and starting containers (minutes, the first time)")
    (folder / _MARK).touch()
    try:
        _compose("up", "-d", "--build", "--wait")
        prometheus = PrometheusApi("http://127.0.0.1:9090")
        say("waiting for the first scrape")
        wait_until(
            lambda: prometheus.value('min(up{job="triton"})'),
            lambda up: up == 1,
            "the first scrape",
            _FIRST_SCRAPE_SECONDS,
        )
    except BaseException:
        stop(folder)
        raise
    say("everything runs, and the first scrape is in")
    print(
        "\n"
        "  service         http://127.0.0.1:8000\n"
        "  metrics         http://127.0.0.1:8002/metrics\n"
        "  Prometheus      http://127.0.0.1:9090\n"
        "  Alertmanager    http://127.0.0.1:9093\n"
        "  Grafana         http://127.0.0.1:3000  (admin/admin)"
    )


def stop(folder: Path, *, data_too: bool = False) -> bool:
    """Stops the containers, if they were started from this folder. Returns whether they were.

    Raises:
        ProcessError: Compose failed.
    """
    if not is_ours(folder):
        return False
    _compose("down", *(["--volumes"] if data_too else []))
    (folder / _MARK).unlink()
    return True


def status(folder: Path) -> int:
    """Lists the containers; 0 if compose does."""
    _compose("ps")
    return 0


def _compose(*arguments: str) -> None:
    root = Path(__file__).resolve().parents[4]
    file = root / "configs/docker-compose.yaml"
    try:
        subprocess.run(["docker", "compose", "-f", file, *arguments], check=True)
    except OSError as error:
        raise ProcessError(f"docker: {error.strerror}") from None
    except subprocess.CalledProcessError as error:
        raise ProcessError(
            f"docker compose {' '.join(arguments)}: exit status {error.returncode}"
        ) from None
