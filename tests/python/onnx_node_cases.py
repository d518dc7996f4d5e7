"""The official node tests of the ONNX package, as models whose dimension 0 counts rows.

Their inputs have fixed dimensions, weights are inputs, and dimension 0 is whatever the operator
makes of it. What a case computes stays as it is; around it,

- inputs that are weights by nature become constants, as they are in any model, and of two operands
  each one in turn, if the other still has a row for every row of the output;
- as rows: dimension 0 is left free (and once more fixed to 1, where it is 1);
- as one row: a free dimension in front makes all of an input one row, and axes count from there;
- a constant, which has no rows, is added to rows of zeros.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnx.backend.test.case.node as official
import onnx.shape_inference
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from inferometer.onnx._operators import KNOWN_VERSIONS

Array = NDArray[Any]


class NodeCase(NamedTuple):
    """An official case: a model of one operator, or of the operators of a function's body."""

    name: str
    op: str
    model: onnx.ModelProto
    inputs: list[Array]
    outputs: list[Array]

    @property
    def claimed(self) -> bool:
        """Whether it is made of nothing but operators that `im.onnx.load` claims."""
        return all(node.op_type in KNOWN_VERSIONS for node in self.model.graph.node)


class Prepared(NamedTuple):
    """A case with rows: the model, a batch for its inputs, and the answer to it."""

    proto: onnx.ModelProto
    arrays: list[Array]
    want: Array


# Where the package keeps the cases of an operator; Clip's default is an Identity.
MODULES = {
    **{op.lower(): op for op in KNOWN_VERSIONS if op != "BatchNormalization"},
    "batch_normalization": "BatchNormalization",
    "clip": "Identity",
}
# Which inputs may be computed by a model, of the operators where it is not the first one alone.
CHOICES: dict[str, list[tuple[int, ...]]] = {
    "Add": [(0, 1), (0,), (1,)],
    "Gemm": [(0, 2), (0,)],
    "MatMul": [(0, 1), (0,), (1,)],
}


def collected() -> list[NodeCase]:
    """The cases of every operator that is claimed, and those made of such operators alone."""
    cases = []
    for module, op in MODULES.items():
        for case in _import(module):
            ((inputs, outputs),) = case.data_sets
            found = NodeCase(case.name, op, case.model, list(inputs), list(outputs))
            if found.claimed or module != "clip":
                cases.append(found)
    return cases


def names_of_all_claimed() -> set[str]:
    """Cases made of claimed operators alone, from all modules of the package; takes seconds."""
    for module in pkgutil.iter_modules(official.__path__):
        _import(module.name)
    cases = [case for case in official._NodeTestCases if case.model is not None]
    nodes = {case.name: [(n.op_type, n.domain) for n in case.model.graph.node] for case in cases}
    claimed = {(op, "") for op in KNOWN_VERSIONS}
    return {name for name, found in nodes.items() if claimed.issuperset(found)}


def _import(module: str) -> list[Any]:
    # What is imported registers its cases.
    before = len(official._NodeTestCases)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(f"{official.__name__}.{module}")
    return official._NodeTestCases[before:]


def choices(case: NodeCase) -> Iterator[tuple[int, ...]]:
    """Which inputs may be computed, whether or not every row of them makes a row of the output."""
    for kept in CHOICES.get(case.op, [(0,)]):
        if max(kept) < len(case.inputs):
            yield kept


def is_sound(case: NodeCase, kept: tuple[int, ...], in_front: bool = False) -> bool:
    """Whether every row of the inputs ``kept`` makes a row of the output.

    Args:
        case: Of two operands or more.
        kept: The inputs that are computed; the others are constants.
        in_front: Whether rows get a dimension in front, as `as_one_row` does it.
    """
    if case.op not in CHOICES:
        return True
    shapes = [
        (1, *array.shape) if in_front and i in kept else array.shape
        for i, array in enumerate(case.inputs)
    ]
    ranks = [len(shape) for shape in shapes]
    if case.op == "Gemm":
        fixes_rows = ranks[2:] == [2] and shapes[2][0] > 1
        return fixes_rows == (2 in kept)
    matrices = case.op == "MatMul"
    if len(kept) == 2:
        return ranks[0] == ranks[1] >= (3 if matrices else 1) and shapes[0][0] == shapes[1][0]
    (row,) = kept
    rank, constant = ranks[row], shapes[1 - row]
    if matrices and (rank < (2 if row == 0 else 3)):
        return False  # its rows would be summed over
    if matrices and row == 0 and len(constant) == 2:
        return True
    return rank > len(constant) or (rank == len(constant) and constant[0] == 1)


def as_rows(case: NodeCase, kept: Sequence[int], free: bool = True) -> Prepared:
    """Dimension 0 counts rows: any number, or one as in the official model."""
    proto = _with_constants(case.model, case.inputs, kept)
    if free:
        for value in proto.graph.input:
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
        proto = _with_inferred_outputs(proto)
    return Prepared(proto, [case.inputs[i] for i in kept], case.outputs[0])


def as_one_row(case: NodeCase, kept: Sequence[int]) -> Prepared:
    """All of an input is one row: a free dimension is put in front."""
    inputs = list(case.inputs)
    if case.op == "Reshape":
        inputs[1] = np.concatenate([[0], inputs[1]]).astype(np.int64)
    elif case.op == "ReduceMean":
        # No axes are all axes: all of the row.
        axes = inputs[1] if inputs[1].size else np.arange(inputs[0].ndim)
        inputs[1] = np.where(axes < 0, axes, axes + 1)
    proto = _with_constants(case.model, inputs, kept)
    for attribute in proto.graph.node[0].attribute:
        if attribute.name == "axis" and attribute.i >= 0:
            attribute.i += 1
    for value in proto.graph.input:
        dims = value.type.tensor_type.shape.dim
        dims.insert(0, onnx.TensorShapeProto.Dimension(dim_param="batch"))
    # Flatten answers with two dimensions whatever it gets; all in one row is (1, n) already.
    want = case.outputs[0] if case.op == "Flatten" else case.outputs[0][np.newaxis]
    arrays = [case.inputs[i][np.newaxis] for i in kept]
    return Prepared(_with_inferred_outputs(proto), arrays, want)


def as_added(case: NodeCase) -> Prepared:
    """A constant, added to two rows of zeros."""
    (want,) = case.outputs
    proto = onnx.ModelProto()
    proto.CopyFrom(case.model)
    (output,) = proto.graph.output
    proto.graph.node.append(helper.make_node("Add", ["rows", output.name], ["sum"]))
    proto.graph.input.append(
        helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["batch", *want.shape])
    )
    output.name = "sum"
    rows = np.stack([want, want])
    return Prepared(_with_inferred_outputs(proto), [np.zeros_like(rows)], rows)


def _with_constants(
    model: onnx.ModelProto, inputs: Sequence[Array], kept: Sequence[int]
) -> onnx.ModelProto:
    proto = onnx.ModelProto()
    proto.CopyFrom(model)
    for i, (value, array) in enumerate(zip(list(proto.graph.input), inputs, strict=True)):
        if i not in kept:
            proto.graph.initializer.append(numpy_helper.from_array(array, value.name))
            proto.graph.input.remove(value)
    return proto


def _with_inferred_outputs(proto: onnx.ModelProto) -> onnx.ModelProto:
    for value in proto.graph.output:
        value.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(proto)
