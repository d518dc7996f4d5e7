"""``histogram_quantile``: from cumulative buckets to a quantile, as Prometheus does it."""

from __future__ import annotations

import numpy as np

from inferometer.asgi.dashboard.promql.series import (
    NAME,
    Floats,
    LabelKey,
    Series,
    Vector,
    label_key,
    without,
)


def _bound(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _of_buckets(q: Floats, bounds: Floats, counts: Floats) -> Floats:
    """The quantiles of buckets that are all there.

    Args:
        q: (steps,) which quantile.
        bounds: (buckets,) upper bounds, ascending.
        counts: (buckets, steps) cumulative counts.

    Returns:
        (steps,) quantiles, NaN where there is nothing to tell them from.
    """
    # Buckets with one bound are one; scrapes that tear a histogram are made monotonic.
    unique, start = np.unique(bounds, return_index=True)
    counts = np.maximum.accumulate(np.add.reduceat(counts, start, axis=0), axis=0)
    steps = counts.shape[1]
    if len(unique) < 2 or unique[-1] != np.inf:
        return np.full(steps, np.nan)
    total = counts[-1]
    rank = q * total
    # The first bucket that holds the rank; the last one if none before it does.
    index = np.minimum((counts[:-1] < rank).sum(axis=0), len(unique) - 1)
    column = np.arange(steps)
    below = np.maximum(index - 1, 0)
    in_first = index == 0
    lower = np.where(in_first, 0.0, unique[below])
    count_below = np.where(in_first, 0.0, counts[below, column])
    inside = counts[index, column] - count_below
    with np.errstate(divide="ignore", invalid="ignore"):
        result = lower + (unique[index] - lower) * ((rank - count_below) / inside)
    result = np.where(index == len(unique) - 1, unique[-2], result)
    result = np.where(in_first & (unique[0] <= 0), unique[0], result)
    result = np.where((total > 0) & ~np.isnan(q), result, np.nan)
    result = np.where(q < 0, -np.inf, result)
    return np.asarray(np.where(q > 1, np.inf, result), np.float64)


def histogram_quantile(q: Floats, buckets: Vector) -> Vector:
    """Quantiles of each histogram in a vector of buckets.

    Args:
        q: (steps,) which quantile, 0 to 1.
        buckets: Series with a label ``le``; others are left out.

    Returns:
        A series for each histogram, without ``le``.
    """
    groups: dict[LabelKey, list[tuple[float, Series]]] = {}
    for series in buckets:
        bound = _bound(series.labels.get("le"))
        if bound is not None:
            labels = without(series.labels, ("le", NAME))
            groups.setdefault(label_key(labels), []).append((bound, series))
    result = []
    for key, members in groups.items():
        members.sort(key=lambda member: member[0])
        bounds = np.array([bound for bound, _ in members])
        counts = np.stack([series.values for _, series in members])
        present = np.stack([series.present for _, series in members])
        values = np.full(len(q), np.nan)
        # Buckets come and go together, nearly always: one round for each set that occurs.
        for there in np.unique(present, axis=1).T:
            steps = (present == there[:, None]).all(axis=0)
            if there.any():
                values[steps] = _of_buckets(q[steps], bounds[there], counts[there][:, steps])
        result.append(Series(dict(key), values, np.logical_or.reduce(present)))
    return result
