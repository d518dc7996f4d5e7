"""What is sent to the engine and to the simulator: how much, how it is batched, and by how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

import inferometer as im

Floats = NDArray[np.float64]

COST: Final = (4e-3, 1e-4)  # seconds a batch, and each of its rows
# Quantiles want many requests: P99 of 300 would hang on three of them.
SECONDS: Final = 3.0
AT_LEAST: Final = 1000


@dataclass(frozen=True)
class Load:
    """A value.

    Attributes:
        rate: Requests of one row a second.
        batching: Their rules. With priority levels every request draws one.
        instances: Of the model.
    """

    rate: float
    batching: im.Batching
    instances: int = 1

    @property
    def requests(self) -> int:
        """In a round."""
        return max(AT_LEAST, round(self.rate * SECONDS))

    def levels(self, count: int, seed: int) -> list[int]:
        """The level of each request; 0 without levels."""
        levels = self.batching.priority_levels
        if levels == 0:
            return [0] * count
        drawn = np.random.default_rng(seed).integers(1, levels + 1, count)
        return [int(level) for level in drawn]


def poisson(rate: float, count: int, seed: int) -> Floats:
    """Times of arrivals in seconds, ascending."""
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))


# With batches of 16 an instance serves 2,857 requests a second.
LOADS: Final = {
    "light": Load(100, im.Batching(16)),
    "light, waiting 10 ms": Load(400, im.Batching(16, 0.01)),
    "half": Load(1400, im.Batching(16)),
    "busy": Load(2400, im.Batching(16, 0.005)),
    "too much": Load(4000, im.Batching(16, max_queue_size=100)),
    "busy, 2 levels": Load(2400, im.Batching(16, priority_levels=2)),
    "nearly full, 2 levels": Load(2600, im.Batching(16, priority_levels=2)),
    "light, 2 instances": Load(400, im.Batching(16), 2),
    "half, 2 instances": Load(2800, im.Batching(16), 2),
    "busy, 2 instances": Load(4800, im.Batching(16, 0.005), 2),
    "light, 4 instances": Load(800, im.Batching(16), 4),
    "busy, 4 instances": Load(5000, im.Batching(8), 4),
}
