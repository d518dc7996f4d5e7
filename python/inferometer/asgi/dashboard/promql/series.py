"""What queries read and make: samples of a series, and series over the steps of a range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Labels = Mapping[str, str]
LabelKey = tuple[tuple[str, str], ...]

NAME = "__name__"


class QueryError(ValueError):
    """A query that cannot be answered here; its message is shown to people."""


@dataclass(frozen=True)
class Samples:
    """Samples of one series, oldest first.

    Args:
        labels: Its labels, the name among them.
        times: (samples,) float64, seconds since the epoch.
        values: (samples,) float64; NaN marks where the series was not there.
    """

    labels: Labels
    times: Floats
    values: Floats


@dataclass(frozen=True)
class Series:
    """One element of a vector, at each step of a range.

    Args:
        labels: Its labels.
        values: (steps,) float64; meaningless where `present` is false.
        present: (steps,) bool; a series that is there may be NaN.
    """

    labels: Labels
    values: Floats
    present: Bools

    def with_values(self, values: Floats) -> Series:
        """The same steps with other values; without the name, which was the old values'."""
        return Series(without(self.labels, (NAME,)), values, self.present)


Vector = list[Series]


@dataclass(frozen=True)
class LabelMatcher:
    """A matcher of a selector; `op` is ``=``, ``!=``, ``=~`` or ``!~``."""

    name: str
    op: str
    value: str


class SampleSource(Protocol):
    """Where selectors get their samples from."""

    def select(
        self, name: str, matchers: Sequence[LabelMatcher], start: float, end: float
    ) -> list[Samples]:
        """The samples from `start` to `end` (seconds since the epoch) of all series that match.

        Raises:
            QueryError: There are no series of that name, and never will be.
        """
        ...


def label_key(labels: Labels) -> LabelKey:
    """Labels as a key of dicts."""
    return tuple(sorted(labels.items()))


def without(labels: Labels, names: Iterable[str]) -> dict[str, str]:
    """The labels but for some."""
    left_out = frozenset(names)
    return {name: value for name, value in labels.items() if name not in left_out}


def only(labels: Labels, names: Iterable[str]) -> dict[str, str]:
    """Some of the labels."""
    return {name: labels[name] for name in names if labels.get(name)}


def show_labels(labels: Labels) -> str:
    """Labels as PromQL writes them."""
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()) if key != NAME)
    return f"{labels.get(NAME, '')}{{{inside}}}"


def united(series: Iterable[Series]) -> Vector:
    """Series with the same labels made one, at each step what is there.

    Raises:
        QueryError: Two of them are there at the same step.
    """
    by_labels: dict[LabelKey, Series] = {}
    for one in series:
        key = label_key(one.labels)
        known = by_labels.get(key)
        if known is None:
            by_labels[key] = one
            continue
        if (known.present & one.present).any():
            raise QueryError(f"two series have the same labels: {show_labels(one.labels)}")
        values = np.where(one.present, one.values, known.values)
        by_labels[key] = Series(known.labels, values, known.present | one.present)
    return list(by_labels.values())
