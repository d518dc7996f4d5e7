"""A small world for the specification of batching, with the answer worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import batching_exact_invariants
from batching_history import NEVER, Arrival, History, Options
from batching_spec import World


@dataclass
class Case:
    """A world, its batches as (start, reason, members), and what did not end with its batch."""

    title: str
    options: Options
    arrivals: list[Arrival]
    batches: list[tuple[int, str, tuple[int, ...]]]
    others: dict[int, tuple[str, int]] = field(default_factory=dict)
    cost: int = 100
    row_cost: int = 0
    instances: int = 1
    drain_at: int = NEVER

    def history(self) -> History:
        def cost(rows: int) -> int:
            return self.cost + rows * self.row_cost

        return World(self.options, self.arrivals, cost, self.instances, self.drain_at).run()

    def check(self) -> None:
        """Compares with the hand's answer; what is not in `others` succeeds as its batch ends."""
        history = self.history()
        got = [(batch.start, batch.reason, batch.members) for batch in history.batches]
        assert got == self.batches
        expected = dict(self.others)
        for batch in history.batches:
            for member in batch.members:
                expected.setdefault(member, ("success", batch.end))
        assert {end.id: (end.outcome, end.ended) for end in history.requests} == expected
        batching_exact_invariants.check(history)
