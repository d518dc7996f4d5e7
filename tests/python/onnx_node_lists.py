"""What is expected of the official node tests: which are refused and why, how exact the rest is.

Nothing is taken on trust: a case in `REFUSED` must be refused, for the reason given, and one that
is in no list must run.
"""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """Why a case is refused, and a pattern of what the refusal says."""

    text: str
    says: str


BODY = Reason("a function's body, of operators that are not implemented", "not implemented")
SPACE = Reason("three dimensions of space", "3 dimensions of space")
TYPES = Reason("only float32 is computed", "only float32 is supported")
ROWS = Reason("mixes the rows of a batch", "mixes the rows of a batch")
TRAINING = Reason(
    "training mode, which gives statistics of the batch", r"output 1 \(\"output_mean\"\)"
)
INDICES = Reason("MaxPool's second output, the indices", r"output 1 \(\"z\"\)")
NO_TENSOR = Reason("the input is a sequence or optional", "input of type (sequence|optional)")
EMPTY = Reason("a dimension of 0: there is nothing to compute", "nothing to compute|none may be 0")

BODIES = ["relu_expanded_ver18"] + [
    f"softmax_{case}_expanded{version}"
    for case in (
        "axis_0", "axis_1", "axis_2", "default_axis", "example", "large_number", "negative_axis",
    )
    for version in ("", "_ver18")
]  # fmt: skip

REFUSED: dict[str, Reason] = {
    **{f"test_{body}": BODY for body in BODIES},
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
    "test_batchnorm_example_training_mode": TRAINING,
    "test_batchnorm_epsilon_training_mode": TRAINING,
    "test_flatten_axis2": ROWS,
    "test_flatten_axis3": ROWS,
    "test_flatten_negative_axis1": ROWS,
    "test_flatten_negative_axis2": ROWS,
    "test_gemm_all_attributes": ROWS,  # transA
    "test_gemm_transposeA": ROWS,
    "test_identity_opt": NO_TENSOR,
    "test_identity_sequence": NO_TENSOR,
    "test_maxpool_2d_uint8": TYPES,
    "test_maxpool_3d_default": SPACE,
    "test_maxpool_3d_dilations": SPACE,
    "test_maxpool_3d_dilations_use_ref_impl": SPACE,
    "test_maxpool_3d_dilations_use_ref_impl_large": SPACE,
    "test_maxpool_with_argmax_2d_precomputed_pads": INDICES,
    "test_maxpool_with_argmax_2d_precomputed_strides": INDICES,
    "test_reshape_allowzero_reordered": EMPTY,
}

# Their operators mix the first dimension, or it is none.
ONLY_AS_ONE_ROW = {
    "test_flatten_axis0",
    "test_flatten_negative_axis4",
    "test_matmul_1d_1d",
    "test_reduce_mean_default_axes_keepdims_example",
    "test_reduce_mean_default_axes_keepdims_random",
    "test_reshape_extended_dims",
    "test_reshape_negative_dim",
    "test_reshape_negative_extended_dims",
    "test_reshape_one_dim",
    "test_reshape_reduced_dims",
    "test_reshape_reordered_all_dims",
    "test_reshape_reordered_last_dims",
    "test_reshape_zero_and_negative_dim",
    "test_reshape_zero_dim",
    "test_softmax_axis_0",
}
NOT_AS_ROWS = "mixes the rows of a batch|fewer than 2 dimensions"

# Operators that do not care which dimension is which, so that all can be moved into one row.
AS_ONE_ROW = {"Add", "Identity", "MatMul", "ReduceMean", "Relu", "Reshape", "Softmax"}


class Tolerance(NamedTuple):
    """As in ``numpy.testing.assert_allclose``."""

    rtol: float
    atol: float


EXACT = Tolerance(0, 0)
# The package itself asks for 1e-3 and 1e-7. Its answers are float32, which sums in another order
# differ from by a few times 1e-7 of the largest term.
TOLERANCES = {
    "Add": EXACT,
    "AveragePool": Tolerance(1e-5, 1e-7),
    "BatchNormalization": Tolerance(1e-5, 1e-7),
    "Constant": EXACT,
    "Conv": Tolerance(1e-5, 1e-7),
    "Flatten": EXACT,
    "Gemm": Tolerance(1e-5, 1e-7),
    "GlobalAveragePool": Tolerance(1e-5, 1e-7),
    "Identity": EXACT,
    "MatMul": Tolerance(1e-5, 1e-7),
    "MaxPool": EXACT,
    "ReduceMean": Tolerance(1e-5, 1e-7),
    "Relu": EXACT,
    "Reshape": EXACT,
    "Softmax": Tolerance(1e-5, 1e-7),
}
# The package's answer is written with four digits.
TOLERANCE_OF = {"test_averagepool_2d_ceil_last_window_starts_on_pad": Tolerance(1e-3, 1e-7)}
