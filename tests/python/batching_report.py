"""Two histories of one scenario, side by side: what a failing property test prints."""

from __future__ import annotations

from dataclasses import fields
from itertools import zip_longest

from batching_history import Arrival, Batch, Ending, History, Options
from batching_strategies import Scenario


def side_by_side(scenario: Scenario, expected: History, observed: History) -> str:
    """One line a request, one line a batch; `!` marks those that differ. Times are ns."""
    asked = [f"{i} {unusual(arrival, Arrival(-1))}" for i, arrival in enumerate(scenario.arrivals)]
    requests = [
        (what, told(ours), told(theirs))
        for what, ours, theirs in zip_longest(
            asked, expected.requests, observed.requests, fillvalue=""
        )
    ]
    batches = [
        (str(i), told(ours), told(theirs))
        for i, (ours, theirs) in enumerate(
            zip_longest(expected.batches, observed.batches, fillvalue="")
        )
    ]
    lines = [
        unusual(scenario.options, Options()),
        f"instances={scenario.instances}, cost={scenario.fixed_cost} + {scenario.row_cost} * rows",
        *table("request", requests),
        *table("batch", batches),
    ]
    return "\n".join(lines)


def unusual(what: Arrival | Options, default: Arrival | Options) -> str:
    """The fields that are not at their defaults."""
    chosen = {field.name: getattr(what, field.name) for field in fields(what)}
    shown = [f"{name}={value}" for name, value in chosen.items() if value != getattr(default, name)]
    return ", ".join(shown)


def told(what: Ending | Batch | str) -> str:
    if isinstance(what, Ending):
        batch = "" if what.batch is None else f", batch {what.batch}"
        return f"{what.id}: {what.outcome} at {what.ended}{batch}"
    if isinstance(what, Batch):
        members = " ".join(map(str, what.members))
        when = f"{what.start} to {what.end} on {what.instance}"
        return f"{when}, {what.reason}, {what.rows} rows of {members}"
    return what


def table(title: str, lines: list[tuple[str, str, str]]) -> list[str]:
    marked = [(" ", title, "specification", "observed")]
    marked += [(" " if line[1] == line[2] else "!", *line) for line in lines]
    first, second = (max(len(line[column]) for line in marked) for column in (1, 2))
    return [f"{mark} {a:{first}}  {b:{second}}  {c}".rstrip() for mark, a, b, c in marked]
