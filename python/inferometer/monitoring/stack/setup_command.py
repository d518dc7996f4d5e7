"""What ``scripts/setup_monitoring.sh`` does once the package is installed."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from inferometer.console import finish, make_readable
from inferometer.monitoring.stack import docker_stack
from inferometer.monitoring.stack.binaries import ToolsError, project_root
from inferometer.monitoring.stack.configuration import SCRAPE_INTERVAL
from inferometer.monitoring.stack.http_client import HttpError
from inferometer.monitoring.stack.processes import ProcessError
from inferometer.monitoring.stack.setup_options import options
from inferometer.monitoring.stack.setup_stack import SetupStack
from inferometer.monitoring.stack.setup_state import SetupState, default_folder
from inferometer.monitoring.stack.signals import ended_by_signals
from inferometer.monitoring.stack.stack_folder import FolderError, StackFolder
from inferometer.monitoring.stack.waiting import WaitError

_RETENTION = "7d"
_LOCK = "setup.lock"
_NAME = "setup_monitoring.sh"
_EXPECTED = (
    FolderError,
    ProcessError,
    WaitError,
    ToolsError,
    HttpError,
    ImportError,
    OSError,
    ValueError,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0, 1 if something does not run or does not start, 2 for a wrong option."""
    make_readable()
    arguments = options(argv)
    root = project_root() or Path.cwd()
    folder = (arguments.folder or default_folder() or Path("inferometer-monitoring")).absolute()
    repository = (arguments.repository or root / "model_repository").absolute()
    begin = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - begin:4.0f} s] {text}", flush=True)

    starts = not (arguments.stop or arguments.status or arguments.reset)
    try:
        if not repository.is_dir() and starts:
            raise ProcessError(f"{repository}: no folder of models here; name one by --repository")
        with ended_by_signals(), _alone(folder, starts):
            return finish(_NAME, _run(arguments, folder, repository, say))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return finish(_NAME, 130)
    except _EXPECTED as error:
        return finish(_NAME, 1, error, lines=True)


@contextlib.contextmanager
def _alone(folder: Path, starts: bool) -> Iterator[None]:
    """Keeps other runs on the folder away; one that starts nothing makes nothing there."""
    lock = folder / _LOCK
    if starts:
        folder.mkdir(parents=True, exist_ok=True)
    elif not lock.exists():  # nothing has ever been started here
        yield
        return
    made = not lock.exists()
    with lock.open("a") as file:  # whose it is: it is not emptied
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProcessError(
                f"another run is at work in {folder}: wait until it is done"
            ) from None
        try:
            yield
        except FolderError:  # somebody's folder: as it was
            if made:
                lock.unlink()
            raise


def _run(
    arguments: argparse.Namespace, folder: Path, repository: Path, say: Callable[[str], None]
) -> int:
    state = SetupState(
        http_port=arguments.http_port,
        metrics_port=arguments.metrics_port,
        prometheus_port=arguments.prometheus_port,
        alertmanager_port=arguments.alertmanager_port,
        webhook_port=arguments.webhook_port,
        repository=str(repository),
        retention=arguments.retention or _RETENTION,
        scrape_interval=arguments.scrape_interval or SCRAPE_INTERVAL,
        with_load=arguments.with_load,
    )
    earlier = SetupStack(folder, SetupState.load(folder) or state, say)
    if arguments.status:
        return _status(earlier)
    if arguments.reset:
        return _reset(earlier)
    containers = docker_stack.stop(folder)
    stopped = earlier.stop()
    if arguments.stop:
        print(f"stopped: {', '.join(stopped) or ('containers' if containers else 'nothing ran')}")
        return 0
    if stopped or containers:
        say(f"stopped what an earlier run had started: {', '.join(stopped) or 'containers'}")
    if not arguments.without_docker and docker_stack.has_engine():
        docker_stack.start(folder, arguments.retention, arguments.scrape_interval, say)
        return 0

    stack = SetupStack(folder, state, say)
    busy = stack.busy_ports()
    if busy:
        options = ", ".join(f"--{name}-port" for name in ("http", "prometheus", "webhook"))
        print(
            "\n".join(
                [
                    *busy,
                    "Nothing has been started. Stop what holds them (a system service: sudo"
                    " systemctl stop prometheus; a container: docker ps), or choose other ports"
                    f" ({options}, ...; see --help).",
                ]
            ),
            file=sys.stderr,
        )
        return 1
    stack.start()
    say("everything runs, and the first scrape is in")
    print(_where(stack))
    return 0


def _reset(stack: SetupStack) -> int:
    there = set(os.listdir(stack.folder)) if stack.folder.is_dir() else set()
    if there <= {_LOCK}:
        print(f"nothing to delete in {stack.folder}")
        return 0
    StackFolder(stack.folder).check()  # before anything is ended that may be somebody else's
    docker_stack.stop(stack.folder, data_too=True)
    stack.reset()
    print(f"stopped; data, logs and configuration in {stack.folder} are deleted")
    return 0


def _where(stack: SetupStack) -> str:
    state = stack.state
    url = state.service.url
    lines = [
        ("service", f"{url}/v2/models/resnet_model/infer"),
        ("metrics", f"http://{state.service.target}/metrics"),
        ("page", f"{url}/dashboard"),
        ("Prometheus", f"{stack.local.prometheus.url}  (no login)"),
        ("Alertmanager", f"{stack.local.alertmanager.url}  (no login, no page; /api/v2/alerts)"),
        ("alerts received", f"{stack.webhook_url}/notifications"),
        (
            "Grafana",
            "not available: it needs a Docker engine; the page above shows the same panels",
        ),
        ("logs, data", str(stack.folder)),
    ]
    return "\n".join(
        [
            "",
            *(f"  {name:<16}{text}" for name, text in lines),
            "",
            "scripts/setup_monitoring.sh --status says what runs, --stop ends it.",
        ]
    )


def _status(stack: SetupStack) -> int:
    if docker_stack.is_ours(stack.folder):
        return docker_stack.status(stack.folder)
    missing = 0
    for name, process in stack.processes.items():
        identity = process.identity
        if identity is not None:
            print(f"{name:<14}runs, pid {identity.pid}")
        elif name != "load" or stack.state.with_load:
            print(f"{name:<14}does not run")
            missing += 1
    if not missing:
        print(_where(stack))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
