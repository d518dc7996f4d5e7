"""A model with a programmable cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferometer import _core
from inferometer.batching import check_seconds, spec_tuples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferometer.batching import Spec


class DelayModel(_core.DelayModel):
    """A native model that takes as long as it is told to, for tests, benches, drills and demos.

    A batch of ``rows`` rows takes ``seconds + seconds_per_row * rows`` of wall time, asleep and
    without the GIL; each row is answered with a copy of itself. Outputs are called as the inputs
    are. One object may serve several engines.

    Args:
        seconds: What every batch takes.
        seconds_per_row: What every row of it takes on top.
        inputs: What it takes; None: fixed by the first request.

    Raises:
        ConfigError: Times that are no numbers, negative or not finite, or wrong specs.
    """

    def __init__(
        self,
        seconds: float = 0.0,
        seconds_per_row: float = 0.0,
        inputs: Sequence[Spec] | None = None,
    ) -> None:
        check_seconds("seconds", seconds)
        check_seconds("seconds_per_row", seconds_per_row)
        specs = spec_tuples(inputs)
        super().__init__(float(seconds), float(seconds_per_row), specs)

    def __repr__(self) -> str:
        """Its cost."""
        return f"DelayModel(seconds={self.seconds:g}, seconds_per_row={self.seconds_per_row:g})"
