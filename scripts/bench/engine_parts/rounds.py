"""The rounds of a group, with signs of life."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from comparison.samples import emit, interleaved

from engine_parts.settings import Settings

_Value = TypeVar("_Value")

SILENT_SECONDS = 2.0


def rounds(
    group: str, designs: Mapping[str, Callable[[], _Value]], settings: Settings
) -> dict[str, list[_Value]]:
    """Every design's turn, once a round, in an order drawn anew.

    Returns:
        What the turns returned, by design, in the order of the rounds.
    """
    chance = random.Random(1)
    values: dict[str, list[_Value]] = {who: [] for who in designs}
    said = float("-inf")
    for number in range(settings.rounds):
        if time.monotonic() > said + SILENT_SECONDS:
            print(f"{group}: round {number + 1} of {settings.rounds}", flush=True)
            said = time.monotonic()
        for who, one in interleaved(designs, 1, chance).items():
            values[who].extend(one)
    return values


def measure(
    group: str, designs: Mapping[str, Callable[[], float]], settings: Settings
) -> dict[str, list[float]]:
    """As `rounds`, and hands the values on under the group's name."""
    values = rounds(group, designs, settings)
    for who, ones in values.items():
        emit(group, who, ones)
    return values
