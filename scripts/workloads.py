"""The models that benches and tests share: perceptrons, and a model of no work.

`tiny` costs about as much as what surrounds a request; `mid` is a model for which batching pays:
its weights are read once a batch instead of once a request.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import inferometer as im

Floats = NDArray[np.float32]
OPSET: Final = 17


class Perceptron:
    """Dense layers with ReLU between them: as a numpy callable, an ONNX model, a native model.

    All three have the same weights, drawn from a seed, and answer alike within rounding.
    Const-safe.

    Attributes:
        sizes: Columns of the input, of each layer between, and of the output.
    """

    def __init__(self, *sizes: int, seed: int = 1) -> None:
        chance = np.random.default_rng(seed)
        self.sizes: Final = sizes
        self._weights: Final[list[Floats]] = [
            (chance.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)
            for shape in itertools.pairwise(sizes)
        ]
        self._biases: Final[list[Floats]] = [
            chance.normal(size=size).astype(np.float32) for size in sizes[1:]
        ]

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        """Computes a batch in numpy: ``(rows, sizes[0])`` float32 to ``(rows, sizes[-1])``."""
        *hidden, last = zip(self._weights, self._biases, strict=True)
        for weight, bias in hidden:
            x = x @ weight
            x += bias
            np.maximum(x, 0, out=x)
        return np.asarray(x @ last[0] + last[1])

    def rows(self, count: int, seed: int = 2) -> Floats:
        """Inputs: ``(count, sizes[0])`` float32, from a normal distribution."""
        chance = np.random.default_rng(seed)
        return chance.normal(size=(count, self.sizes[0])).astype(np.float32)

    def onnx(self) -> onnx.ModelProto:
        """As an ONNX model with the input `x` and the output `y`; any number of rows."""
        nodes, constants, last = [], [], len(self._weights) - 1
        value = "x"
        for layer, (weight, bias) in enumerate(zip(self._weights, self._biases, strict=True)):
            constants += [
                numpy_helper.from_array(weight, f"w{layer}"),
                numpy_helper.from_array(bias, f"b{layer}"),
            ]
            dense = "y" if layer == last else f"dense{layer}"
            nodes.append(helper.make_node("Gemm", [value, f"w{layer}", f"b{layer}"], [dense]))
            if layer != last:
                value = f"relu{layer}"
                nodes.append(helper.make_node("Relu", [dense], [value]))
        return _model(nodes, self.sizes[0], self.sizes[-1], constants)

    def native(self) -> im.Model:
        """As a model of the core."""
        return native(self.onnx())


def identity(width: int) -> onnx.ModelProto:
    """A model that does nothing to rows of `width` numbers."""
    return _model([helper.make_node("Identity", ["x"], ["y"])], width, width, [])


def native(model: onnx.ModelProto) -> im.Model:
    """Loads what has no file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model.SerializeToString())
        return im.onnx.load(path)


def _model(
    nodes: list[onnx.NodeProto], width: int, answer: int, constants: list[onnx.TensorProto]
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "workload",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", answer])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


TINY: Final = Perceptron(64, 256, 256, 10)
MID: Final = Perceptron(784, 1024, 1024, 10)
