"""Units and what arithmetic makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

_FACTORS = (60.0, 3600.0, 86400.0, *(base**n for base in (1000.0, 1024.0) for n in (1, 2, 3)))
# Seconds per second have no base left, and what is made of them may be milliseconds again.
_RATIO_FACTORS = (100.0, *_FACTORS)


@dataclass(frozen=True)
class Unit:
    """A product of base units, times a scale: milliseconds are seconds times 0.001.

    ``count`` is a base of its own, so that a ratio is what has no base left.
    """

    bases: frozenset[tuple[str, int]]
    scale: float = 1.0

    @property
    def physical(self) -> frozenset[tuple[str, int]]:
        """The bases without counts: seconds per request are seconds, as far as one can see."""
        return frozenset(base for base in self.bases if base[0] != "count")

    @property
    def is_ratio(self) -> bool:
        """Whether it has no base, as 0 to 1 and per cent have."""
        return not self.bases

    def same_kind(self, other: Unit) -> bool:
        """Whether values of both can be compared, apart from their scale."""
        return self.physical == other.physical

    def same_scale(self, other: Unit) -> bool:
        """Whether one means the same number by 1."""
        return math.isclose(self.scale, other.scale, rel_tol=1e-9)

    def times(self, other: Unit, sign: int = 1) -> Unit:
        """The unit of a product, or with ``sign=-1`` of a quotient."""
        exponents = dict(self.bases)
        for base, exponent in other.bases:
            exponents[base] = exponents.get(base, 0) + sign * exponent
        kept = frozenset((base, exponent) for base, exponent in exponents.items() if exponent)
        return Unit(kept, self.scale * other.scale**sign)

    def scaled(self, factor: float) -> Unit | None:
        """The unit of values that were multiplied by a number.

        A factor that is between units, as 1000, gives another unit; any other one, as in twice
        the objective, leaves it. None if nothing can be said.
        """
        if not math.isfinite(factor) or factor <= 0:
            return None
        conversions = _RATIO_FACTORS if self.is_ratio else _FACTORS
        if not any(math.isclose(max(factor, 1 / factor), each) for each in conversions):
            return self
        scale = self.scale / factor
        return Unit(self.bases, scale) if math.isfinite(scale) and scale > 0 else None

    def __str__(self) -> str:
        if not self.bases:
            return {1.0: "a ratio of 0 to 1", 0.01: "per cent"}.get(self.scale, "a ratio")
        plain = Unit(self.physical, self.scale)  # seconds per request are called seconds
        names = {unit: name for name, unit in BY_NAME.items()}
        known = names.get(self, names.get(plain))
        if known is not None:
            return known
        factor = "" if self.scale == 1 else f"{self.scale:g} "
        return factor + " ".join(
            base if exponent == 1 else f"{base}^{exponent}" for base, exponent in sorted(self.bases)
        )


def _unit(scale: float = 1.0, **exponents: int) -> Unit:
    return Unit(frozenset(exponents.items()), scale)


RATIO = _unit()
PERCENT = _unit(0.01)
COUNT = _unit(count=1)
SECONDS = _unit(seconds=1)
PER_SECOND = _unit(seconds=-1)
# By the catalogue's names; these and no others are told to the user.
BY_NAME: Mapping[str, Unit] = {
    "seconds": SECONDS,
    "milliseconds": _unit(1e-3, seconds=1),
    "microseconds": _unit(1e-6, seconds=1),
    "bytes": _unit(bytes=1),
    "bytes per second": _unit(bytes=1, seconds=-1),
    "ratio": RATIO,
    "celsius": _unit(celsius=1),
    "joules": _unit(joules=1),
    "watts": _unit(joules=1, seconds=-1),
    "hertz": PER_SECOND,
    "count": COUNT,
    "count per second": _unit(count=1, seconds=-1),
}


def named(name: str) -> Unit | None:
    """The unit of the catalogue's name; None for those that are no units, as ``flag``."""
    return BY_NAME.get(name)
