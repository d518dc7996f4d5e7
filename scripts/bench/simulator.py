"""The simulator: requests a second, and how well it foretells what a real engine does.

Arrivals are sent to an engine with a DelayModel, open loop, at times drawn from a Poisson process;
the times at which they were really submitted are then simulated. Both should give the same mean
batch, throughput and quantiles of the latency, within a tenth: a line a load says so, with what is
furthest apart. It also says how far apart that is once the engine's own time for a batch is in the
cost, and how late the machine let the model and its workers be: where that is a millisecond, other
processes had the cores. Prints a JSON line for each number too. Takes four minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import statistics
from typing import Any, Final

from comparison.progress import say
from simulator_parts.agreement import Round, one_round
from simulator_parts.loads import LOADS
from simulator_parts.rates import rates
from simulator_parts.verdict import Verdict, verdict_of

from run_record import machine

ROUNDS: Final = 5
RATES: Final = "rates"


def arguments_of(given: list[str] | None = None) -> argparse.Namespace:
    """The command line: `rounds`, and what is wanted by name in `parts`."""
    parser = argparse.ArgumentParser(prog="scripts/bench.sh simulator", description=__doc__)
    parser.add_argument(
        "--only", metavar="PATTERN", default="", help=f"loads whose name has it, and '{RATES}'"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"instead of {ROUNDS}")
    arguments = parser.parse_args(given)
    if arguments.rounds < 1:
        parser.error(f"--rounds: got {arguments.rounds}, want 1 or more")
    try:
        wanted = re.compile(arguments.only, re.IGNORECASE)
    except re.error as error:
        parser.error(f"--only: got {arguments.only!r}, which is no regular expression: {error}")
    arguments.parts = [name for name in (RATES, *LOADS) if wanted.search(name)]
    if not arguments.parts:
        parser.error(f"--only: got {arguments.only!r}, want part of {', '.join((RATES, *LOADS))}")
    return arguments


def emit(**values: Any) -> None:
    """A line of results."""
    print(json.dumps(values), flush=True)


def show(verdict: Verdict, rounds: list[Round]) -> None:
    """One load's numbers."""
    for number in verdict.numbers:
        emit(
            what=f"agreement: {number.what}",
            load=verdict.load,
            engine=number.engine,
            simulator=number.simulator,
            apart=number.median,
            rounds=[round(each, 4) for each in number.rounds],
            within=number.within,
        )
    emit(
        what="agreement",
        load=verdict.load,
        within=verdict.within,
        with_overhead=verdict.corrected[0].median,
        late=dataclasses.asdict(verdict.late),
        refused=[one.refused for one in rounds],
    )


def main() -> None:
    """All of it. The loads take turns, so that a disturbance does not meet one alone."""
    arguments = arguments_of()
    before = machine()
    if RATES in arguments.parts:
        for form, values in rates(arguments.rounds).items():
            emit(what="simulated requests a second", arrivals=form, value=statistics.median(values))
    loads = [name for name in arguments.parts if name != RATES]
    rounds: dict[str, list[Round]] = {name: [] for name in loads}
    for seed in range(arguments.rounds):
        for name in loads:
            rounds[name].append(one_round(LOADS[name], seed))
        say(f"round {seed + 1} of {arguments.rounds}")
    verdicts = [verdict_of(name, rounds[name]) for name in loads]
    for verdict in verdicts:
        show(verdict, rounds[verdict.load])
    print(
        f"\n{before['cores']} x {before['cpu']}, load average {before['load_average_before']:.1f}"
        f" before and {os.getloadavg()[0]:.1f} after. Medians of {arguments.rounds} rounds, and"
        " what they lie between.\n"
    )
    for verdict in verdicts:
        print(verdict)


if __name__ == "__main__":
    main()
