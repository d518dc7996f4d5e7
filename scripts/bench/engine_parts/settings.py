"""How long a run of the bench is, and what it measures."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """A value.

    Attributes:
        rounds: Rounds of every group; in each round every design has one turn.
        seconds: A turn takes about as long.
        idle_seconds: For which the idle engine is watched.
        only: Regular expression for the names of values (groups.py); case does not matter.
    """

    rounds: int
    seconds: float
    idle_seconds: float
    only: str = ""

    def wants(self, *values: str) -> bool:
        """Whether any of these values is to be measured."""
        return any(re.search(self.only, value, re.IGNORECASE) for value in values)

    def as_argument(self) -> str:
        """For the command line of a part."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def of_argument(text: str) -> Settings:
        """What a part was given."""
        return Settings(**json.loads(text))


FULL = Settings(rounds=15, seconds=0.15, idle_seconds=5.0)
FAST = Settings(rounds=1, seconds=0.02, idle_seconds=0.5)
