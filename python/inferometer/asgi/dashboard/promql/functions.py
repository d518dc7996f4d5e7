"""Functions of vectors and scalars, but for those of range vectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from inferometer.asgi.dashboard.promql.quantile import histogram_quantile
from inferometer.asgi.dashboard.promql.series import (
    NAME,
    Floats,
    QueryError,
    Series,
    Vector,
    united,
)

Value = Floats | Vector | str


def _round(values: Floats, to: Floats) -> Floats:
    inverse = 1.0 / to
    return np.asarray(np.floor(values * inverse + 0.5) / inverse, np.float64)


def _clamp(values: Floats, low: Floats, high: Floats) -> Floats:
    result = np.maximum(low, np.minimum(high, values))
    return np.asarray(np.where(np.isnan(low) | np.isnan(high), np.nan, result), np.float64)


# Of each value, and of scalars that follow the vector in the call.
_OF_VALUES: dict[str, Callable[..., Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "clamp": _clamp,
    "clamp_max": np.minimum,
    "clamp_min": np.maximum,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "round": _round,
    "sgn": np.sign,
    "sqrt": np.sqrt,
}


def _of_values(name: str, arguments: Sequence[Value], steps: int) -> Vector:
    vector, *scalars = arguments
    if name == "round" and not scalars:
        scalars = [np.ones(steps)]
    function = _OF_VALUES[name]
    with np.errstate(all="ignore"):
        changed = [s.with_values(function(s.values, *scalars)) for s in _vector(vector)]
    if name == "clamp":
        low, high = scalars
        sensible = np.asarray(low) <= np.asarray(high)
        changed = [Series(s.labels, s.values, s.present & sensible) for s in changed]
    return united(changed)


def _vector(value: Value) -> Vector:
    if not isinstance(value, list):
        raise QueryError("got a scalar or a string, want a vector")
    return value


def _scalar(value: Value) -> Floats:
    if not isinstance(value, np.ndarray):
        raise QueryError("got a vector or a string, want a scalar")
    return value


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise QueryError("got a vector or a scalar, want a string")
    return value


def _to_scalar(vector: Vector, steps: int) -> Floats:
    if not vector:
        return np.full(steps, np.nan)
    present = np.stack([series.present for series in vector])
    values = np.stack([series.values for series in vector])
    total = np.where(present, values, 0.0).sum(axis=0)
    return np.asarray(np.where(present.sum(axis=0) == 1, total, np.nan), np.float64)


def _label_replace(arguments: Sequence[Value]) -> Vector:
    target, replacement, source, pattern = (_text(argument) for argument in arguments[1:])
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise QueryError(f"label_replace: got the pattern {pattern!r}: {error}") from error
    # Go writes groups as $1 and ${name}.
    template = re.sub(r"\$(?:(\w+)|\{(\w+)\})", r"\\g<\1\2>", replacement.replace("\\", r"\\"))
    result = []
    for series in _vector(arguments[0]):
        labels = dict(series.labels)
        match = expression.fullmatch(labels.get(source, ""))
        if match:
            try:
                value = match.expand(template)
            except (re.error, IndexError):
                raise QueryError(f"label_replace: no such group in {replacement!r}") from None
            labels.pop(target, None)
            if value:
                labels[target] = value
        result.append(Series(labels, series.values, series.present))
    return united(result)


def call(name: str, arguments: Sequence[Value], steps: Floats) -> Value:
    """The result of a function.

    Args:
        name: Its name.
        arguments: What it is called with.
        steps: (steps,) the moments of evaluation, seconds since the epoch.

    Raises:
        QueryError: A function that is not known here, or arguments it does not take.
    """
    count = len(steps)
    if name in _OF_VALUES:
        return _of_values(name, arguments, count)
    if name == "histogram_quantile":
        return histogram_quantile(_scalar(arguments[0]), _vector(arguments[1]))
    if name == "label_replace":
        return _label_replace(arguments)
    if name == "scalar":
        return _to_scalar(_vector(arguments[0]), count)
    if name == "vector":
        return [Series({}, _scalar(arguments[0]), np.ones(count, np.bool_))]
    if name == "time":
        return steps
    if name in ("sort", "sort_desc"):  # means nothing over a range
        return arguments[0]
    raise QueryError(f"the function {name} is not known here; it needs Prometheus")


def absent(vector: Vector, labels: dict[str, str], count: int) -> Vector:
    """``absent``: 1 at the steps where nothing is there."""
    nothing = np.ones(count, np.bool_)
    for series in vector:
        nothing &= ~series.present
    labels.pop(NAME, None)
    return [Series(labels, np.ones(count), nothing)] if nothing.any() else []
