#!/usr/bin/env python3
"""Starts the demo service, loads it, prints the table, stops it. scripts/demo.sh calls this."""

from __future__ import annotations

import argparse
import ctypes
import json
import select
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import run_record

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 30.0
STOP_SECONDS = 10.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1


class Interrupted(BaseException):
    """One of SIGNALS arrived; `code` is the exit status that tells a shell so."""

    def __init__(self, number: int) -> None:
        """Remembers which signal it was."""
        self.code = 128 + number


def interrupt(number: int, _frame: FrameType | None) -> None:
    """Signal handler: unwinds to where the processes are stopped. A second signal is ignored."""
    handle(signal.SIG_IGN)
    raise Interrupted(number)


def handle(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Installs a handler for SIGNALS."""
    for number in SIGNALS:
        signal.signal(number, handler)


def end_with_parent() -> None:
    """In a child before it becomes a program: be told to end when this process does, however."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(script: str, *arguments: str, pipe: bool = False) -> subprocess.Popen[str]:
    """Starts examples/SCRIPT in a session of its own: a terminal's Ctrl-C reaches only us."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / script), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if pipe else None,
        text=True,
        start_new_session=True,
        preexec_fn=end_with_parent,
    )


def stop(process: subprocess.Popen[str] | None, number: signal.Signals = signal.SIGTERM) -> None:
    """Asks a process to end, waits for it, kills it if it does not."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def address(service: subprocess.Popen[str]) -> str | None:
    """Returns the URL that the service prints once its port is open; None if it ended instead."""
    assert service.stdout is not None
    readable, _, _ = select.select([service.stdout], [], [], READY_SECONDS)
    line = service.stdout.readline() if readable else ""
    prefix = "listening on "
    return line.removeprefix(prefix).strip() if line.startswith(prefix) else None


def wait_ready(url: str, service: subprocess.Popen[str]) -> bool:
    """Polls /readyz until it answers 200; False if the service ends or takes too long."""
    give_up = time.monotonic() + READY_SECONDS
    while time.monotonic() < give_up and service.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1) as reply:
                if reply.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False


def demo(arguments: argparse.Namespace) -> int:
    """Runs the demo; returns the exit status. Leaves no process behind."""
    service = load = None
    status = 1
    delay = str(arguments.max_queue_delay)
    with tempfile.TemporaryDirectory() as folder:
        numbers = Path(folder) / "numbers.json"
        try:
            service = start(
                "demo_service.py", "--port", str(arguments.port), "--max-queue-delay", delay,
                pipe=True,
            )  # fmt: skip
            url = address(service)
            if url is None or not wait_ready(url, service):
                return 1  # it has said why
            print(
                f"serving digits on {url}; sending {arguments.rate:g} requests a second", flush=True
            )
            load = start(
                "demo_load.py", "--url", url, "--rate", str(arguments.rate),
                "--seconds", str(arguments.seconds), "--json", str(numbers),
            )  # fmt: skip
            status = load.wait()
        except Interrupted as interrupted:
            stop(load, signal.SIGINT)  # it prints what it has
            status = interrupted.code
        else:
            if arguments.keep:
                keep_serving(service, url)
        finally:
            handle(signal.SIG_IGN)
            stop(load)
            stop(service)
            if numbers.exists():
                record(arguments, json.loads(numbers.read_text(encoding="utf-8")))
    return status


def keep_serving(service: subprocess.Popen[str], url: str) -> None:
    """Waits for Ctrl-C."""
    print(f"the service stays up on {url}; Ctrl-C stops it", flush=True)
    try:
        service.wait()
    except Interrupted:
        print("stopping", flush=True)


def record(arguments: argparse.Namespace, observed: dict[str, object]) -> None:
    """Writes the record of this run and says where."""
    path = run_record.write(
        "demo",
        settings={
            "rate": arguments.rate,
            "seconds": arguments.seconds,
            "max_queue_delay": arguments.max_queue_delay,
        },
        observed=observed,
        data="scikit-learn load_digits, held-out part, generated from the installed package",
    )
    print(f"record: {path.relative_to(ROOT)}", flush=True)


def main() -> int:
    """Reads the options."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo.sh",
        description="Sets up what is missing, serves a real digit classifier, sends it handwritten "
        "digits that it was not trained on, prints what the metrics say.",
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to send (default 30)")
    parser.add_argument(
        "--rate", type=float, default=1000.0, help="requests a second, open loop (default 1000)"
    )
    parser.add_argument("--port", type=int, default=8000, help="0 picks a free one (default 8000)")
    parser.add_argument("--keep", action="store_true", help="serve on afterwards, until Ctrl-C")
    parser.add_argument(
        "--max-queue-delay",
        type=float,
        default=0.002,
        metavar="SECONDS",
        help="how long a request may wait for company (default 0.002)",
    )
    arguments = parser.parse_args()
    if arguments.rate <= 0 or arguments.seconds <= 0:
        parser.error("--rate and --seconds must be positive")
    handle(interrupt)
    return demo(arguments)


if __name__ == "__main__":
    sys.exit(main())
