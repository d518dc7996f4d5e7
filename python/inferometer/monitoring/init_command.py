"""``inferometer monitoring init``: writes the monitoring files."""

from __future__ import annotations

import argparse
import re
import shlex
from dataclasses import fields
from pathlib import Path

from inferometer.monitoring.files import write
from inferometer.monitoring.objectives import Objectives
from inferometer.monitoring.settings import FORMATS, RUNBOOK_BASE, Settings

DESCRIPTION = """\
Writes the configuration of Prometheus, Alertmanager and Grafana for inference services into a
folder: alerts, recording rules, routes, dashboards, and with --format compose the containers.
"""
# The upper edges of the latency histograms in seconds, without those below objectives of any use.
_EDGES = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_PORTS = {
    "http": "the inference service",
    "metrics": "its metrics",
    "prometheus": "Prometheus",
    "alertmanager": "Alertmanager",
    "grafana": "Grafana",
}


# What messages of the settings call otherwise than the command line does.
_OPTIONS = {"target": "--target", "targets": "--target", "folder": "DIR"}


def _folder(text: str) -> Path:
    if not text:  # Path("") is this folder, which nobody has named
        raise argparse.ArgumentTypeError("got '', want a folder")
    return Path(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.description = DESCRIPTION
    parser.add_argument("folder", type=_folder, metavar="DIR", help="where to; it is made")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="compose",
        help="containers, programs on this machine, or Kubernetes with the Prometheus operator "
        "(default: %(default)s)",
    )
    parser.add_argument("--job", default="triton", help="job label (default: %(default)s)")
    parser.add_argument(
        "--target",
        action="append",
        dest="targets",
        metavar="HOST:PORT",
        help="a metrics listener; may be repeated (default: triton:8002, or 127.0.0.1 and the "
        "metrics port with --format local)",
    )
    parser.add_argument("--environment", metavar="NAME", help="a label of the targets")
    parser.add_argument(
        "--scrape-interval", type=float, default=15.0, metavar="SECONDS", help="(default: 15)"
    )
    parser.add_argument(
        "--retention", default="15d", metavar="TIME", help="of samples (default: %(default)s)"
    )
    parser.add_argument("--webhook-url", metavar="URL", help="gets every alert")
    parser.add_argument("--grafana-url", metavar="URL", help="for links to dashboards")
    parser.add_argument(
        "--runbook-base", default=RUNBOOK_BASE, metavar="URL", help="for links to runbooks"
    )
    for name, what in _PORTS.items():
        parser.add_argument(
            f"--{name}-port",
            type=int,
            metavar="PORT",
            default=getattr(Settings, f"{name}_port"),
            help=f"{what} (default: %(default)s)",
        )
    objectives = parser.add_argument_group("thresholds of the alerts")
    defaults = Objectives()
    for name, limits in Objectives.ranges().items():
        objectives.add_argument(
            f"--objective-{name.replace('_', '-')}",
            type=float,
            metavar=limits.unit.removeprefix("a ").upper(),
            default=getattr(defaults, name),
            help=f"{limits.text} (default: %(default)s)",
        )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that are there and differ"
    )


def _settings(arguments: argparse.Namespace) -> Settings:
    objectives = Objectives(
        **{name: getattr(arguments, f"objective_{name}") for name in Objectives.ranges()}
    )
    given = {
        option.name: getattr(arguments, option.name)
        for option in fields(Settings)
        if option.name != "objectives"
    }
    return Settings(objectives=objectives, **given)


def _option(name: str) -> str:
    """How a setting or an objective is named on the command line; else the name itself."""
    if name in Objectives.ranges():
        return f"--objective-{name.replace('_', '-')}"
    if name in {each.name for each in fields(Settings)} - _OPTIONS.keys():
        return f"--{name.replace('_', '-')}"
    return _OPTIONS.get(name, name)


def _in_options(message: str) -> str:
    """An error of the settings, with options in place of their names in Python.

    The text that came is left as it is; of what was wanted, words with a "_" are names for sure.
    """
    name, colon, text = message.partition(":")
    *words, last = name.split(" ")  # "port of webhook_url"
    got, want, wanted = text.rpartition(", want ")
    wanted = re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda found: _option(found[0]), wanted)
    wanted = wanted.replace("force=True", "--force")
    return " ".join([*words, _option(last)]) + colon + got + want + wanted


def _notes(settings: Settings) -> list[str]:
    """What is allowed and may not be what was meant."""
    notes = []
    for name in ("latency_warning", "latency_critical"):
        limit = getattr(settings.objectives, name)
        if limit not in _EDGES:
            edges = ", ".join(f"{edge:g}" for edge in _EDGES)
            notes.append(
                f"{_option(name)}={limit:g}: no bucket of the histogram ends there, so P95 is "
                f"interpolated; exact are {edges}"
            )
    if settings.objectives.scrape_duration >= settings.scrape_timeout:
        notes.append(
            f"{_option('scrape_duration')}={settings.objectives.scrape_duration:g}: scrapes are "
            f"given up after {settings.scrape_timeout:g} s, so ScrapeSlow never fires"
        )
    return notes


def _next_command(folder: Path, settings: Settings) -> str:
    """What to type next: quoted for a shell."""
    if settings.format == "compose":
        command = ["docker", "compose", "-f", str(folder / "docker-compose.yaml")]
        command += ["up", "-d", "--build"]
    elif settings.format == "local":
        command = [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--storage.tsdb.retention.time={settings.retention}",
            f"--web.listen-address=127.0.0.1:{settings.prometheus_port}",
        ]
    else:
        command = ["kubectl", "apply"]
        for name in ("servicemonitor.yaml", "prometheusrule.yaml", "alertmanagerconfig.yaml"):
            command += ["-f", str(folder / name)]
    return shlex.join(command)


def run(arguments: argparse.Namespace) -> int:
    """Writes the files, says which, and what to do next.

    Raises:
        ConfigError: An option cannot be used, or a file is there and differs.
    """
    try:
        settings = _settings(arguments)
        paths = write(arguments.folder, settings, force=arguments.force)
    except ValueError as error:
        from inferometer import ConfigError  # native: loaded when there is an error

        if not isinstance(error, ConfigError):
            raise
        raise ConfigError(_in_options(str(error))) from None
    for path in paths:
        print(path)
    for note in _notes(settings):
        print(f"note: {note}")
    print(f"next: {_next_command(arguments.folder, settings)}")
    return 0
