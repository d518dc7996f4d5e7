"""The options of ``scripts/setup_monitoring.sh``; also run as a script for ``--help``.

Needs the standard library only: help is there before anything is installed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

_TEXT = """\
Sets up what is missing, then starts an inference service and what watches it, and says where
everything is. With a Docker engine these are the containers of configs/docker-compose.yaml. Without
one they are local programs: the service, Prometheus, Alertmanager and a webhook receiver that logs
alerts; Grafana is not among them. What an earlier run has started is stopped first.
"""


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"got {text!r}, want a port from 1 to 65535")
    return int(text)


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
        metavar="TIME",
        help="Prometheus keeps samples so long (7d; containers: as in docker-compose.yaml)",
    )
    made.add_argument("--scrape-interval", metavar="TIME", help="time between scrapes (15s)")
    made.add_argument(
        "--without-docker", action="store_true", help="local programs, even with a Docker engine"
    )
    for name, port, help_text in (
        ("http", 8000, "of the inference service"),
        ("metrics", 8002, "of its metrics"),
        ("prometheus", 9090, "of Prometheus"),
        ("alertmanager", 9093, "of Alertmanager"),
        ("webhook", 9099, "of the receiver that logs alerts"),
    ):
        made.add_argument(
            f"--{name}-port",
            type=_port,
            default=port,
            metavar="PORT",
            help=f"{help_text} ({port}); local programs only",
        )
    made.add_argument(
        "--repository", type=Path, metavar="FOLDER", help="the models to serve (model_repository)"
    )
    made.add_argument(
        "--folder", type=Path, metavar="FOLDER", help="for data and logs (build/monitoring)"
    )
    return made


if __name__ == "__main__":
    parser().parse_args(["--help"])
