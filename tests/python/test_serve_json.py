"""Reading JSON in windows: json.loads is the judge of what a text means."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.serve.json_reader import JsonError, read_json
from inferometer.serve.number_arrays import Constant, DataError, joined, number_array

NESTING = 100

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=40,
)
ARRAYS = st.tuples(st.integers(0, 6), st.integers(0, 6)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(-9, 9) | st.floats(-9, 9), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


def plain(value: Any) -> Any:
    """Arrays as lists."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


@settings(max_examples=400, deadline=None)
@given(value=VALUES | ARRAYS, window=st.integers(1, 40), indent=st.sampled_from([None, 1]))
def test_windows_of_any_size_read_what_json_loads_reads(
    value: Any, window: int, indent: int | None
) -> None:
    body = json.dumps(value, indent=indent).encode()
    assert plain(read_json(body, NESTING, window)) == value
    assert plain(read_json(body, NESTING)) == value


@settings(max_examples=600, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(
            [
                *'[]{},:"0123456789.-+eE\\ \n',
                *("[1,", "]]", "true", "null", "NaN", "Infinity", '"a"', '{"a":', "1.5"),
                *("\\u00e9", "\u00ed\u00a0\u0080"),
            ]
        ),
        max_size=30,
    ).map("".join),
    window=st.integers(1, 30),
)
def test_windows_refuse_what_json_loads_refuses(text: str, window: int) -> None:
    body = text.encode()
    try:
        want = json.loads(text)
    except (ValueError, RecursionError):
        with pytest.raises(JsonError):
            read_json(body, NESTING, window)
    else:
        # NaN is not equal to itself.
        assert repr(plain(read_json(body, NESTING, window))) == repr(want)


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=60), window=st.integers(1, 70))
def test_any_bytes_are_read_or_refused(body: bytes, window: int) -> None:
    try:
        read_json(body, NESTING, window)
    except JsonError as error:
        assert str(error)


@pytest.mark.parametrize("window", [8, 1 << 16])
@pytest.mark.parametrize(
    "opening",
    ["[", '{"a":', "[[1],", '[{"a":[', "[ "],
    ids=["array", "object", "row", "both", "gap"],
)
def test_nesting_is_bounded(opening: str, window: int) -> None:
    closing = "".join({"[": "]", "{": "}"}.get(c, "") for c in reversed(opening) if c in "[{")
    if opening == "[[1],":
        opening, closing = "[[1],", "]"
    step = opening.count("[") + opening.count("{") - opening.count("]")
    deep = NESTING // step
    inside = "1" if opening != "[[1]," else "[2]"
    fits = (opening * (deep - 1) + inside + closing * (deep - 1)).encode()
    read_json(fits, NESTING, window)
    for times in (deep + 1, 10_000, 1_000_000):
        with pytest.raises(JsonError, match="nested more than 100 deep"):
            read_json((opening * times).encode(), NESTING, window)


def test_brackets_in_strings_are_no_nesting() -> None:
    text = json.dumps({"id": "[" * 500 + '"\\' + "]" * 3})
    for window in (8, 1 << 16):
        assert read_json(text.encode(), NESTING, window) == json.loads(text)


@pytest.mark.parametrize("window", [8, 1 << 20])
def test_what_is_no_json_is_named(window: int) -> None:
    for body, message in (
        (b"", "Expecting value: line 1 column 1"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b"[1, 2, 3] []      ", "Extra data: line 1 column 11"),
        (b'{"a": 1, "b" 2  }', "Expecting ':' delimiter: line 1 column 14"),
        (b"[1, 2, 3, 4, 5 6]", "Expecting ',' delimiter: line 1 column 16"),
        (b"9" * 5000, "a number has too many digits"),
        (b"[1, 2, 3, 4, " + b"9" * 5000 + b"]", "a number has too many digits"),
    ):
        with pytest.raises(JsonError, match="^" + message):
            read_json(body, NESTING, window)


def test_hundreds_of_thousands_of_strings_are_refused() -> None:
    body = b"[" + b'"",' * 300_000 + b'""]'
    with pytest.raises(JsonError, match="more than 262144 strings or objects"):
        read_json(body, NESTING)


@pytest.mark.parametrize("shape", [(200_000,), (1000, 200), (100_000, 2), (2, 100_000), (2, 2, 9)])
def test_long_arrays_become_numpy_arrays(shape: tuple[int, ...]) -> None:
    want = np.random.default_rng(1).random(shape)
    body = json.dumps({"data": want.tolist(), "more": True}).encode()
    got = read_json(body, NESTING, 1024)
    assert isinstance(got["data"], np.ndarray) or want.size < 100
    assert np.array_equal(np.array(got["data"]), want) and got["more"] is True


def test_another_thread_runs_while_a_long_array_is_read() -> None:
    body = json.dumps(np.random.default_rng(1).random(400_000).tolist()).encode()
    turns = 0
    over = threading.Event()

    def count() -> None:
        nonlocal turns
        while not over.wait(0.001):
            turns += 1

    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = turns
        read_json(body, NESTING)
        while_reading = turns - before
    finally:
        over.set()
        thread.join()
    # json.loads lets it have one turn, before or after; here there are 120 windows.
    assert while_reading >= 4


def test_arrays_keep_integers_exact_and_bools_apart() -> None:
    arrays: list[tuple[list[Any], str]] = [
        ([1, -2], "int64"),
        ([2**64 - 1, 0], "uint64"),
        ([1, 2.5], "float64"),
        ([[True, False]], "bool"),
        ([2**64, 1], "object"),
        ([[2**63], [-1]], "object"),
        ([2**64, 0.5], "float64"),
        ([Constant("Infinity"), 1], "float64"),
        ([], "int64"),
        ([[], []], "int64"),
    ]
    for values, dtype in arrays:
        array = number_array(values)
        assert array.dtype == dtype and array.tolist() == values
    refused: list[tuple[list[Any], str]] = [
        ([1, True], "bools among numbers"),
        ([1, "2"], "a string"),
        ([None], "null"),
        ([{}], "an object"),
        ([1, [2]], "lists among other values"),
        ([[1], 2], "lists among other values"),
        ([[1], [2, 3]], "lists of different lengths"),
        (json.loads("[" * 33 + "]" * 33), "lists nested more than 32 deep"),
        ([2**1100, 0.5], "a number that no float can hold"),
        ([0.5, float("inf")], "a number that no float can hold"),
    ]
    for values, message in refused:
        with pytest.raises(DataError, match=message):
            number_array(values)


def test_windows_are_joined_without_rounding() -> None:
    small, large = np.array([1], np.int64), np.array([2**64 - 1], np.uint64)
    assert joined([small, large]).tolist() == [1, 2**64 - 1]
    assert joined([-small, large]).tolist() == [-1, 2**64 - 1]
    assert joined([small, np.array([2**70])]).tolist() == [1, 2**70]
    assert joined([np.array([2**70]), np.array([0.5])]).dtype == "float64"
    assert joined([np.zeros(0, np.int64), np.array([True])]).tolist() == [True]
    for parts, message in (
        ([np.array([2**1100]), np.array([0.5])], "a number that no float can hold"),
        ([small, np.array([True])], "bools among numbers"),
        ([np.zeros((1, 2)), np.zeros((1, 3))], "lists of different lengths"),
    ):
        with pytest.raises(DataError, match=message):
            joined(parts)
