"""Gemm and MatMul, with their attributes, against onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from onnx_check import check
from onnx_files import node, random


@pytest.mark.parametrize("transpose", [0, 1])
@pytest.mark.parametrize("c", [None, (), (1,), (7,), (1, 7), (1, 1)])
def test_gemm(tmp_path: Path, transpose: int, c: Sequence[int] | None) -> None:
    weights = {"w": random((7, 5) if transpose else (5, 7), 2)}
    if c is not None:
        weights["c"] = np.asarray(random(c, 3))
    gemm = node("Gemm", ["x", *weights], "y", transB=transpose, alpha=0.5, beta=1.5)
    check(tmp_path, [gemm], (5,), weights)


@pytest.mark.parametrize(
    ("shape", "weight"), [((5,), (5, 7)), ((3, 5), (5, 7)), ((2, 3, 5), (2, 5, 7)),
                          ((2, 3, 5), (1, 1, 5, 7)), ((1, 3, 5), (2, 5, 7)), ((2, 3, 5), (5, 7))]
)  # fmt: skip
def test_matmul_with_a_constant(
    tmp_path: Path, shape: Sequence[int], weight: Sequence[int]
) -> None:
    check(tmp_path, [node("MatMul", ["x", "w"], "y")], shape, {"w": random(weight, 2)})


def test_matmul_with_a_constant_on_the_left(tmp_path: Path) -> None:
    check(tmp_path, [node("MatMul", ["w", "x"], "y")], (2, 5, 7), {"w": random((3, 5), 2)})


def test_matmul_of_two_activations(tmp_path: Path) -> None:
    weights = {"v": random((5, 4), 2), "w": random((3, 3), 3)}
    nodes = [
        node("MatMul", ["x", "v"], "a"),
        node("MatMul", ["w", "x"], "b"),
        node("Relu", ["b"], "c"),
        node("Reshape", ["a", "shape"], "d"),
        node("MatMul", ["d", "c"], "y"),
    ]
    check(tmp_path, nodes, (3, 5), {**weights, "shape": np.array([0, 4, 3], np.int64)})


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5)])
def test_matmul_with_a_constant_vector(tmp_path: Path, shape: Sequence[int]) -> None:
    nodes = [node("MatMul", ["x", "w"], "p"), node("Relu", ["p"], "y")]
    check(tmp_path, nodes, shape, {"w": random((5,), 2)})


@pytest.mark.parametrize("shape", [(5, 7), (2, 5, 7)])
def test_matmul_with_a_constant_vector_on_the_left(tmp_path: Path, shape: Sequence[int]) -> None:
    nodes = [node("MatMul", ["w", "x"], "p"), node("Relu", ["p"], "y")]
    check(tmp_path, nodes, shape, {"w": random((5,), 2)})


@pytest.mark.parametrize("columns", [4, 1])
@pytest.mark.parametrize("transpose", [0, 1])
def test_gemm_with_a_computed_c(tmp_path: Path, transpose: int, columns: int) -> None:
    weights = {"v": random((5, columns), 2), "w": random((4, 5) if transpose else (5, 4), 3)}
    nodes = [
        node("Gemm", ["x", "v"], "c"),
        node("Gemm", ["x", "w", "c"], "g", transB=transpose, alpha=0.5),
        node("Relu", ["g"], "y"),
    ]
    check(tmp_path, nodes, (5,), weights)
