"""What the parts of a bench hand on: one value a round, of one thing, for one library."""

from __future__ import annotations

import json
import math
import random
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

_Value = TypeVar("_Value")

Spread = tuple[float, float, float]
"""A median and what it lies between."""


def median_and_quartiles(values: Sequence[float]) -> Spread:
    """The median, and the quartiles around it (the value itself, where there is only one)."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


def median_interval(values: Sequence[float]) -> Spread:
    """The median and its 95 % interval, by bootstrap with fixed chance."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(2000))
    return statistics.median(values), medians[50], medians[-51]


@dataclass
class Collected:
    """The values of all rounds, by what was measured and of whom. Single-owner."""

    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    absent: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, what: str, who: str, values: Iterable[float]) -> None:
        """Appends the values of some rounds."""
        self.values.setdefault((what, who), []).extend(values)

    def get(self, what: str, who: str) -> list[float]:
        """The values, in the order of the rounds; none if it was not measured."""
        return self.values.get((what, who), [])

    def add_line(self, line: str) -> None:
        """Takes what ``emit`` printed in another process."""
        got = json.loads(line)
        if "absent" in got:
            self.absent[got["what"], got["who"]] = got["absent"]
        else:
            self.add(got["what"], got["who"], got["values"])

    def why_absent(self, what: str, who: str) -> str:
        """Why there are no values."""
        return self.absent.get((what, who), "not measured")


def emit(what: str, who: str, values: Iterable[float]) -> None:
    """Hands values to the process that collects them."""
    print(json.dumps({"what": what, "who": who, "values": list(values)}), flush=True)


def emit_absent(what: str, who: str, why: str) -> None:
    """Tells the process that collects why there will be no values."""
    print(json.dumps({"what": what, "who": who, "absent": why}), flush=True)


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Round by round where the rounds are the same, else of the medians; none without values."""
    if not numerators or not denominators:
        return []
    if len(numerators) == len(denominators):
        return [a / b for a, b in zip(numerators, denominators, strict=True)]
    return [statistics.median(numerators) / statistics.median(denominators)]


def interleaved(
    calls: Mapping[str, Callable[[], _Value]], rounds: int, chance: random.Random
) -> dict[str, list[_Value]]:
    """Calls each of them once a round, in an order drawn anew; what they returned, by round."""
    values: dict[str, list[_Value]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name in chance.sample(list(calls), len(calls)):
            values[name].append(calls[name]())
    return values


def significant(value: float) -> str:
    """Three digits, or all before the point."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"
