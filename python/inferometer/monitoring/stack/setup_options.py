"""The options of ``scripts/setup_monitoring.sh``; also run as a script, which only checks them.

Needs the standard library only: help, and what is wrong with an option, are there before anything
is installed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from inferometer.monitoring.stack.configuration import check_retention, check_scrape_interval

_TEXT = """\
Sets up what is missing, then starts an inference service and what watches it, and says where
everything is. With a Docker engine these are the containers of configs/docker-compose.yaml. Without
one they are local programs: the service, Prometheus, Alertmanager and a webhook receiver that logs
alerts; Grafana is not among them. What an earlier run has started is stopped first.
"""


PORTS = {
    "http": (8000, "of the inference service"),
    "metrics": (8002, "of its metrics"),
    "prometheus": (9090, "of Prometheus"),
    "alertmanager": (9093, "of Alertmanager"),
    "webhook": (9099, "of the receiver that logs alerts"),
}


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"got {text!r}, want a port from 1 to 65535")
    return int(text)


def _checked(check: Callable[[str], None]) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return read


def _folder(text: str) -> Path:
    if not text:  # Path("") is this folder, which nobody has named
        raise argparse.ArgumentTypeError("got '', want a folder")
    return Path(text)


def _there(text: str) -> Path:
    if not _folder(text).is_dir():
        raise argparse.ArgumentTypeError(f"got {text}, which is no folder")
    return Path(text)


def options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of a command line, checked; a wrong one ends the process with status 2."""
    made = parser()
    read = made.parse_args(argv)
    taken: dict[int, str] = {}
    for name in PORTS:
        port = getattr(read, f"{name}_port")
        if port in taken:
            made.error(f"--{name}-port: got {port}, want another port than --{taken[port]}-port")
        taken[port] = name
    return read


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="scripts/setup_monitoring.sh", description=_TEXT)
    what = made.add_mutually_exclusive_group()
    what.add_argument("--stop", action="store_true", help="stop everything; data stays")
    what.add_argument(
        "--status", action="store_true", help="say what runs; 1 if something does not"
    )
    what.add_argument(
        "--reset", action="store_true", help="stop everything and delete its data; asks nothing"
    )
    made.add_argument(
        "--with-load", action="store_true", help="send 20 handwritten digits a second all the time"
    )
    made.add_argument(
        "--retention",
        type=_checked(check_retention),
        metavar="TIME",
        help="Prometheus keeps samples so long (7d; containers: as in docker-compose.yaml)",
    )
    made.add_argument(
        "--scrape-interval",
        type=_checked(check_scrape_interval),
        metavar="TIME",
        help="time between scrapes (15s)",
    )
    made.add_argument(
        "--without-docker", action="store_true", help="local programs, even with a Docker engine"
    )
    for name, (port, help_text) in PORTS.items():
        made.add_argument(
            f"--{name}-port",
            type=_port,
            default=port,
            metavar="PORT",
            help=f"{help_text} ({port}); local programs only",
        )
    made.add_argument(
        "--repository", type=_there, metavar="FOLDER", help="the models to serve (model_repository)"
    )
    made.add_argument(
        "--folder", type=_folder, metavar="FOLDER", help="for data and logs (build/monitoring)"
    )
    return made


if __name__ == "__main__":
    options()
