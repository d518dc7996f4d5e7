"""The models of the benches: one network, whoever computes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onnx_files import reference, save
from workloads import MID, TINY, Perceptron, identity, native


@pytest.mark.parametrize("network", [TINY, MID, Perceptron(3, 2)], ids=["tiny", "mid", "one layer"])
def test_numpy_native_and_onnxruntime_agree(network: Perceptron, tmp_path: Path) -> None:
    x = network.rows(5)
    kept = x.copy()
    (want,) = reference(save(network.onnx(), tmp_path), {"x": x})
    assert want.shape == (5, network.sizes[-1])
    np.testing.assert_allclose(network(x), want, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(network.native().run(x), want, rtol=1e-4, atol=1e-4)
    assert np.array_equal(x, kept)  # a model may not write to what it is given


def test_identity_answers_what_it_got() -> None:
    x = TINY.rows(3)
    assert np.array_equal(native(identity(64)).run(x), x)
