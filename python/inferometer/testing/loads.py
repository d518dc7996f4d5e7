"""When requests arrive."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from inferometer.testing.errors import LabError
from inferometer.testing.given_numbers import check_number, check_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Steady:
    """Requests at equal distances, as many independent users send them on average.

    Attributes:
        rate: Requests a second; 0: none.
        rows: Of each.
    """

    rate: float
    rows: int = 1

    def __post_init__(self) -> None:
        """Refuses what cannot be.

        Raises:
            LabError: A wrong number.
        """
        check_number("Steady", "rate", self.rate)
        check_whole("Steady", "rows", self.rows, 1)

    def arrivals(self, start: float, end: float) -> NDArray[np.float64]:
        """Seconds and rows of each request from ``start`` up to ``end``."""
        import numpy as np

        if self.rate <= 0:
            return np.empty((0, 2))
        count = max(int((end - start) * self.rate + 1e-6), 0)
        times = start + (np.arange(count) + 0.5) / self.rate
        return np.column_stack([times, np.full(count, float(self.rows))])


@dataclass(frozen=True)
class Random:
    """Requests at random, each independent of the others (a Poisson process).

    Attributes:
        rate: Requests a second on average.
        rows: Of each.
        seed: The same seed, the same requests.
    """

    rate: float
    rows: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses what cannot be.

        Raises:
            LabError: A wrong number.
        """
        check_number("Random", "rate", self.rate)
        check_whole("Random", "rows", self.rows, 1)

    def arrivals(self, start: float, end: float) -> NDArray[np.float64]:
        """Seconds and rows of each request from ``start`` up to ``end``."""
        import numpy as np

        chance = random.Random(f"{self.seed} {start}")
        times = []
        at = start
        while self.rate > 0 and (at := at + chance.expovariate(self.rate)) < end:
            times.append(at)
        return np.column_stack([np.array(times), np.full(len(times), float(self.rows))])


@dataclass(frozen=True)
class Recorded:
    """Requests at times of your own.

    Attributes:
        seconds: When each arrives, from the beginning of the ``run()``, in the order of time.
        rows: Of each.
    """

    seconds: tuple[float, ...]
    rows: int = 1

    def __post_init__(self) -> None:
        """Refuses what cannot be.

        Raises:
            LabError: Wrong numbers.
        """
        if isinstance(self.seconds, str) or not isinstance(self.seconds, Iterable):
            raise LabError(f"Recorded: got seconds {self.seconds!r}, want a tuple of numbers")
        for moment in self.seconds:
            check_number("Recorded", "seconds", moment)
        check_whole("Recorded", "rows", self.rows, 1)

    def arrivals(self, start: float, end: float) -> NDArray[np.float64]:
        """Seconds and rows of each request from ``start`` up to ``end``."""
        import numpy as np

        times = start + np.array(self.seconds, dtype=np.float64)
        times = times[times < end]
        return np.column_stack([times, np.full(len(times), float(self.rows))])


Shape = float | Steady | Random | Recorded
Load = Shape | Mapping[str, Shape] | None
"""Requests a second, a shape, or one for each model; None: no requests."""


def shape_of(load: Any) -> Steady | Random | Recorded:
    """The shape behind what was given.

    Raises:
        LabError: What is no load.
    """
    if load is None:
        return Steady(0.0)
    if isinstance(load, Steady | Random | Recorded):
        return load
    if isinstance(load, Real) and not isinstance(load, bool) and 0 <= float(load) < math.inf:
        return Steady(float(load))
    raise LabError(f"load: got {load!r}, want requests a second, Steady, Random or Recorded")


def by_model(load: Load, models: Iterable[str]) -> dict[str, Steady | Random | Recorded]:
    """The shape for each model.

    Raises:
        LabError: What is no load, or one for a model that does not exist.
    """
    names = list(models)
    if not isinstance(load, Mapping):
        return {name: shape_of(load) for name in names}
    unknown = sorted(load.keys() - set(names), key=str)
    if unknown:
        raise LabError(f"load: got one for {unknown[0]!r}, want models among {', '.join(names)}")
    return {name: shape_of(load.get(name)) for name in names}
