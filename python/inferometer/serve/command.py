"""``inferometer serve``: options, messages, order of things."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inferometer.command_error import CommandError
from inferometer.serve.loopback import host_is_loopback
from inferometer.serve.messages import say

if TYPE_CHECKING:
    from inferometer.listener import MetricsListener
    from inferometer.serve.served_model import ServedModel
    from inferometer.serve.service import Service

_DEFAULT_DELAY_SECONDS = 0.002
_LONGEST_SECONDS = 3600.0
_MIB = 1 << 20

_EPILOG = """\
The first SIGTERM or Ctrl-C finishes what was accepted, the second one ends at once.
There is no TLS and no authentication: put a reverse proxy in front of anything but
loopback. docs/serve.md has requests by example and the fields of config.pbtxt.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument(
        "repository",
        metavar="REPOSITORY",
        type=Path,
        help="a folder with NAME/config.pbtxt and NAME/1/model.onnx for each model",
    )
    parser.add_argument(
        "--http-port",
        type=_port,
        default=8000,
        metavar="PORT",
        help="requests, health and /metrics; 0 picks a free one (default %(default)s)",
    )
    parser.add_argument(
        "--metrics-port",
        type=_port,
        default=8002,
        metavar="PORT",
        help="/metrics from native threads, which answer also while Python is stuck; 0 picks a "
        "free one (default %(default)s)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="where both listen; 0.0.0.0 is every network (default %(default)s)",
    )
    parser.add_argument(
        "--drain-timeout",
        type=_seconds,
        default=30.0,
        metavar="SECONDS",
        help="how long accepted requests may take to end after a signal (default %(default)g)",
    )
    parser.add_argument(
        "--max-body-mib",
        type=_mebibytes,
        default=64,
        metavar="MIB",
        help="the largest request body, in MiB (default %(default)s)",
    )
    parser.add_argument(
        "--prometheus-url",
        metavar="URL",
        help="the Prometheus that the page at /dashboard asks, as in http://127.0.0.1:9090 "
        "(default: none; the page shows what this process has seen itself)",
    )
    drills = parser.add_argument_group("for tests and drills, on loopback only")
    drills.add_argument(
        "--allow-fault-injection",
        action="store_true",
        help="answer /v2/models/NAME/faults: anybody on this machine can then delay, fail and "
        "stall requests",
    )
    drills.add_argument(
        "--delay-model",
        type=_delay_model,
        action="append",
        default=[],
        metavar="NAME[=SECONDS]",
        help="also serve a model that takes so long a batch "
        f"(default {_DEFAULT_DELAY_SECONDS:g}) and answers rows of one number with themselves; "
        "repeatable; needs --allow-fault-injection",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serves until a signal.

    Returns:
        The exit status.

    Raises:
        CommandError: It cannot start.
        Error: A model cannot be read or loaded.
    """
    delay_models = _check_drill_options(arguments)
    _check_packages()
    _log_to_stderr()
    from starlette.routing import Mount

    from inferometer.asgi.dashboard import dashboard_app
    from inferometer.serve.loading import Progress, load_repository
    from inferometer.serve.sockets import listen, url_of

    dashboard = Mount("/dashboard", dashboard_app(arguments.prometheus_url))
    begin = time.monotonic()
    listener = listen(arguments.host, arguments.http_port)
    with listener:
        metrics = _serve_metrics(arguments.host, arguments.metrics_port)
        with metrics:
            with Progress(_say_aside) as progress:
                models = load_repository(
                    arguments.repository,
                    with_faults=arguments.allow_fault_injection,
                    delay_models=delay_models,
                    progress=progress,
                )
            url = url_of(arguments.host, listener.getsockname()[1])
            loaded = time.monotonic() - begin
            lines = _start_lines(models, url, metrics.url, loaded, arguments.allow_fault_injection)
            from inferometer.serve.app import create_app
            from inferometer.serve.limits import Limits
            from inferometer.serve.server import ServiceServer

            body_bytes = arguments.max_body_mib * _MIB
            app = create_app(
                models,
                limits=Limits(body_bytes=body_bytes, bodies_bytes=4 * body_bytes),
                allow_fault_injection=arguments.allow_fault_injection,
                drain_timeout=arguments.drain_timeout,
                pages=[dashboard],
                links={"/dashboard/": "dashboard"},
            )
            server = ServiceServer(
                app,
                arguments.drain_timeout,
                on_start=lambda: say("\n".join(lines)),
                on_stop=lambda name: say(f"{name}: finishing what was accepted"),
            )
            try:
                server.run(sockets=[listener])
            finally:
                for model in models:
                    model.close()
            say(_last_line(app.state.service))
    return 0


def _say_aside(text: str) -> None:
    print(f"inferometer: {text}", file=sys.stderr, flush=True)


def _check_drill_options(arguments: argparse.Namespace) -> dict[str, float]:
    models: dict[str, float] = {}
    for name, seconds in arguments.delay_model:
        if name in models:
            raise CommandError(f"--delay-model {name}: got it twice, want each name once", 2)
        models[name] = seconds
    if not arguments.allow_fault_injection:
        if models:
            raise CommandError(
                "--delay-model is for tests and drills: it needs --allow-fault-injection", 2
            )
        return models
    if not host_is_loopback(arguments.host):
        raise CommandError(
            "--allow-fault-injection works on loopback only: "
            f"got --host {arguments.host}, want 127.0.0.1, ::1 or localhost",
            2,
        )
    return models


def _check_packages() -> None:
    missing = [
        name for name in ("starlette", "uvicorn", "onnx") if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise CommandError(
            f"serving needs {', '.join(missing)}: pip install 'inferometer[serve,onnx]'"
        )


def _log_to_stderr() -> None:
    """Warnings as one line each; a program that has set up logging keeps what it has."""
    logging.getLogger("uvicorn.error").addFilter(_is_true_here)
    logging.basicConfig(
        level=logging.WARNING, format="inferometer: %(levelname)s: %(message)s", stream=sys.stderr
    )


def _is_true_here(record: logging.LogRecord) -> bool:
    # Beside "Unsupported upgrade request." uvicorn advises to install what this service never uses.
    return not str(record.msg).startswith("No supported WebSocket library")


def _serve_metrics(host: str, port: int) -> MetricsListener:
    from inferometer import ConfigError, serve_metrics

    try:
        return serve_metrics(port, host)
    except ConfigError as error:
        other = min(port + 1, 65535)
        raise CommandError(
            f"metrics: {error}: take another with --metrics-port {other}, or any free one with "
            "--metrics-port 0"
        ) from None


def _start_lines(
    models: Sequence[ServedModel], url: str, metrics_url: str, seconds: float, faults: bool
) -> list[str]:
    from inferometer import __version__

    plural = "" if len(models) == 1 else "s"
    lines = [f"inferometer {__version__}, {len(models)} model{plural} loaded in {seconds:.1f} s"]
    for model in models:
        lines.append(f"  {model.name} version {model.version}: {model.serves}")
    if faults:
        lines.append("  faults can be injected (--allow-fault-injection)")
    lines += [f"service: {url}", f"metrics: {metrics_url}"]
    return lines


def _last_line(service: Service) -> str:
    answered = sum(service.replies.values())
    well = service.replies[200]
    return f"stopped: {answered} requests answered, {well} of them with 200"


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"got {text!r}, want a port from 0 to 65535")
    return port


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"got {text!r}, want seconds from 0 to {_LONGEST_SECONDS:g}"
        )
    return seconds


def _mebibytes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= 4096):
        raise argparse.ArgumentTypeError(f"got {text!r}, want a whole number from 1 to 4096")
    return int(text)


def _delay_model(text: str) -> tuple[str, float]:
    name, separator, seconds = text.partition("=")
    if not name or "/" in name:
        raise argparse.ArgumentTypeError(f"got {text!r}, want NAME or NAME=SECONDS, without /")
    return name, _seconds(seconds) if separator else _DEFAULT_DELAY_SECONDS
