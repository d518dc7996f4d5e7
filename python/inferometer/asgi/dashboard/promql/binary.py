"""Operators between scalars and vectors, and how the series of two vectors find each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from inferometer.asgi.dashboard.promql.series import (
    NAME,
    Bools,
    Floats,
    LabelKey,
    Labels,
    QueryError,
    Series,
    Vector,
    label_key,
    only,
    show_labels,
    united,
    without,
)

_ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
_COMPARISON: dict[str, Callable[[Floats, Floats], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_SETS = ("and", "or", "unless")


@dataclass(frozen=True)
class Matching:
    """How series are matched: ``on``, ``ignoring``, ``group_left``, ``group_right``, ``bool``.

    Args:
        on: Whether `names` are the labels that must agree, or those that need not.
        names: Labels.
        many: ``"left"`` or ``"right"`` if that side may have several for one of the other.
        include: Labels that the result takes from the side of which there is one.
        as_bool: Comparisons give 0 or 1 instead of choosing.
    """

    on: bool = False
    names: Sequence[str] = ()
    many: str | None = None
    include: Sequence[str] = ()
    as_bool: bool = False

    def signature(self, labels: Labels) -> LabelKey:
        """What must be equal for two series to match."""
        if self.on:
            return label_key(only(labels, self.names))
        return label_key(without(labels, (NAME, *self.names)))


def _compute(
    op: str, left: Floats, right: Floats, kept: Floats, as_bool: bool
) -> tuple[Floats, Bools | None]:
    """Values, and where a comparison holds (None for arithmetic)."""
    with np.errstate(all="ignore"):
        if op in _ARITHMETIC:
            return np.asarray(_ARITHMETIC[op](left, right), np.float64), None
        holds = _COMPARISON[op](left, right)
    return (holds.astype(np.float64), None) if as_bool else (kept, holds)


def scalars(op: str, left: Floats, right: Floats) -> Floats:
    """An operator between two scalars; comparisons are 0 or 1."""
    return _compute(op, left, right, left, as_bool=True)[0]


def vector_and_scalar(
    op: str, vector: Vector, scalar: Floats, scalar_is_left: bool, as_bool: bool
) -> Vector:
    """An operator between each series and a scalar."""
    result = []
    for series in vector:
        sides = (scalar, series.values) if scalar_is_left else (series.values, scalar)
        values, holds = _compute(op, *sides, series.values, as_bool)
        if holds is None:
            result.append(series.with_values(values))
        else:
            result.append(Series(series.labels, values, series.present & holds))
    return united(result)


def _by_signature(vector: Vector, matching: Matching) -> dict[LabelKey, list[Series]]:
    groups: dict[LabelKey, list[Series]] = {}
    for series in vector:
        groups.setdefault(matching.signature(series.labels), []).append(series)
    return groups


def _presence(members: Sequence[Series], steps: int) -> Bools:
    present = np.zeros(steps, np.bool_)
    for series in members:
        present |= series.present
    return present


def sets(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """``and``, ``or``, ``unless``."""
    source, other = (right, left) if op == "or" else (left, right)
    groups = _by_signature(other, matching)
    chosen = []
    for series in source:
        members = groups.get(matching.signature(series.labels), [])
        there = _presence(members, len(series.present))
        present = series.present & (there if op == "and" else ~there)
        if present.any():
            chosen.append(Series(series.labels, series.values, present))
    return united([*left, *chosen]) if op == "or" else chosen


def _refuse_duplicates(members: Sequence[Series], side: str) -> None:
    if len(members) > 1 and (np.stack([s.present for s in members]).sum(axis=0) > 1).any():
        shown = ", ".join(show_labels(series.labels) for series in members[:2])
        raise QueryError(f"several series match on the {side} side: {shown}")


def _result_labels(many: Labels, one: Labels, matching: Matching, keeps_name: bool) -> Labels:
    labels = dict(many) if keeps_name else without(many, (NAME,))
    if matching.many is None:
        if matching.on:
            return only(labels, matching.names)
        return without(labels, matching.names)
    for name in matching.include:
        labels.pop(name, None)
        if one.get(name):
            labels[name] = one[name]
    return labels


def _pair(op: str, many: Series, one: Series, matching: Matching) -> Series:
    many_is_left = matching.many != "right"
    left, right = (many, one) if many_is_left else (one, many)
    values, holds = _compute(op, left.values, right.values, left.values, matching.as_bool)
    keeps_name = op in _COMPARISON and not matching.as_bool
    labels = _result_labels(many.labels, one.labels, matching, keeps_name)
    present = left.present & right.present
    return Series(labels, values, present if holds is None else present & holds)


def vectors(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """An operator between the series of two vectors that match.

    Raises:
        QueryError: Of a side that must have one series several match.
    """
    if op in _SETS:
        return sets(op, left, right, matching)
    many, one = (right, left) if matching.many == "right" else (left, right)
    one_side = "left" if matching.many == "right" else "right"
    groups = _by_signature(one, matching)
    many_groups = _by_signature(many, matching)
    result: list[Series] = []
    for signature, members in many_groups.items():
        matches = groups.get(signature)
        if matches is None:
            continue
        _refuse_duplicates(matches, one_side)
        if matching.many is None:
            _refuse_duplicates(members, "left")
        result.extend(_pair(op, series, match, matching) for series in members for match in matches)
    return united(series for series in result if series.present.any())
