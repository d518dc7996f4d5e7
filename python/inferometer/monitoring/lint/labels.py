"""What is known about the labels of an expression's series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Labels:
    """The labels of a set of series.

    Attributes:
        sure: Labels that every series has.
        maybe: Labels that a series may have besides.
        open: Whether there may be any others too.
        values: Labels of which the value is known.
    """

    sure: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()
    open: bool = False
    values: Mapping[str, str] = field(default_factory=dict)

    def may_have(self, label: str) -> bool:
        """Whether a series may have a label."""
        return self.open or label in self.sure or label in self.maybe

    def keep(self, labels: Iterable[str]) -> Labels:
        """Only these."""
        kept = frozenset(labels)
        maybe = (self.maybe & kept) | (kept - self.sure if self.open else frozenset())
        values = {label: value for label, value in self.values.items() if label in kept}
        return Labels(self.sure & kept, maybe, False, values)

    def drop(self, labels: Iterable[str]) -> Labels:
        """All but these."""
        gone = frozenset(labels)
        values = {label: value for label, value in self.values.items() if label not in gone}
        return Labels(self.sure - gone, self.maybe - gone, self.open, values)

    def with_sure(self, labels: Iterable[str]) -> Labels:
        """These too, with unknown values."""
        added = frozenset(labels)
        base = self.drop(added)
        return Labels(base.sure | added, base.maybe, base.open, base.values)

    def with_maybe(self, labels: Iterable[str]) -> Labels:
        """These too, on some series, with unknown values."""
        added = frozenset(labels)
        base = self.drop(added)
        return Labels(base.sure, base.maybe | added, base.open, base.values)

    def with_values(self, values: Mapping[str, str]) -> Labels:
        """These too, with these values."""
        base = self.with_sure(values)
        return Labels(base.sure, base.maybe, base.open, {**base.values, **values})

    def union(self, other: Labels) -> Labels:
        """Of series of which each is from one of both."""
        sure = self.sure & other.sure
        maybe = (self.sure | self.maybe | other.sure | other.maybe) - sure
        values = {k: v for k, v in self.values.items() if other.values.get(k) == v}
        return Labels(sure, maybe, self.open or other.open, values)

    def conflict(
        self, other: Labels, on: Iterable[str] | None, ignoring: Iterable[str]
    ) -> str | None:
        """Why no series of one can match one of the other; None if they may.

        Args:
            other: The other side's labels.
            on: The labels that are compared, None for all.
            ignoring: Labels that are not compared.
        """
        left, right = self.drop(ignoring), other.drop(ignoring)
        if on is not None:
            compared = frozenset(on)
            left, right = left.keep(compared), right.keep(compared)
        for label in sorted(left.sure - right.sure):
            if not right.may_have(label):
                return f"only the left side has the label {label}"
        for label in sorted(right.sure - left.sure):
            if not left.may_have(label):
                return f"only the right side has the label {label}"
        for label, value in sorted(left.values.items()):
            if label in right.values and right.values[label] != value:
                return f'{label} is "{value}" on the left and "{right.values[label]}" on the right'
        return None

    def __str__(self) -> str:
        # Labels of the target, of which there may be many, are left out where there are others.
        names = ", ".join(sorted(self.sure or self.maybe)) or "none"
        return f"{names} and others" if self.open else names


UNKNOWN = Labels(open=True)
NONE = Labels()
