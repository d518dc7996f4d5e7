"""From JSON's numbers and bools to arrays, without trusting that they are any."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Constant(float):
    """A NaN or an infinity that was written as such; other infinities are numbers too large."""


# As numpy before its version 2 allows; models have far fewer.
MAX_DIMENSIONS = 32

_TOO_LARGE = "a number that no float can hold"


class DataError(ValueError):
    """Data that is no array of numbers or bools; the message says why."""


def number_array(values: Sequence[Any]) -> Array:
    """An array of what a JSON array holds.

    Args:
        values: Numbers, or bools, or equally long lists of them, however deep.

    Returns:
        bool, int64, uint64 (if a number needs it), float64 or, for integers that no 64 bits hold
        (together), object; shaped as it is nested.

    Raises:
        DataError: Something else, bools among numbers, lists of different lengths or nested too
            deep, or numbers that no float can hold.
    """
    shape = [len(values)]
    flat: Any = values
    while flat and type(flat[0]) is list:
        _check_rows(flat)
        shape.append(len(flat[0]))
        if len(shape) > MAX_DIMENSIONS:
            raise DataError(f"lists nested more than {MAX_DIMENSIONS} deep")
        flat = list(chain.from_iterable(flat))
    return _flat_array(flat).reshape(shape)


def joined(parts: Sequence[Array]) -> Array:
    """Several arrays, one after the other along axis 0.

    Raises:
        DataError: They differ in shape, are bools and numbers, or no float can hold an integer
            among numbers with a fraction.
    """
    if len({part.shape[1:] for part in parts}) > 1:
        raise DataError("lists of different lengths")
    kinds = {part.dtype.kind for part in parts if part.size}
    if "b" in kinds and len(kinds) > 1:
        raise DataError("bools among numbers")
    if "f" in kinds and "O" in kinds:
        parts = [_as_floats(part) if part.dtype.kind == "O" else part for part in parts]
    if kinds == {"i", "u"}:  # numpy would make floats of them
        negative = any((part < 0).any() for part in parts if part.dtype.kind == "i")
        parts = [part.astype(object if negative else np.uint64) for part in parts]
    return np.concatenate([part for part in parts if part.size] or parts)


def _check_rows(rows: list[Any]) -> None:
    if any(type(row) is not list for row in rows):
        raise DataError("lists among other values")
    if len(set(map(len, rows))) > 1:
        raise DataError("lists of different lengths")


def _flat_array(values: Sequence[Any]) -> Array:
    types = set(map(type, values))
    if types <= {int}:
        for dtype in (np.int64, np.uint64):
            try:
                return np.array(values, dtype)
            except OverflowError:
                continue
        # A float type may take them; which type is wanted, the caller knows.
        return np.array(values, object)
    if types <= {int, float, Constant}:
        return _floats(values)
    if types == {bool}:
        return np.array(values, np.bool_)
    if types <= {int, float, Constant, bool}:
        raise DataError("bools among numbers")
    wrong = next(value for value in values if type(value) not in (int, float, Constant, bool))
    names = {str: "a string", dict: "an object", type(None): "null"}
    raise DataError(names.get(type(wrong), "lists among other values"))


def _floats(values: Sequence[Any]) -> Array:
    array = _as_floats(values)
    # Python reads 1e999 as infinity.
    if any(type(values[at]) is not Constant for at in np.flatnonzero(np.isinf(array)).tolist()):
        raise DataError(_TOO_LARGE)
    return array


def _as_floats(values: Sequence[Any] | Array) -> Array:
    try:
        return np.array(values, np.float64)
    except OverflowError:
        raise DataError(_TOO_LARGE) from None
