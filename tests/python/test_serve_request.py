"""The JSON bodies of KServe v2: what fits, what is refused and how, what comes back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import inferometer as im
from inferometer.serve.errors import RequestError
from inferometer.serve.infer_reply import write_reply
from request_bodies import Model, error, read, tensor


def test_a_request_is_read() -> None:
    got = read({"inputs": [tensor()]})
    assert (got.id, got.outputs, got.priority, got.timeout, got.rows) == ("", (), 0, None, 1)
    assert got.inputs["x"].dtype == np.float32
    assert_array_equal(got.inputs["x"], [[1, 2]])
    got = read(
        {
            "id": "seven",
            "parameters": {"priority": 2, "timeout": 1500, "mine": {"a": [1]}},
            "inputs": [tensor(shape=[2, 2], data=[[1, 2.5], [3, 4]], parameters={"mine": 1})],
            "outputs": [{"name": "z", "parameters": {"binary_data": False}}, {"name": "z"}],
            "more": None,
        },
        Model(priority_levels=3),
    )
    assert (got.id, got.outputs, got.priority, got.timeout, got.rows) == (
        *("seven", ("z",), 2, 0.0015),
        2,
    )
    assert_array_equal(got.inputs["x"], [[1, 2.5], [3, 4]])


def test_a_priority_that_the_model_does_not_have_is_the_default() -> None:
    for levels, priority, want in ((0, 1, 0), (3, 4, 0), (3, 3, 3), (3, 2**64 - 1, 0)):
        document = {"inputs": [tensor()], "parameters": {"priority": priority}}
        assert read(document, Model(priority_levels=levels)).priority == want


def test_a_timeout_of_zero_or_of_hours_is_none() -> None:
    for timeout, want in ((0, None), (1, 1e-6), (3_600_000_000, 3600), (2**64 - 1, None)):
        document = {"inputs": [tensor()], "parameters": {"timeout": timeout}}
        assert read(document).timeout == want


NOT = "Unable to parse "


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (b"", "failed to parse the request JSON buffer: Expecting value: line 1 column 1 (char 0)"),
        (b"\xff", "failed to parse the request JSON buffer: byte 0 is not UTF-8"),
        (b"[" * 5000, "failed to parse the request JSON buffer: it is nested more than 100 deep"),
        (b"9" * 5000, "failed to parse the request JSON buffer: a number has too many digits"),
        ([], "failed to parse the request JSON buffer: want an object"),
        (None, "failed to parse the request JSON buffer: want an object"),
        ({"id": 7, "inputs": [tensor()]}, NOT + "'id': want a string"),
        ({}, NOT + "'inputs': want an array of objects"),
        ({"inputs": {}}, NOT + "'inputs': want an array of objects"),
        ({"inputs": [3]}, NOT + "'inputs': want an array of objects"),
        ({"inputs": [{}]}, NOT + "'name' in 'inputs': want a string"),
        ({"inputs": [tensor(name=3)]}, NOT + "'name' in 'inputs': want a string"),
        ({"inputs": [tensor(parameters=[])]}, NOT + "'parameters of 'x'': want an object"),
        ({"inputs": [tensor(datatype=None)]}, NOT + "'datatype' of input 'x': want a string"),
        ({"inputs": [tensor(shape="2")]}, NOT + "'shape' of input 'x': want an array of sizes"),
        ({"inputs": [tensor(shape=[1, True])]}, NOT + "'shape' of input 'x': want an array of si"),
        ({"inputs": [tensor(shape=[1, 2.0])]}, NOT + "'shape' of input 'x': want an array of si"),
        ({"inputs": [tensor(shape=[-1, 2])]}, NOT + "'shape' of input 'x': want an array of si"),
        ({"inputs": [tensor(data=None)]}, NOT + "'data' of input 'x': want an array"),
        ({"inputs": [tensor(data="12")]}, NOT + "'data' of input 'x': want an array"),
        ({"inputs": [tensor(data=["1", "2"])]}, NOT + "'data' of input 'x': got a string"),
        ({"inputs": [tensor(data=[1, None])]}, NOT + "'data' of input 'x': got null"),
        ({"inputs": [tensor(data=[1, {}])]}, NOT + "'data' of input 'x': got an object"),
        ({"inputs": [tensor(data=[1, True])]}, NOT + "'data' of input 'x': got bools among numbe"),
        (
            {"inputs": [tensor(data=[True, True])]},
            NOT + "'data' of input 'x': got bools for FP32, want numbers",
        ),
        (
            {"inputs": [tensor(data=[1e39, 0])]},
            NOT + "'data' of input 'x': got numbers that FP32 does not hold, want at most 3.402",
        ),
        ({"inputs": [tensor()], "outputs": {}}, NOT + "'outputs': want an array of objects"),
        ({"inputs": [tensor()], "outputs": [{}]}, NOT + "'name' in 'outputs': want a string"),
        ({"inputs": [tensor()], "parameters": []}, NOT + "'parameters': want an object"),
        *(
            (
                {"inputs": [tensor()], "parameters": {name: value}},
                f"{NOT}'{name}' in 'parameters': want an unsigned integer",
            )
            for name in ("priority", "timeout")
            for value in (-1, True, 1.0, "1", None, 2**64)
        ),
        (
            {"inputs": [tensor(parameters={"binary_data_size": 8})]},
            "'binary_data_size' of 'x' is not supported: send 'data' as JSON",
        ),
        (
            {"inputs": [tensor()], "outputs": [{"name": "y", "parameters": {"classification": 1}}]},
            "'classification' of 'y' is not supported: send 'data' as JSON",
        ),
    ],
)
def test_what_cannot_be_read_is_named(document: Any, text: str) -> None:
    assert error(document).startswith(text)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"datatype": "INT32"},
            "inference input 'x' data-type is 'INT32', but model 'm' expects 'FP3",
        ),
        (
            {"shape": [2]},
            "unexpected shape for input 'x' for model 'm'. Expected [-1,2], got [2]. NOT",
        ),
        (
            {"shape": [1, 3]},
            "unexpected shape for input 'x' for model 'm'. Expected [-1,2], got [1,3]",
        ),
        (
            {"shape": []},
            "unexpected shape for input 'x' for model 'm'. Expected [-1,2], got []. NOTE",
        ),
        (
            {"shape": [1] * 40},
            "unexpected shape for input 'x' for model 'm'. Expected [-1,2], got [1,1",
        ),
        ({"shape": [0, 2], "data": []}, "input 'x' has no rows, want 1 to 4"),
        ({"shape": [5, 2]}, "inference request batch-size must be <= 4 for 'm'"),
        ({"shape": [2**62, 2]}, "inference request batch-size must be <= 4 for 'm'"),
        ({"data": [1]}, "unexpected size for input 'x', expecting 2 values for shape [1, 2], flat"),
        (
            {"data": [[1], [2]]},
            "unexpected size for input 'x', expecting 2 values for shape [1, 2]",
        ),
        (
            {"data": [[[1, 2]]]},
            "unexpected size for input 'x', expecting 2 values for shape [1, 2]",
        ),
        (
            {"name": "w"},
            "expected 1 inputs but got 1 inputs for model 'm'. Got input(s) ['w'], but mi",
        ),
    ],
)
def test_what_does_not_fit_the_model_is_said_in_tritons_words(
    change: dict[str, Any], text: str
) -> None:
    assert error({"inputs": [tensor(**change)]}).startswith(f"[request id: <id_unknown>] {text}")
    assert error({"id": "a", "inputs": [tensor(**change)]}).startswith(f"[request id: a] {text}")


def test_inputs_are_those_of_the_model() -> None:
    model = Model(inputs=(im.Spec("x", "float32", (-1, 2)), im.Spec("w", "float32", (-1,))))
    w = {"name": "w", "shape": [1], "datatype": "FP32", "data": [1]}
    assert set(read({"inputs": [w, tensor()]}, model).inputs) == {"x", "w"}
    for inputs, text in (
        ([], "expected 2 inputs but got 0 inputs for model 'm'. Got input(s) [], but missing "),
        ([tensor()], "missing required input(s) ['w']. Please provide all required input(s)."),
        ([tensor(), tensor()], "got an input twice for model 'm'"),
        ([tensor(), w, {**w, "name": "v"}], "expected 2 inputs but got 3 inputs for model 'm'."),
        ([tensor(shape=[2, 2], data=[1, 2, 3, 4]), w], "input 'x' batch size does not match other"),
    ):
        assert text in error({"inputs": inputs}, model)
    assert "unexpected inference output 'q' for model 'm'" in error(
        {"inputs": [tensor()], "outputs": [{"name": "q"}]}
    )


def test_large_bodies_are_read_in_windows_to_the_same_arrays() -> None:
    rows = 3000
    want = np.random.default_rng(2).random((rows, 2)).astype(np.float32)
    model = Model(max_rows=rows)
    for data in (want.ravel().tolist(), want.tolist()):
        document = {"inputs": [tensor(shape=[rows, 2], data=data)], "id": "large"}
        assert len(json.dumps(document)) > 1 << 16
        got = read(document, model)
        assert got.id == "large"
        assert_array_equal(got.inputs["x"], want)
    ragged: list[Any] = [*want.tolist(), [1]]
    text = error({"inputs": [tensor(shape=[rows, 2], data=ragged)]}, model)
    assert "lists" in text


def test_a_shape_that_is_as_long_as_data_is_refused() -> None:
    assert "unexpected shape" in error({"inputs": [tensor(shape=[1] * 50_000)]})
    assert NOT + "'shape'" in error({"inputs": [tensor(shape=[0.5] * 50_000)]})


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["x", "FP32", "INT64", "BOOL"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "shape", "datatype", "data", "parameters", "a"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
KINDS = ["float32", "int8", "uint64", "bool", "float16"]


@settings(max_examples=600, deadline=None)
@given(
    document=st.fixed_dictionaries(
        {
            "inputs": st.lists(
                st.fixed_dictionaries(
                    {
                        "name": st.just("x") | SCALARS,
                        "shape": st.sampled_from([[1, 2], [2], [2, 2]]) | ANYTHING,
                        "datatype": st.sampled_from(["FP32", "INT8", "UINT64", "BOOL", "FP16"])
                        | SCALARS,
                        "data": st.lists(SCALARS, min_size=2, max_size=2)
                        | st.lists(st.floats() | st.integers(-300, 300), min_size=2, max_size=2)
                        | ANYTHING,
                    },
                    optional={"parameters": ANYTHING},
                ),
                max_size=2,
            )
            | ANYTHING
        },
        optional={
            "id": ANYTHING,
            "parameters": st.dictionaries(st.sampled_from(["priority", "timeout"]), SCALARS)
            | ANYTHING,
            "outputs": ANYTHING,
        },
    ),
    dtype=st.sampled_from(KINDS),
)
def test_any_document_is_read_or_refused(document: dict[str, Any], dtype: str) -> None:
    model = Model(inputs=(im.Spec("x", dtype, (-1, 2)),), priority_levels=2)
    try:
        got = read(document, model)
    except RequestError as refused:
        assert 400 <= refused.status < 500
        json.dumps({"error": refused.text}).encode("ascii")
    else:
        array = got.inputs["x"]
        assert array.dtype == dtype and array.shape[1:] == (2,) and 1 <= len(array) <= 4
        assert 0 <= got.priority <= 2 and (got.timeout is None or got.timeout > 0)


def test_a_reply_says_all_or_what_was_asked_for() -> None:
    outputs = {
        "y": np.array([[0.1, np.nan], [np.inf, -2]], np.float32),
        "z": np.array([[True], [False]]),
    }
    asked = read({"inputs": [tensor()], "id": '\ud800\u00e9"'})
    reply = json.loads(write_reply(asked, "m\u00e9", "3", outputs))
    assert reply["id"] == asked.id
    assert (reply["model_name"], reply["model_version"]) == ("m\u00e9", "3")
    y, z = reply["outputs"]
    assert (y["name"], y["datatype"], y["shape"]) == ("y", "FP32", [2, 2])
    assert_array_equal(np.array(y["data"], np.float32).reshape(2, 2), outputs["y"])
    assert z == {"name": "z", "datatype": "BOOL", "shape": [2, 1], "data": [True, False]}
    asked = read({"inputs": [tensor()], "outputs": [{"name": "z"}]})
    reply = json.loads(write_reply(asked, "m", "1", outputs))
    assert "id" not in reply and [output["name"] for output in reply["outputs"]] == ["z"]


def test_large_replies_are_written_in_windows() -> None:
    want = np.random.default_rng(3).random((3, 5000)).astype(np.float32)
    reply = json.loads(write_reply(read({"inputs": [tensor()]}), "m", "1", {"y": want}))
    assert_array_equal(np.array(reply["outputs"][0]["data"], np.float32).reshape(3, 5000), want)
    empty = write_reply(read({"inputs": [tensor()]}), "m", "1", {"y": want[:, :0]})
    assert json.loads(empty)["outputs"][0]["data"] == []
