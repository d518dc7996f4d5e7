"""The stack as containers: ``configs/docker-compose.yaml``, where there is a Docker engine."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from inferometer.monitoring.durations import milliseconds
from inferometer.monitoring.stack.binaries import project_root
from inferometer.monitoring.stack.processes import ProcessError
from inferometer.monitoring.stack.prometheus_api import PrometheusApi
from inferometer.monitoring.stack.stack_folder import StackFolder
from inferometer.monitoring.stack.waiting import wait_until

_MARK, _OWN_FILES = "compose-file", "compose"
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
    return _MARK in StackFolder(folder).names() and (folder / _MARK).exists()


def start(
    folder: Path, retention: str | None, scrape_interval: str | None, say: Callable[[str], None]
) -> None:
    """Builds and starts the containers; returns when the first scrape is in.

    Args:
        folder: Where it is noted that they run.
        retention: How long Prometheus keeps samples; None: as in ``configs``.
        scrape_interval: Between two scrapes; None: the same.
        say: Is told what happens.

    Raises:
        ProcessError: Compose failed.
        WaitError: There is no scrape after a minute.
        FolderError: The folder has files that no stack has written.
    """
    StackFolder(folder).claim([_MARK, _OWN_FILES])
    file = _compose_file(folder, retention, scrape_interval)
    say("a Docker engine is here: building and starting containers (minutes, the first time)")
    (folder / _MARK).write_text(f"{file}\n", encoding="utf-8")
    try:
        _compose(folder, "up", "-d", "--build", "--wait")
        prometheus = PrometheusApi("http://127.0.0.1:9090")
        say("waiting for the first scrape")
        wait_until(
            lambda: prometheus.value('min(up{job="triton"})'),
            lambda up: up == 1,
            "the first scrape",
            _FIRST_SCRAPE_SECONDS,
        )
    except BaseException:
        with contextlib.suppress(ProcessError):  # what went wrong first is what matters
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
    _compose(folder, "down", *(["--volumes"] if data_too else []))
    (folder / _MARK).unlink()
    return True


def status(folder: Path) -> int:
    """Lists the containers; 0 if compose does."""
    _compose(folder, "ps")
    return 0


def _compose_file(folder: Path, retention: str | None, scrape_interval: str | None) -> Path:
    """The one in ``configs``, or one like it with other times, written into the folder."""
    if retention is None and scrape_interval is None:
        return _root() / "configs/docker-compose.yaml"
    from inferometer.monitoring import Settings
    from inferometer.monitoring.files import write

    settings = Settings()
    if retention is not None:
        settings = replace(settings, retention=retention)
    if scrape_interval is not None:
        settings = replace(settings, scrape_interval=milliseconds(scrape_interval) / 1000)
    write(folder / _OWN_FILES, settings, force=True)
    return folder / _OWN_FILES / "docker-compose.yaml"


def _root() -> Path:
    root = project_root()
    if root is None:
        raise ProcessError("containers are built from the project's sources, which are not here")
    return root


def _compose(folder: Path, *arguments: str) -> None:
    file = (folder / _MARK).read_text(encoding="utf-8").strip()
    sources = {
        "INFEROMETER_SOURCE": str(_root()),
        "MODEL_REPOSITORY": str(_root() / "model_repository"),
    }
    command = ["docker", "compose", "-p", "inferometer", "-f", file, *arguments]
    try:
        subprocess.run(command, env={**os.environ, **sources}, check=True)
    except OSError as error:
        raise ProcessError(f"docker: {error.strerror}") from None
    except subprocess.CalledProcessError as error:
        raise ProcessError(f"{' '.join(command)}: exit status {error.returncode}") from None
