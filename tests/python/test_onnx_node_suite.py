"""The official node tests of the ONNX package, for the operators that are implemented.

Their inputs have a fixed first dimension. It is made free, and inputs that are weights by nature
become constants, as they are in any model. A case that is refused on purpose is listed with the
reason, and must go on being refused.
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.backend.test.case.node as official
import onnx.shape_inference
import pytest
from numpy.typing import NDArray

import inferometer as im
from inferometer.onnx._operators import KNOWN_VERSIONS
from onnx_files import save

MODULES = [
    {"BatchNormalization": "batch_normalization"}.get(op, op.lower()) for op in KNOWN_VERSIONS
]

ROWS = "it mixes the rows of a batch"
TYPES = "only float32 is computed"
VECTOR = "an operand of one dimension"
SPACE = "three dimensions of space"
REFUSED = {
    "test_add_int8": TYPES,
    "test_add_int16": TYPES,
    "test_add_uint8": TYPES,
    "test_add_uint16": TYPES,
    "test_add_uint32": TYPES,
    "test_add_uint64": TYPES,
    "test_averagepool_3d_default": SPACE,
    "test_averagepool_3d_dilations_small": SPACE,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False": SPACE,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True": SPACE,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False": SPACE,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True": SPACE,
    "test_batchnorm_example_training_mode": ROWS,
    "test_batchnorm_epsilon_training_mode": ROWS,
    "test_flatten_axis0": ROWS,
    "test_flatten_axis2": ROWS,
    "test_flatten_axis3": ROWS,
    "test_flatten_negative_axis1": ROWS,
    "test_flatten_negative_axis2": ROWS,
    "test_flatten_negative_axis4": ROWS,
    "test_gemm_all_attributes": ROWS,  # transA
    "test_gemm_transposeA": ROWS,
    "test_gemm_default_matrix_bias": ROWS,  # C has a first dimension of its own
    "test_identity_opt": "an input that is not a tensor",
    "test_identity_sequence": "an input that is not a tensor",
    "test_matmul_1d_1d": VECTOR,
    "test_matmul_1d_3d": VECTOR,
    "test_maxpool_2d_uint8": TYPES,
    "test_maxpool_3d_default": SPACE,
    "test_maxpool_3d_dilations": SPACE,
    "test_maxpool_3d_dilations_use_ref_impl": SPACE,
    "test_maxpool_3d_dilations_use_ref_impl_large": SPACE,
    "test_maxpool_with_argmax_2d_precomputed_pads": "a second output, Indices",
    "test_maxpool_with_argmax_2d_precomputed_strides": "a second output, Indices",
    "test_reduce_mean_default_axes_keepdims_example": ROWS,
    "test_reduce_mean_default_axes_keepdims_random": ROWS,
    "test_reshape_allowzero_reordered": "dimensions of 0: there is nothing to compute",
    "test_softmax_axis_0": ROWS,
}


def cases() -> list[Any]:
    """The official cases whose operators are all known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in MODULES:
            importlib.import_module(f"onnx.backend.test.case.node.{module}")
    return [
        case
        for case in official._NodeTestCases
        if all(node.op_type in KNOWN_VERSIONS for node in case.model.graph.node)
    ]


CASES = cases()


def prepared(case: Any, arrays: list[NDArray[Any]]) -> tuple[onnx.ModelProto, list[NDArray[Any]]]:
    """The model with a free first dimension and constant weights; the arrays that stay inputs."""
    proto = onnx.ModelProto()
    proto.CopyFrom(case.model)
    (node,) = proto.graph.node
    names = [value.name for value in proto.graph.input]
    if node.op_type == "Reshape":
        # The data becomes one row, and the target a target for rows.
        arrays = [arrays[0][np.newaxis], np.concatenate([[0], arrays[1]]).astype(np.int64)]
        proto.graph.input[0].type.tensor_type.shape.dim.insert(0, onnx.TensorShapeProto.Dimension())
    both = (
        node.op_type in ("Add", "MatMul")
        and arrays[0].ndim == arrays[1].ndim > 2
        and len(arrays[0]) == len(arrays[1])
    )
    kept = names[:2] if both else names[:1]
    for value, array in zip(list(proto.graph.input), arrays, strict=True):
        if value.name not in kept:
            proto.graph.initializer.append(onnx.numpy_helper.from_array(array, value.name))
            proto.graph.input.remove(value)
        elif value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    for value in proto.graph.output:
        value.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(proto), arrays[: len(kept)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_official(case: Any, tmp_path: Path) -> None:
    if case.model.graph.node[0].op_type == "Constant":
        pytest.skip("a model without inputs has no rows; see test_onnx_operators.py")
    for number, (inputs, outputs) in enumerate(case.data_sets):
        proto, arrays = prepared(case, inputs)
        path = save(proto, tmp_path, f"{number}.onnx")
        if case.name in REFUSED:
            with pytest.raises((im.UnsupportedOperatorError, im.ConfigError)):
                im.onnx.load(path)
            continue
        got = im.onnx.load(path).run(*arrays)
        if case.model.graph.node[0].op_type == "Reshape":
            got = got[0]
        assert got.shape == outputs[0].shape
        np.testing.assert_allclose(got, outputs[0], rtol=max(case.rtol, 1e-5), atol=1e-5)


def test_the_list_of_refusals_is_up_to_date() -> None:
    assert set(REFUSED) <= {case.name for case in CASES}
    run = len(CASES) - len(REFUSED) - 1  # Constant has no input
    print(f"official node tests: {len(CASES)} apply, {run} pass, {len(REFUSED)} are refused")
    assert run >= 70
