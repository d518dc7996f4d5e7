"""Tensors of KServe v2 in JSON: what a model takes, checked before memory is taken for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from inferometer.batching import Spec
from inferometer.repository import datatype_name
from inferometer.serve.errors import MisfitError, bad_request
from inferometer.serve.number_arrays import Array, DataError, number_array

_NOTE = (
    " NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to be "
    "prepended to each input shape."
)


def read_tensor(entry: dict[str, Any], spec: Spec, model: str, max_rows: int) -> Array:
    """Reads one input.

    Args:
        entry: ``{"name": ..., "shape": ..., "datatype": ..., "data": ...}``.
        spec: What the model takes there.
        model: Its name, for messages.
        max_rows: Rows in one request at most.

    Returns:
        The array, of the model's dtype and the request's shape.

    Raises:
        RequestError: Another type or shape, or data that does not fit them.
    """
    name = spec.name
    datatype = entry.get("datatype")
    if not isinstance(datatype, str):
        raise bad_request(f"Unable to parse 'datatype' of input '{name}': want a string")
    wanted = datatype_name(spec.dtype)
    if datatype != wanted:
        raise MisfitError(
            f"inference input '{name}' data-type is '{datatype}', but model '{model}' expects "
            f"'{wanted}'"
        )
    shape = _read_shape(entry.get("shape"), spec, model, max_rows)
    if "data" not in entry:
        raise bad_request(f"Unable to parse 'data' of input '{name}': there is none")
    array = _read_data(entry["data"], name)
    _check_size(array, shape, name)
    return _cast(array, spec).reshape(shape)


def _read_shape(got: object, spec: Spec, model: str, max_rows: int) -> tuple[int, ...]:
    name, want = spec.name, list(spec.shape)
    sizes = got.tolist() if isinstance(got, np.ndarray) else got
    # bool is an int, and no size.
    if not isinstance(sizes, list) or any(type(size) is not int or size < 0 for size in sizes):
        raise bad_request(f"Unable to parse 'shape' of input '{name}': want an array of sizes")
    fits = len(sizes) == len(want) and all(
        expected in (-1, size) for size, expected in zip(sizes, want, strict=True)
    )
    if not fits:
        shown = str(sizes[:16])[:-1] + (", ...]" if len(sizes) > 16 else "]")
        raise MisfitError(
            f"unexpected shape for input '{name}' for model '{model}'. "
            f"Expected {str(want).replace(' ', '')}, got {shown.replace(' ', '')}.{_NOTE}"
        )
    if not sizes[0]:
        raise MisfitError(f"input '{name}' has no rows, want 1 to {max_rows}")
    if sizes[0] > max_rows:
        raise MisfitError(f"inference request batch-size must be <= {max_rows} for '{model}'")
    return tuple(sizes)


def _read_data(data: object, name: str) -> Array:
    if isinstance(data, np.ndarray):
        return data
    if not isinstance(data, list):
        raise bad_request(f"Unable to parse 'data' of input '{name}': want an array")
    try:
        return number_array(data)
    except DataError as error:
        raise bad_request(f"Unable to parse 'data' of input '{name}': got {error}") from None


def _check_size(array: Array, shape: tuple[int, ...], name: str) -> None:
    size = math.prod(shape)
    if array.ndim == 1 and array.size == size:
        return
    if array.shape == shape:
        return
    got = f"{array.size} values" if array.ndim == 1 else f"values nested as {list(array.shape)}"
    raise MisfitError(
        f"unexpected size for input '{name}', expecting {size} values for shape {list(shape)}, "
        f"flat or nested as it, got {got}"
    )


def _cast(array: Array, spec: Spec) -> Array:
    dtype = np.dtype(spec.dtype)
    datatype = datatype_name(spec.dtype)
    wrong = f"Unable to parse 'data' of input '{spec.name}': "
    if (dtype.kind == "b") != (array.dtype.kind == "b"):
        got, want = ("numbers", "bools") if dtype.kind == "b" else ("bools", "numbers")
        raise bad_request(f"{wrong}got {got} for {datatype}, want {want}")
    if dtype.kind in "iu":
        if array.dtype.kind == "f":
            raise bad_request(f"{wrong}got numbers with a fraction for {datatype}, want integers")
        limits = np.iinfo(dtype)
        if array.size and not (limits.min <= int(array.min()) and int(array.max()) <= limits.max):
            raise bad_request(
                f"{wrong}got numbers that {datatype} does not hold, want {limits.min} to "
                f"{limits.max}"
            )
        return array.astype(dtype)
    if dtype.kind != "f":
        return array.astype(dtype)
    largest = float(np.finfo(dtype).max)
    too_large = bad_request(
        f"{wrong}got numbers that {datatype} does not hold, want at most {largest:g}"
    )
    try:
        floats = array.astype(np.float64) if array.dtype.kind == "O" else array
    except OverflowError:
        raise too_large from None
    with np.errstate(over="ignore"):
        cast = floats.astype(dtype)
    if not np.array_equal(np.isinf(cast), np.isinf(floats)):
        raise too_large
    return cast


def check_names(names: Sequence[str], wanted: Sequence[str], model: str) -> None:
    """Refuses a request with other inputs than the model's.

    Args:
        names: Those of the request.
        wanted: Those of the model.
        model: Its name, for messages.

    Raises:
        RequestError: One is missing, unknown or there twice.
    """
    if len(set(names)) < len(names):
        raise MisfitError(f"got an input twice for model '{model}'")
    unknown = [name for name in names if name not in wanted]
    missing = [name for name in wanted if name not in names]
    if missing or unknown:
        raise MisfitError(
            f"expected {len(wanted)} inputs but got {len(names)} inputs for model '{model}'. "
            f"Got input(s) {list(names)[:16]}, but missing required input(s) {missing}. "
            f"Please provide all required input(s)."
        )
