"""From ONNX's graph to the core's graph builder."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
from numpy.typing import NDArray

from inferometer._core import ConfigError, GraphBuilder
from inferometer.onnx._operators import core_attributes, core_name
from inferometer.onnx._read import opset_of

# What the core can hold, by numpy's name; it computes in float32 only and says so by operator.
DTYPES = {"bool", "float16", "float32", "float64"} | {
    f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)
}


def convert(model: onnx.ModelProto) -> GraphBuilder:
    """Hand a checked model to the core.

    Args:
        model: As `inferometer.onnx._read.read` returns it.

    Returns:
        The graph, not compiled yet. What the core has no word for is in it as an operator of a name
        that the core does not know, so that compiling names everything unsupported at once.

    Raises:
        ConfigError: A tensor's data does not fit its shape, or an input has no shape.
    """
    builder = GraphBuilder()
    graph = model.graph
    opset = opset_of(model)
    weights = {tensor.name for tensor in graph.initializer}
    for value in graph.input:
        if value.name not in weights:  # old files list weights among the inputs
            _add_input(builder, value)
    for tensor in graph.initializer:
        _add_tensor(builder, tensor.name, tensor)
    for sparse in graph.sparse_initializer:
        name = sparse.values.name
        builder.add_node("sparse initializer", name, [], [name], {})
    for node in graph.node:
        _add_node(builder, node, opset)
    for value in graph.output:
        builder.add_output(value.name)
    return builder


def _add_input(builder: GraphBuilder, value: onnx.ValueInfoProto) -> None:
    kind = value.type.WhichOneof("value")
    tensor = value.type.tensor_type
    dtype = _dtype(tensor.elem_type) if kind == "tensor_type" else str(kind)
    if dtype not in DTYPES:
        builder.add_node(f"input of type {dtype}", value.name, [], [value.name], {})
        return
    if not tensor.HasField("shape"):
        raise ConfigError(f"input {value.name!r} has no shape")
    shape = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim]
    # Exporters write a free dimension as a name, as nothing, as -1 or (old ones) as 0.
    if shape and shape[0] <= 0:
        shape[0] = -1
    builder.add_input(value.name, dtype, shape)


def _dtype(elem_type: int) -> str:
    """The name in numpy, or ONNX's for what numpy does not have."""
    try:
        name = str(onnx.helper.tensor_dtype_to_np_dtype(elem_type))
        return name if name in DTYPES else onnx.TensorProto.DataType.Name(elem_type).lower()
    except (KeyError, ValueError, TypeError):
        return f"number {elem_type}"


def _add_tensor(builder: GraphBuilder, name: str, tensor: onnx.TensorProto) -> None:
    try:
        array: NDArray[np.generic] = onnx.numpy_helper.to_array(tensor)
    except Exception as error:
        raise ConfigError(f"tensor {name!r} is broken: {error}") from error
    if str(array.dtype) in DTYPES:
        builder.add_constant(name, array)
    else:
        builder.add_node(f"initializer of {array.dtype}", name, [], [name], {})


def _add_node(builder: GraphBuilder, node: onnx.NodeProto, opset: int) -> None:
    op = core_name(node, opset)
    if op == "Constant":
        _add_constant(builder, node)
        return
    builder.add_node(
        op, node.name, list(node.input), list(node.output), core_attributes(node, opset)
    )


def _add_constant(builder: GraphBuilder, node: onnx.NodeProto) -> None:
    name = node.output[0]
    attribute = node.attribute[0]
    if attribute.name == "value":
        _add_tensor(builder, name, attribute.t)
    elif attribute.name in ("value_float", "value_floats"):
        value = attribute.f if attribute.name == "value_float" else list(attribute.floats)
        builder.add_constant(name, np.array(value, dtype=np.float32))
    elif attribute.name in ("value_int", "value_ints"):
        value = attribute.i if attribute.name == "value_int" else list(attribute.ints)
        builder.add_constant(name, np.array(value, dtype=np.int64))
    else:
        builder.add_node(f"Constant with {attribute.name}", node.name, [], [name], {})
