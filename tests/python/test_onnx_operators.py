"""Each operator, with its attributes, against onnxruntime."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

import inferometer as im
from onnx_check import check
from onnx_files import model, node, random, reference, save

Weights = dict[str, NDArray[Any]]


CONVS: list[tuple[Sequence[int], Sequence[int], dict[str, Any]]] = [
    ((3, 8, 8), (5, 3, 3, 3), {}),
    ((3, 8, 8), (5, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
    ((3, 9, 7), (5, 3, 3, 2), {"pads": [2, 0, 1, 1], "strides": [2, 3]}),
    ((4, 8, 8), (6, 2, 3, 3), {"group": 2, "dilations": [2, 1]}),
    ((6, 8, 8), (6, 1, 3, 3), {"group": 6, "pads": [1, 1, 1, 1]}),
    ((3, 8, 8), (5, 3, 3, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ((3, 8, 8), (5, 3, 3, 3), {"auto_pad": "SAME_LOWER", "strides": [2, 2]}),
    ((3, 8, 8), (5, 3, 3, 3), {"auto_pad": "VALID", "strides": [2, 2]}),
    ((16, 8, 8), (9, 16, 1, 1), {}),
    ((16, 5, 5), (9, 16, 1, 1), {"strides": [2, 2]}),
    ((3, 20), (5, 3, 4), {"pads": [1, 2], "strides": [3]}),
    ((4, 20), (4, 1, 3), {"group": 4, "auto_pad": "SAME_UPPER", "kernel_shape": [3]}),
]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("shape", "weight", "attributes"), CONVS)
def test_conv(
    tmp_path: Path,
    shape: Sequence[int],
    weight: Sequence[int],
    attributes: dict[str, Any],
    bias: bool,
) -> None:
    weights = {"w": random(weight, 2)}
    if bias:
        weights["b"] = random(weight[:1], 3)
    check(tmp_path, [node("Conv", ["x", *weights], "y", **attributes)], shape, weights)


def norm_weights(channels: int) -> dict[str, NDArray[Any]]:
    return {
        "scale": random((channels,), 4),
        "shift": random((channels,), 5),
        "mean": random((channels,), 6),
        "variance": np.abs(random((channels,), 7)) + np.float32(0.1),
    }


@pytest.mark.parametrize("shape", [(4,), (4, 6), (4, 6, 5)])
@pytest.mark.parametrize("opset", [9, 14, 17])
def test_batch_normalization(tmp_path: Path, shape: Sequence[int], opset: int) -> None:
    weights = norm_weights(4)
    norm = node("BatchNormalization", ["x", *weights], "y", epsilon=0.02, momentum=0.5)
    native = check(tmp_path, [norm], shape, weights, opset)
    assert native.steps == ["BatchNormalization"]


def test_batch_normalization_folds_into_the_convolution(tmp_path: Path) -> None:
    weights = {"w": random((4, 3, 3, 3), 2), "b": random((4,), 3), **norm_weights(4)}
    norm = node("BatchNormalization", ["c", *norm_weights(4)], "n", epsilon=0.02)
    nodes = [node("Conv", ["x", "w", "b"], "c"), norm, node("Relu", ["n"], "y")]
    native = check(tmp_path, nodes, (3, 8, 8), weights)
    assert native.steps == ["Conv+BatchNormalization+Relu"]


POOLS: list[tuple[Sequence[int], dict[str, Any]]] = [
    ((3, 8, 8), {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ((3, 7, 9), {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    ((3, 7, 9), {"kernel_shape": [3, 2], "pads": [1, 0, 2, 1], "strides": [2, 2]}),
    ((3, 7, 8), {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ((3, 7, 8), {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ((3, 7, 8), {"kernel_shape": [3, 3], "auto_pad": "SAME_LOWER", "strides": [3, 2]}),
    ((3, 7, 8), {"kernel_shape": [3, 3], "auto_pad": "VALID"}),
    ((3, 12), {"kernel_shape": [4], "strides": [3], "pads": [1, 2]}),
]


@pytest.mark.parametrize(("shape", "attributes"), POOLS)
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_pools(tmp_path: Path, op: str, shape: Sequence[int], attributes: dict[str, Any]) -> None:
    check(tmp_path, [node(op, ["x"], "y", **attributes)], shape)


def test_max_pool_with_dilations(tmp_path: Path) -> None:
    attributes = {"kernel_shape": [3, 2], "dilations": [2, 3], "pads": [2, 1, 2, 1]}
    check(tmp_path, [node("MaxPool", ["x"], "y", **attributes)], (2, 9, 9))


def test_average_pool_that_counts_padding(tmp_path: Path) -> None:
    attributes = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}
    check(tmp_path, [node("AveragePool", ["x"], "y", **attributes)], (2, 7, 7))


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 5), (4, 2, 3, 2)])
def test_global_average_pool(tmp_path: Path, shape: Sequence[int]) -> None:
    check(tmp_path, [node("GlobalAveragePool", ["x"], "y")], shape)


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [[1], [-1], [1, 3], [2, -1], [1, 2, 3]])
@pytest.mark.parametrize("opset", [13, 18])
def test_reduce_mean(tmp_path: Path, axes: list[int], keepdims: int, opset: int) -> None:
    if opset < 18:
        nodes = [node("ReduceMean", ["x"], "y", axes=axes, keepdims=keepdims)]
        check(tmp_path, nodes, (4, 5, 6), opset=opset)
    else:
        nodes = [node("ReduceMean", ["x", "axes"], "y", keepdims=keepdims)]
        check(tmp_path, nodes, (4, 5, 6), {"axes": np.array(axes, np.int64)}, opset)


@pytest.mark.skipif(
    sys.version_info < (3, 11),
    reason="ONNX Runtime 1.23, the last one for Python 3.10, fails at it",
)
def test_reduce_mean_of_no_axes_may_do_nothing(tmp_path: Path) -> None:
    nodes = [node("ReduceMean", ["x"], "y", noop_with_empty_axes=1)]
    check(tmp_path, nodes, (4, 5), opset=18)


@pytest.mark.parametrize(
    "other", [(), (1,), (6,), (5, 1), (4, 1, 1), (1, 4, 1, 6), (4, 5, 6), (1, 1, 1, 1)]
)
def test_add_of_a_constant(tmp_path: Path, other: Sequence[int]) -> None:
    check(tmp_path, [node("Add", ["w", "x"], "y")], (4, 5, 6), {"w": np.asarray(random(other, 2))})


def test_add_that_widens(tmp_path: Path) -> None:
    check(tmp_path, [node("Add", ["x", "w"], "y")], (1, 6), {"w": random((1, 5, 1), 2)})


def test_add_of_two_activations(tmp_path: Path) -> None:
    weights = {"axes": np.array([1], np.int64)}
    nodes = [node("ReduceMean", ["x", "axes"], "m"), node("Add", ["m", "x"], "y")]
    check(tmp_path, nodes, (4, 6), weights, opset=18)


def test_relu(tmp_path: Path) -> None:
    check(tmp_path, [node("Relu", ["x"], "y")], (4, 5))


@pytest.mark.parametrize("opset", [9, 11, 12, 13, 17])
@pytest.mark.parametrize("axis", [None, 1, 2, -1])
def test_softmax(tmp_path: Path, opset: int, axis: int | None) -> None:
    if axis == -1 and opset < 11:
        pytest.skip("negative axes came with opset 11")
    attributes = {} if axis is None else {"axis": axis}
    check(tmp_path, [node("Softmax", ["x"], "y", **attributes)], (4, 5), opset=opset)


@pytest.mark.parametrize("axis", [None, 1, -3, 2])
def test_flatten(tmp_path: Path, axis: int | None) -> None:
    attributes = {} if axis is None else {"axis": axis}
    shape = (1, 5, 2) if axis == 2 else (4, 5)
    if axis == -3:
        shape = (4, 5, 2)
    check(tmp_path, [node("Flatten", ["x"], "y", **attributes)], shape)


@pytest.mark.parametrize("target", [[0, -1], [-1, 20], [0, 2, 10], [-1, 0, 1, 5], [0, 5, 4]])
def test_reshape(tmp_path: Path, target: list[int]) -> None:
    nodes = [node("Reshape", ["x", "shape"], "y")]
    native = check(tmp_path, nodes, (4, 5), {"shape": np.array(target, np.int64)})
    assert native.steps == ["Copy"], "nothing to compute, but outputs have memory of their own"


def test_views_cost_nothing(tmp_path: Path) -> None:
    nodes = [
        node("Identity", ["x"], "a"),
        node("Flatten", ["a"], "b"),
        node("Reshape", ["b", "shape"], "c"),
        node("Relu", ["c"], "d"),
        node("Identity", ["d"], "y"),
    ]
    native = check(tmp_path, nodes, (4, 5), {"shape": np.array([0, 10, 2], np.int64)})
    assert native.steps == ["Relu"]


@pytest.mark.parametrize(
    "attribute",
    [
        {"value": onnx.numpy_helper.from_array(random((5,), 2))},
        {"value_float": 0.5},
        {"value_floats": [0.5, 1.0, 2.0, -1.0, 0.0]},
    ],
)
def test_constant(tmp_path: Path, attribute: dict[str, Any]) -> None:
    nodes = [
        onnx.helper.make_node("Constant", [], ["c"], **attribute),
        node("Identity", ["c"], "same"),
        node("Add", ["x", "same"], "y"),
    ]
    check(tmp_path, nodes, (5,))


def test_constant_integers_make_shapes(tmp_path: Path) -> None:
    nodes = [
        onnx.helper.make_node("Constant", [], ["s"], value_ints=[0, 2, 10]),
        node("Reshape", ["x", "s"], "y"),
    ]
    check(tmp_path, nodes, (4, 5))


def test_a_constant_may_be_reshaped(tmp_path: Path) -> None:
    weights: Weights = {"w": random((20,), 2), "s": np.array([5, -1], np.int64)}
    nodes = [node("Reshape", ["w", "s"], "m"), node("MatMul", ["x", "m"], "y")]
    check(tmp_path, nodes, (5,), weights)


def test_a_model_of_one_row(tmp_path: Path) -> None:
    weights: Weights = {"s": np.array([1, -1], np.int64), "w": random((20, 3), 2)}
    nodes = [node("Reshape", ["x", "s"], "f"), node("MatMul", ["f", "w"], "y")]
    native = check(tmp_path, nodes, (4, 5), weights, rows=1, free=False)
    assert native.max_rows == 1
    assert native.inputs == [("x", "float32", (1, 4, 5))]
    with pytest.raises(im.ShapeError):
        native.run(random((2, 4, 5)))


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    proto = model(
        [
            node("Add", ["a", "b"], "sum"),
            node("Relu", ["sum"], "rest"),
            node("Identity", ["a"], "c"),
        ],
        {"a": ["n", 4], "b": ["n", 4]},
        {"rest": None, "sum": None, "c": None},
    )
    path = save(proto, tmp_path)
    native = im.onnx.load(path)
    a, b = random((3, 4), 1), random((3, 4), 2)
    got = native.run(a, b)
    assert isinstance(got, tuple)
    assert [name for name, _, _ in native.outputs] == ["rest", "sum", "c"]
    for array, want in zip(got, reference(path, {"a": a, "b": b}), strict=True):
        np.testing.assert_array_equal(array, want)
