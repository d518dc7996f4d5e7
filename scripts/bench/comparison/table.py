"""The values collected as results, and results as a table in Markdown that can be read as it is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from comparison.rows import ChangeRow, Row
from comparison.samples import (
    Collected,
    Spread,
    median_and_quartiles,
    median_interval,
    ratios,
    significant,
)

COLUMNS: Final = ("ours", "peer", "times better", "reach", "reached")


@dataclass(frozen=True)
class Result:
    """One line: medians with their spread, and whether ours is what was to be reached."""

    what: str
    unit: str
    ours: Spread | None = None
    peer: Spread | None = None
    better: Spread | None = None
    reach: str = ""
    reached: str = ""

    def cells(self) -> tuple[str, ...]:
        """As a line of the table."""
        spreads = (text(self.ours, self.unit), text(self.peer, self.unit), text(self.better))
        return (self.what, *spreads, self.reach, self.reached)


def text(spread: Spread | None, unit: str = "") -> str:
    """A median with its spread, where there is any."""
    if spread is None:
        return ""
    middle, low, high = (significant(value) for value in spread)
    return f"{middle} {unit}".strip() + (f" ({low} to {high})" if low != high else "")


def result_of(row: Row, collected: Collected) -> Result:
    """Medians with quartiles; ratios are those of the rounds."""
    ours = [value * row.scale for value in collected.get(row.ours, row.who)]
    peers = [value * row.scale for value in collected.get(row.peer or row.ours, row.beside)]
    if not ours:
        return Result(
            row.what,
            row.unit,
            reach=reach_of(row),
            reached=collected.why_absent(row.ours, row.who),
        )
    better = ratios(ours, peers) if row.larger_is_better else ratios(peers, ours)
    return Result(
        row.what,
        row.unit,
        median_and_quartiles(ours),
        median_and_quartiles(peers) if peers else None,
        median_and_quartiles(better) if better else None,
        reach_of(row),
        reached_by(row, ours, better),
    )


def reach_of(row: Row) -> str:
    """What was to be reached, as text."""
    reaches = []
    if row.reach is not None:
        sign = "≥" if row.larger_is_better else "≤"
        reaches.append(f"{sign} {row.reach:,.10g} {row.unit}".rstrip())
    if row.times is not None:
        reaches.append(f"≥ {row.times:g} times")
    return ", ".join(reaches)


def reached_by(row: Row, ours: Sequence[float], better: Sequence[float]) -> str:
    """Whether the medians are what was to be reached; empty if nothing was."""
    verdicts = []
    if row.reach is not None:
        middle = statistics.median(ours)
        verdicts.append(middle >= row.reach if row.larger_is_better else middle <= row.reach)
    if row.times is not None:
        if not better:
            return "no peer"
        verdicts.append(statistics.median(better) >= row.times)
    return "" if not verdicts else "yes" if all(verdicts) else "NO"


def change_of(row: ChangeRow, collected: Collected) -> Result:
    """The median of the paired phases in per cent, with its 95 % interval."""
    values = collected.get(*row.value)
    than = collected.get(*row.than)
    if not values or not than:
        return Result(row.what, "%", reached="not measured")
    if len(than) != len(values):  # one of them was measured in some of the rounds only
        than = [statistics.median(than)] * len(values)
    changes = [100 * (a / b - 1) for a, b in zip(values, than, strict=True)]
    spread = median_interval(changes)
    reached = ""
    if row.reach is not None:
        # The interval decides, where it can.
        _, low, high = spread
        reached = "yes" if high <= row.reach else "NO" if low > row.reach else "undecided"
    reach = "" if row.reach is None else f"≤ {row.reach:g} %"
    return Result(row.what, "%", spread, reach=reach, reached=reached)


def markdown(title: str, results: Sequence[Result]) -> str:
    """A table whose first column is headed by the title."""
    table = [(title, *COLUMNS), *(result.cells() for result in results)]
    used = [column for column in range(len(table[0])) if any(line[column] for line in table[1:])]
    widths = {column: max(len(line[column]) for line in table) for column in used}
    lines = [
        "| " + " | ".join(line[column].ljust(widths[column]) for column in used) + " |"
        for line in table
    ]
    lines.insert(1, "|" + "|".join("-" * (widths[column] + 2) for column in used) + "|")
    return "\n".join(lines)
