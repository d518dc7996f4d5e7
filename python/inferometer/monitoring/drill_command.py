"""``inferometer drill NAME``: trouble on purpose, to see its alert fire and resolve."""

from __future__ import annotations

import argparse
import contextlib
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from inferometer.command_error import CommandError
from inferometer.monitoring.drill.fake_gpu import driver_is_here, why_no_nvml
from inferometer.monitoring.drill.ground import Ground, live_ground, own_ground
from inferometer.monitoring.drill.record import write_record
from inferometer.monitoring.drill.repository import drill_repository
from inferometer.monitoring.drill.run import Limits, Outcome, run_drill
from inferometer.monitoring.drill.scenario import SCENARIOS, Scenario
from inferometer.monitoring.stack import binaries
from inferometer.monitoring.stack.http_client import HttpError
from inferometer.monitoring.stack.processes import ProcessError
from inferometer.monitoring.stack.setup_state import default_folder
from inferometer.monitoring.stack.signals import ended_by_signals
from inferometer.monitoring.stack.stack_folder import FolderError
from inferometer.monitoring.stack.waiting import WaitError

# The whole drill, programs that have to be fetched first excepted.
_OWN_SECONDS = 115.0
# Rules wait up to 10 minutes and look back as far; notifications may wait 5 minutes more.
_LIVE = Limits(total=3600.0, fault=1800.0)
_EXPECTED = (
    FolderError,
    ProcessError,
    WaitError,
    HttpError,
    binaries.ToolsError,
    ImportError,
    OSError,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    drills = "; ".join(
        f"{each.name}: {each.text} ({' or '.join(each.alerts)})" for each in SCENARIOS.values()
    )
    parser.description = (
        "Injects a fault, waits for its alert at a webhook, removes the fault, waits for the alert"
        " to resolve. By default a stack of its own, on free ports, with all durations of the"
        f" shipped rules divided by 60: it ends within two minutes. The drills: {drills}."
        " Exit status: 0 only if the alert has fired and resolved."
    )
    parser.add_argument("name", choices=SCENARIOS, help="which drill")
    parser.add_argument(
        "--live",
        action="store_true",
        help="the stack of scripts/setup_monitoring.sh, in real time: takes up to an hour",
    )
    parser.add_argument("--folder", type=Path, help="where that stack is kept (build/monitoring)")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="leave logs, configuration and data here"
    )
    parser.add_argument(
        "--repository",
        type=Path,
        metavar="FOLDER",
        help="models to serve beside the one for drills (model_repository, if it is there)",
    )
    parser.add_argument(
        "--fake-nvml", type=Path, metavar="PATH", help="gpu: a fake NVML to load, for want of a GPU"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the drill.

    Returns:
        0 if the alert has fired and resolved, 1 if not.

    Raises:
        CommandError: A wrong option, or the stack does not start.
    """
    scenario = SCENARIOS[arguments.name]
    problem = _wrong_option(arguments)
    if problem:
        raise CommandError(problem, 2)
    print(f"drill {scenario.name}: {scenario.text}", flush=True)
    try:
        with ended_by_signals():
            ground, outcome, seconds = _run(arguments, scenario)
    except _EXPECTED as error:
        raise CommandError(str(error)) from None
    _report(arguments, scenario, ground, outcome, seconds)
    return 0 if outcome.passed else 1


def _run(arguments: argparse.Namespace, scenario: Scenario) -> tuple[Ground, Outcome, float]:
    if arguments.live:
        ground = live_ground(arguments.folder or default_folder() or Path.cwd())
        began = time.monotonic()
        outcome = run_drill(ground, scenario, _LIVE, _say)
    else:
        binaries.find_or_fetch()
        began = time.monotonic()
        with _folder(arguments) as folder:
            ground, outcome = _run_in(folder, arguments, scenario, began + _OWN_SECONDS)
    return ground, outcome, time.monotonic() - began


def _run_in(
    folder: Path, arguments: argparse.Namespace, scenario: Scenario, deadline: float
) -> tuple[Ground, Outcome]:
    def lasting(text: str) -> str:
        return text if arguments.keep is not None else _without(folder, text)

    _say("starting a service, Prometheus and Alertmanager on free ports (about eight seconds)")
    try:
        repository = drill_repository(arguments.repository, folder)
        with own_ground(folder, repository, arguments.fake_nvml) as ground:
            left = deadline - time.monotonic()
            limits = Limits(left, fault=left)
            outcome = run_drill(ground, scenario, limits, lambda text: _say(lasting(text)))
    except _EXPECTED as error:
        raise CommandError(lasting(str(error))) from None
    outcome.problem = outcome.problem and lasting(outcome.problem)
    outcome.events = [(moment, lasting(text)) for moment, text in outcome.events]
    return ground, outcome


def _without(folder: Path, text: str) -> str:
    """A message without the path of a folder that is gone by the time somebody follows it."""
    where = re.escape(f"{folder}/")
    text = re.sub(rf"{where}([\w-]+\.log)", r"\1 (--keep FOLDER keeps it)", text)
    return re.sub(where, "", text)


def _say(text: str) -> None:
    print(text, flush=True)


def _wrong_option(arguments: argparse.Namespace) -> str | None:
    if arguments.name == "gpu":
        if arguments.live:
            return "drill gpu --live: there is no way to fill a real GPU's memory; leave out --live"
        if arguments.fake_nvml is None and not driver_is_here():
            return "drill gpu: needs an NVIDIA driver (libnvidia-ml.so.1), or --fake-nvml PATH"
    if arguments.fake_nvml is not None:
        wanted = f"--fake-nvml: got {arguments.fake_nvml}, want a shared library"
        if not arguments.fake_nvml.is_file():
            return wanted
        if why := why_no_nvml(arguments.fake_nvml):
            return f"{wanted} with NVML's functions: {why}"
    if arguments.repository is not None and not arguments.repository.is_dir():
        return f"--repository: got {arguments.repository}, want a folder"
    return None


@contextlib.contextmanager
def _folder(arguments: argparse.Namespace) -> Iterator[Path]:
    if arguments.keep is not None:
        folder = arguments.keep.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="inferometer-") as name:
        yield Path(name)


def _report(
    arguments: argparse.Namespace,
    scenario: Scenario,
    ground: Ground,
    outcome: Outcome,
    seconds: float,
) -> None:
    print(f"\n{outcome.timeline}\n")
    if outcome.passed:
        _say(f"passed in {seconds:.1f} s: the alert has fired and resolved")
    else:
        _say(f"FAILED after {seconds:.1f} s: {outcome.problem}")
    settings = {
        "live": arguments.live,
        "time_scale": ground.time_scale,
        "fault": scenario.fault or scenario.action,
        "requests_per_second": scenario.rate,
        "rows_per_request": scenario.rows,
    }
    observed = {
        "passed": outcome.passed,
        "problem": outcome.problem,
        "seconds": round(seconds, 1),
        "events": [{"seconds": moment, "event": text} for moment, text in outcome.events],
        "fired": asdict(outcome.fired) if outcome.fired else None,
        "resolved": asdict(outcome.resolved) if outcome.resolved else None,
        "load": outcome.load,
        "timeline": outcome.timeline.splitlines(),
    }
    try:
        written = str(write_record(scenario.name, settings, observed))
    except OSError as error:  # the drill has its verdict all the same
        written = f"could not be written: {error}"
    _say(f"record: {written}")
