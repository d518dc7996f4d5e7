"""What operators are called and mean, across the versions of ONNX.

The few differences are translated here. onnx's own version converter is not used: it refuses models
with a free batch dimension (before opset 7) and turns Softmax into computations on shapes (opset
13).
"""

from __future__ import annotations

import onnx
import onnx.defs

Attribute = int | float | str | list[int] | list[float]

# The newest version of each operator whose meaning is known here. A later one may mean something
# else, and is refused by name.
KNOWN_VERSIONS = {
    "Add": 14,
    "AveragePool": 22,
    "BatchNormalization": 15,
    "Constant": 25,
    "Conv": 22,
    "Flatten": 25,
    "Gemm": 13,
    "GlobalAveragePool": 22,
    "Identity": 25,
    "MatMul": 13,
    "MaxPool": 22,
    "ReduceMean": 18,
    "Relu": 14,
    "Reshape": 25,
    "Softmax": 13,
}


def core_name(node: onnx.NodeProto, opset: int) -> str:
    """The operator as the core knows it; a name that it does not know if it cannot be meant."""
    if node.domain not in ("", "ai.onnx"):
        return f"{node.domain}.{node.op_type}"
    known = KNOWN_VERSIONS.get(node.op_type)
    if known is None:
        return node.op_type
    version = onnx.defs.get_schema(node.op_type, opset).since_version
    return node.op_type if version <= known else f"{node.op_type} version {version}"


def core_attributes(node: onnx.NodeProto, opset: int) -> dict[str, Attribute]:
    """The attributes, in the meaning of today's opsets; ``""`` for those the core cannot hold."""
    attributes: dict[str, Attribute] = {a.name: _value(a) for a in node.attribute}
    if node.op_type == "Add" and opset < 7 and "axis" not in attributes:
        # Broadcasting had to be asked for; aligned to the end it is what is done today anyway. An
        # `axis` that aligns it elsewhere is left for the core to refuse.
        attributes.pop("broadcast", None)
        attributes.pop("consumed_inputs", None)
    if node.op_type == "BatchNormalization" and opset < 7:
        attributes.setdefault("is_test", 0)
    if node.op_type == "Softmax" and opset < 13:
        # All axes from `axis` on used to be normalised together.
        attributes["coerce_to_2d"] = 1
    return attributes


def _value(attribute: onnx.AttributeProto) -> Attribute:
    kinds = onnx.AttributeProto
    if attribute.type == kinds.INT:
        return attribute.i
    if attribute.type == kinds.FLOAT:
        return attribute.f
    if attribute.type == kinds.STRING:
        return attribute.s.decode("utf-8", "replace")
    if attribute.type == kinds.INTS:
        return list(attribute.ints)
    if attribute.type == kinds.FLOATS:
        return list(attribute.floats)
    return ""
