"""What the engine adds, and what it gains, beside what one would write without it.

Takes three to five minutes (`--fast`: some seconds, to see that all of it runs; its figures mean
little). Designs take turns of a fraction of a second in rounds, in an order drawn anew: the engine,
the bare model, and batchers of 25 lines (engine_parts/batchers.py), all on the same model
(scripts/workloads.py). Prints a JSON line for each row, then one table: medians with their
quartiles, ratios of the rounds with theirs, what was to be reached. numpy computes on one thread
with the kernels that OpenBLAS chooses itself. scripts/bench.sh sets up what this needs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import re
from typing import Final

from comparison.part import run_part
from comparison.progress import say
from comparison.rows import Row
from comparison.samples import Collected
from comparison.table import Result, markdown, result_of
from engine_parts import cpp
from engine_parts.rows import ROWS
from engine_parts.settings import FAST, FULL, Settings

from run_record import machine

PARTS: Final = ("lone", "asyncio_callers", "python_threads", "saturation", "idle")
# How a machine was told to run OpenBLAS is none of the comparison's business.
DROPPED: Final = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def environment() -> dict[str, str]:
    """Of the parts that run Python."""
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
    return {**kept, **ONE_THREAD}


def settings_of(arguments: list[str] | None = None) -> Settings:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench.sh engine", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="a smoke run")
    parser.add_argument("--only", metavar="PATTERN", default="", help="rows whose name has it")
    parser.add_argument("--rounds", type=int, help=f"instead of {FULL.rounds}")
    given = parser.parse_args(arguments)
    settings = dataclasses.replace(FAST if given.fast else FULL, only=given.only)
    if given.rounds is not None:
        settings = dataclasses.replace(settings, rounds=given.rounds)
    if settings.rounds < 1:
        parser.error(f"--rounds: got {settings.rounds}, want 1 or more")
    try:
        wanted = rows_of(settings)
    except re.error as error:
        parser.error(f"--only: got {given.only!r}, which is no regular expression: {error}")
    if not wanted:
        parser.error(f"--only: got {given.only!r}, which no row has: see engine_parts/groups.py")
    return settings


def rows_of(settings: Settings) -> list[Row]:
    """The rows that are wanted."""
    return [row for row in ROWS if settings.wants(row.ours)]


def measured(settings: Settings) -> list[Result]:
    """Runs all parts; the rows that were wanted."""
    collected = Collected()
    cpp.measure(settings, collected)
    for part in PARTS:
        run_part(f"engine_parts.{part}", collected, [settings.as_argument()], environment())
    return [result_of(row, collected) for row in rows_of(settings)]


def main() -> None:
    """Measures and shows."""
    settings = settings_of()
    before = machine()
    say(f"{settings.rounds} rounds with turns of {settings.seconds:g} s")
    results = measured(settings)
    for result in results:
        print(json.dumps(dataclasses.asdict(result), ensure_ascii=False))
    print(
        f"\n{before['cores']} x {before['cpu']}, Python {platform.python_version()}, load average"
        f" {before['load_average_before']:.1f} before and {os.getloadavg()[0]:.1f} after."
        f" {settings.rounds} rounds.\n"
        "Medians with their quartiles; behind the semicolon the peer.\n"
    )
    print(markdown("the engine", results))


if __name__ == "__main__":
    main()
