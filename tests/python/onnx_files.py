"""ONNX models for tests, and what onnxruntime says about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.shape_inference
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]
OPSET = 17
ROWS = 3


def node(op: str, inputs: Sequence[str], output: str, **attributes: Any) -> onnx.NodeProto:
    """A node named after its output."""
    return helper.make_node(op, list(inputs), [output], name=output, **attributes)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str | None]],
    outputs: Mapping[str, Sequence[int | str | None] | None],
    weights: Mapping[str, NDArray[Any]] | None = None,
    opset: int = OPSET,
    elem_type: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A model; shapes as in ``{"x": ["batch", 3]}``, ``None``: inferred."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(n, elem_type, shape) for n, shape in inputs.items()],
        [helper.make_tensor_value_info(n, elem_type, shape) for n, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    opsets += [helper.make_opsetid(n.domain, 1) for n in nodes if n.domain]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    unknown = any(shape is None for shape in outputs.values())
    return onnx.shape_inference.infer_shapes(proto) if unknown else proto


def save(proto: onnx.ModelProto, folder: Path, name: str = "model.onnx") -> Path:
    """The model as a file."""
    path = folder / name
    path.write_bytes(proto.SerializeToString())
    return path


def reference(path: Path, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """onnxruntime's outputs, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    outputs: list[NDArray[Any]] = session.run(None, dict(inputs))
    return outputs


def random(shape: Sequence[int], seed: int = 0) -> Floats:
    """Numbers from a normal distribution, float32."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def mlp(weights: dict[str, NDArray[np.float32]] | None = None) -> onnx.ModelProto:
    """One layer: rows of 5 to rows of 7."""
    if weights is None:
        weights = {"w": random((5, 7), 2)}
    return model([node("MatMul", ["x", "w"], "y")], {"x": ["batch", 5]}, {"y": None}, weights)
