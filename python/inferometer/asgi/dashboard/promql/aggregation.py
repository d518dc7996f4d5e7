"""Aggregations: ``sum by (model_name) (...)`` and its like."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from inferometer.asgi.dashboard.promql.series import (
    NAME,
    Bools,
    Floats,
    LabelKey,
    QueryError,
    Series,
    Vector,
    label_key,
    only,
    without,
)

# From (series, steps) values and presence to (steps,) values; empty columns do not count.
_Reduce = Callable[[Floats, Bools], Floats]


def _sum(values: Floats, present: Bools) -> Floats:
    return np.asarray(np.where(present, values, 0.0).sum(axis=0), np.float64)


def _count(values: Floats, present: Bools) -> Floats:
    return np.asarray(present.sum(axis=0), np.float64)


def _average(values: Floats, present: Bools) -> Floats:
    return _sum(values, present) / np.maximum(_count(values, present), 1)


def _ignoring_nan(reduce: Callable[..., Floats]) -> _Reduce:
    def reduced(values: Floats, present: Bools) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # all NaN: the answer is NaN
            return reduce(np.where(present, values, np.nan), axis=0)

    return reduced


def _variance(values: Floats, present: Bools) -> Floats:
    from_mean = np.where(present, values - _average(values, present), 0.0)
    return _average(from_mean**2, present)


_REDUCE: dict[str, _Reduce] = {
    "sum": _sum,
    "avg": _average,
    "count": _count,
    "min": _ignoring_nan(np.nanmin),
    "max": _ignoring_nan(np.nanmax),
    "group": lambda values, present: np.ones(values.shape[1]),
    "stddev": lambda values, present: np.sqrt(_variance(values, present)),
    "stdvar": _variance,
}


def _groups(vector: Vector, by: bool, names: Sequence[str]) -> dict[LabelKey, list[Series]]:
    groups: dict[LabelKey, list[Series]] = {}
    for series in vector:
        kept = only(series.labels, names) if by else without(series.labels, (NAME, *names))
        groups.setdefault(label_key(kept), []).append(series)
    return groups


def _best(members: list[Series], count: Floats, largest: bool) -> Vector:
    """At each step the `count` largest (or smallest) of some series, with labels of their own."""
    values = np.stack([series.values for series in members])
    present = np.stack([series.present for series in members])
    size = np.where(np.isnan(values), -np.inf, values if largest else -values)
    # What is there comes before what is not, then the largest.
    ranks = np.argsort(np.lexsort((-size, ~present), axis=0), axis=0)
    chosen = present & (ranks < count)
    return [
        Series(series.labels, series.values, row)
        for series, row in zip(members, chosen, strict=True)
        if row.any()
    ]


def aggregate(
    op: str, vector: Vector, by: bool, names: Sequence[str], parameter: Floats | None
) -> Vector:
    """An aggregation.

    Args:
        op: Its name.
        vector: What to aggregate.
        by: Whether `names` are the labels to keep, or those to drop.
        names: Labels.
        parameter: (steps,) the first argument of those that take one.

    Returns:
        A series for each group; of ``topk`` and ``bottomk`` the chosen series.

    Raises:
        QueryError: An aggregation that is not known here.
    """
    groups = _groups(vector, by, names)
    if op in ("topk", "bottomk") and parameter is not None:
        return [
            series
            for members in groups.values()
            for series in _best(members, parameter, op == "topk")
        ]
    if op not in _REDUCE:
        raise QueryError(f"the aggregation {op} is not known here; it needs Prometheus")
    result = []
    for key, members in groups.items():
        values = np.stack([series.values for series in members])
        present = np.stack([series.present for series in members])
        result.append(
            Series(dict(key), _REDUCE[op](values, present), np.logical_or.reduce(present))
        )
    return result
