"""Numbers of requests: every datatype, what is rounded, what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import inferometer as im
from request_bodies import Model, error, read, tensor


@pytest.mark.parametrize(
    ("dtype", "datatype", "data"),
    [
        ("bool", "BOOL", [True, False]),
        ("uint8", "UINT8", [0, 255]),
        ("int8", "INT8", [-128, 127]),
        ("uint64", "UINT64", [0, 2**64 - 1]),
        ("int64", "INT64", [-(2**63), 2**63 - 1]),
        ("float32", "FP32", [1, -2.5]),
        ("float32", "FP32", [float("inf"), float("-inf")]),
        ("float64", "FP64", [1e300, 0]),
        ("float16", "FP16", [65504, 0.5]),
    ],
)
def test_every_datatype(dtype: str, datatype: str, data: list[Any]) -> None:
    model = Model(inputs=(im.Spec("x", dtype, (-1, 2)),))
    got = read({"inputs": [tensor(datatype=datatype, data=data)]}, model).inputs["x"]
    assert got.dtype == dtype and got.tolist() == [data]


def test_nan_is_a_number_for_floats() -> None:
    got = read({"inputs": [tensor(data=[float("nan"), 1])]}).inputs["x"]
    assert np.isnan(got[0, 0]) and got[0, 1] == 1


def test_numbers_for_floats_are_rounded_but_never_to_infinity() -> None:
    assert read({"inputs": [tensor(data=[2**60, 0.1])]}).inputs["x"].tolist() == [
        [2**60, float(np.float32(0.1))]
    ]
    for whole in (10**20, -(10**20)):  # JavaScript writes 1e20 so
        for data in ([whole, 1], [whole, -1], [2**64 - 1, -1], [whole, 0.5]):
            want = np.array([data], np.float64).astype(np.float32)
            assert_array_equal(read({"inputs": [tensor(data=data)]}).inputs["x"], want)


@pytest.mark.parametrize("rows", [1, 20_000])  # the latter is read in windows
def test_infinity_is_written_as_a_word(rows: int) -> None:
    model = Model(max_rows=rows)
    data = [1.5] * (2 * rows - 1) + [float("-inf")]
    good = {"id": "Infinity", "inputs": [tensor(shape=[rows, 2], data=data)]}
    assert read(good, model).inputs["x"][-1, 1] == -np.inf
    data[-1] = 7e77  # beside the word somewhere else
    text = error(json.dumps(good).replace("7e+77", "-1e999").encode(), model)
    assert text == "Unable to parse 'data' of input 'x': got a number that no float can hold"
    beside = {"parameters": {"mine": float("inf")}, "inputs": [tensor(data=[float("inf"), 7e77])]}
    text = error(json.dumps(beside).replace("7e+77", "1e999").encode())
    assert text == "Unable to parse 'data' of input 'x': got a number that no float can hold"


@pytest.mark.parametrize("rows", [1, 20_000])
def test_large_whole_numbers_are_rounded_in_windows_too(rows: int) -> None:
    for last in (-1, 0.5):
        values = [10**20, *[2**64 - 1] * rows, *[-1] * rows, *[last] * rows]
        got = read({"inputs": [tensor(shape=[1, len(values)], data=values)]}, _wide(len(values)))
        assert_array_equal(got.inputs["x"][0], np.array(values, np.float64).astype(np.float32))


def _wide(columns: int) -> Model:
    return Model(inputs=(im.Spec("x", "float32", (-1, columns)),))


@pytest.mark.parametrize(
    ("dtype", "datatype", "data", "text"),
    [
        ("int8", "INT8", [128, 0], "got numbers that INT8 does not hold, want -128 to 127"),
        ("uint8", "UINT8", [-1, 0], "got numbers that UINT8 does not hold, want 0 to 255"),
        ("int64", "INT64", [2**63, 0], "got numbers that INT64 does not hold, want -9223372036854"),
        ("int64", "INT64", [2**64, -1], "got numbers that INT64 does not hold, want -922337203685"),
        ("uint64", "UINT64", [2**64 - 1, -1], "got numbers that UINT64 does not hold, want 0 to"),
        ("float32", "FP32", [10**39, 1], "got numbers that FP32 does not hold, want at most 3.40"),
        ("float64", "FP64", [2**1100, 1], "got numbers that FP64 does not hold, want at most 1.7"),
        ("int32", "INT32", [1.0, 2], "got numbers with a fraction for INT32, want integers"),
        (
            "int32",
            "INT32",
            [float("nan"), 2],
            "got numbers with a fraction for INT32, want integer",
        ),
        ("int32", "INT32", [True, False], "got bools for INT32, want numbers"),
        ("bool", "BOOL", [0, 1], "got numbers for BOOL, want bools"),
        ("float16", "FP16", [70000, 0], "got numbers that FP16 does not hold, want at most 65504"),
        ("float64", "FP64", [0.5, 2**1100], "got a number that no float can hold"),
    ],
)
def test_numbers_are_never_bent_to_fit(
    dtype: str, datatype: str, data: list[Any], text: str
) -> None:
    model = Model(inputs=(im.Spec("x", dtype, (-1, 2)),))
    got = error({"inputs": [tensor(datatype=datatype, data=data)]}, model)
    assert got.startswith(f"Unable to parse 'data' of input 'x': {text}")
