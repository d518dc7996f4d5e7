"""Whether the simulator foretells what the engine does, over the rounds of a load."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simulator_parts.agreement import Lateness, Round

ALLOWED: Final = 0.1


@dataclass(frozen=True)
class Apart:
    """One number of one load.

    Attributes:
        what: The number.
        engine: Its median.
        simulator: That of the simulator.
        rounds: By how much the simulator is above (or below, negative) the engine in each round, as
            a part of the engine's.
    """

    what: str
    engine: float
    simulator: float
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """How far they are apart, in whatever direction."""
        return statistics.median(abs(each) for each in self.rounds)

    @property
    def within(self) -> bool:
        """Whether that is allowed."""
        return self.median <= ALLOWED

    def __str__(self) -> str:
        """With the spread of the rounds."""
        low, high = 100 * min(self.rounds), 100 * max(self.rounds)
        return f"{self.what} {100 * self.median:.1f} % apart ({low:+.1f} to {high:+.1f})"


@dataclass(frozen=True)
class Verdict:
    """Of one load.

    Attributes:
        load: Its name.
        numbers: What is furthest apart comes first.
        corrected: The same with the engine's own overhead for a batch in the cost.
        late: The largest of the rounds.
    """

    load: str
    numbers: tuple[Apart, ...]
    corrected: tuple[Apart, ...]
    late: Lateness

    @property
    def within(self) -> bool:
        """All of them, by the cost alone."""
        return all(number.within for number in self.numbers)

    def __str__(self) -> str:
        """The line of the bench."""
        answer = "yes" if self.within else "no"
        late = f"late at P99: the model {milliseconds(self.late.model)}"
        if self.late.pick_up is not None:
            late += f", its worker {milliseconds(self.late.pick_up)}"
        return (
            f"{self.load}: within {100 * ALLOWED:.0f} %: {answer}; at most {self.numbers[0]};"
            f" with {milliseconds(self.late.batch)} more a batch {self.corrected[0]}; {late}"
        )


def milliseconds(seconds: float) -> str:
    """With the unit."""
    return f"{1e3 * seconds:.2f} ms"


def verdict_of(load: str, rounds: Sequence[Round]) -> Verdict:
    """Each round is compared with its own simulation; the medians of these count."""
    waits = [one.late.pick_up for one in rounds if one.late.pick_up is not None]
    late = Lateness(
        max(one.late.batch for one in rounds),
        max(one.late.model for one in rounds),
        max(waits) if waits else None,
    )
    engine = [one.engine for one in rounds]
    return Verdict(
        load,
        compared(engine, [one.simulator for one in rounds]),
        compared(engine, [one.corrected for one in rounds]),
        late,
    )


def compared(
    engine: Sequence[dict[str, float]], simulator: Sequence[dict[str, float]]
) -> tuple[Apart, ...]:
    """Every number of the rounds, what is furthest apart first."""
    numbers = []
    for what in engine[0]:
        pairs = [(ours[what], theirs[what]) for ours, theirs in zip(engine, simulator, strict=True)]
        numbers.append(
            Apart(
                what,
                statistics.median(ours for ours, _ in pairs),
                statistics.median(theirs for _, theirs in pairs),
                tuple(theirs / ours - 1 for ours, theirs in pairs),
            )
        )
    return tuple(sorted(numbers, key=lambda number: -number.median))
