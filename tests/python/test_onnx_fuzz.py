"""Damaged files: an error of ours or a model, never a crash and never another exception."""

from __future__ import annotations

import random as stdlib_random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import inferometer as im
from onnx_files import model, node, random, save

ROUNDS = 400


def victim() -> bytes:
    """A small file in which most bytes matter: attributes, shapes, names, little weight data."""
    weights: dict[str, NDArray[Any]] = {
        "w": random((2, 1, 3, 3), 1),
        "k": np.ones((2,), np.float32),
        "b": np.zeros((2,), np.float32),
        "s": np.array([0, -1], np.int64),
        "m": random((8, 3), 2),
    }
    nodes = [
        node("Conv", ["x", "w", "b"], "c", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", ["c", "k", "b", "b", "k"], "n"),
        node("Relu", ["n"], "r"),
        node("MaxPool", ["r"], "p", kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1]),
        node("Add", ["p", "r"], "a"),
        node("Reshape", ["a", "s"], "f"),
        node("Gemm", ["f", "m"], "g", alpha=0.5),
        node("Softmax", ["g"], "y", axis=1),
    ]
    proto = model(nodes, {"x": ["batch", 1, 4, 4]}, {"y": None}, weights)
    return bytes(proto.SerializeToString())


def attempt(path: Path) -> bool:
    """Loads, and runs what loads if it is small; True if it loaded."""
    try:
        native = im.onnx.load(path)
    except (im.ConfigError, im.UnsupportedOperatorError):
        return False
    elements = sum(int(np.prod([max(d, 1) for d in shape])) for _, _, shape in native.inputs)
    if elements < 1e6 and native.activation_bytes(1) < 1e8:
        arrays = [
            np.zeros([1 if d < 0 else d for d in shape], dtype) for _, dtype, shape in native.inputs
        ]
        native.run(*arrays)
    return True


@pytest.mark.parametrize("seed", range(4))
def test_changed_bytes(tmp_path: Path, seed: int) -> None:
    generator = stdlib_random.Random(seed)
    original = victim()
    path = tmp_path / "model.onnx"
    loaded = 0
    for _ in range(ROUNDS // 4):
        data = bytearray(original)
        for _ in range(generator.choice((1, 1, 2, 8))):
            data[generator.randrange(len(data))] = generator.randrange(256)
        path.write_bytes(data)
        loaded += attempt(path)
    assert 0 < loaded < ROUNDS // 4, "mutations should hit both what matters and what does not"


def test_cut_repeated_and_swapped_pieces(tmp_path: Path) -> None:
    generator = stdlib_random.Random(9)
    original = victim()
    path = tmp_path / "model.onnx"
    for _ in range(100):
        start, end = sorted(generator.sample(range(len(original)), 2))
        piece = original[start:end]
        data = generator.choice(
            (original[:start] + original[end:], original[:end] + piece + original[end:], piece)
        )
        path.write_bytes(data)
        attempt(path)


@pytest.mark.parametrize("number", [0, -1, 2, 2**31, 2**62, -(2**63)])
@pytest.mark.parametrize("attribute", ["pads", "strides", "dilations", "kernel_shape", "group"])
@pytest.mark.parametrize("op", ["Conv", "MaxPool", "AveragePool"])
def test_extreme_attributes(tmp_path: Path, op: str, attribute: str, number: int) -> None:
    proto = model(
        [node("Conv", ["x", "w"], "c", kernel_shape=[3, 3])]
        if op == "Conv"
        else [node(op, ["x"], "c", kernel_shape=[3, 3])],
        {"x": ["batch", 1, 6, 6]},
        {"c": ["batch", "c", "h", "w"]},
        {"w": random((2, 1, 3, 3), 1)},
    )
    (target,) = proto.graph.node
    if attribute == "group":
        target.attribute.add(name="group", type=2, i=number)
    else:
        for existing in [a for a in target.attribute if a.name == attribute]:
            target.attribute.remove(existing)
        count = 4 if attribute == "pads" else 2
        target.attribute.add(name=attribute, type=7, ints=[number] * count)
    attempt(save(proto, tmp_path))
