"""The rounds of a group, with signs of life."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from comparison.samples import emit, interleaved

from engine_parts.settings import Settings

_Value = TypeVar("_Value")

SILENT_SECONDS = 2.0


class _Progress:
    """Says where a group is, when nothing was said for a while. Single-owner."""

    def __init__(self, group: str, of: int) -> None:
        self._group = group
        self._of = of
        self._said = float("-inf")

    def say(self, number: int, who: str) -> None:
        if time.monotonic() > self._said + SILENT_SECONDS:
            print(f"{self._group}: round {number + 1} of {self._of}, {who}", flush=True)
            self._said = time.monotonic()


def rounds(
    group: str, designs: Mapping[str, Callable[[], _Value]], settings: Settings
) -> dict[str, list[_Value]]:
    """Every design's turn, once a round, in an order drawn anew.

    Returns:
        What the turns returned, by design, in the order of the rounds.
    """
    progress = _Progress(group, settings.rounds)
    numbers = dict.fromkeys(designs, -1)

    def spoken(who: str) -> _Value:
        numbers[who] += 1
        progress.say(numbers[who], who)
        return designs[who]()

    turns = {who: partial(spoken, who) for who in designs}
    return interleaved(turns, settings.rounds, random.Random(1))


def measure(
    group: str, designs: Mapping[str, Callable[[], float]], settings: Settings
) -> dict[str, list[float]]:
    """As `rounds`, and hands the values on under the group's name."""
    values = rounds(group, designs, settings)
    for who, ones in values.items():
        emit(group, who, ones)
    return values
