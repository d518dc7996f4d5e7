"""One operator or a few, natively and with onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

import inferometer as im
from onnx_devices import DEVICES, load
from onnx_files import ROWS, model, random, reference, save


def check(
    folder: Path,
    nodes: Sequence[onnx.NodeProto],
    x_shape: Sequence[int],
    weights: Mapping[str, NDArray[Any]] | None = None,
    opset: int = 17,
    rows: int | None = None,
    free: bool = True,
) -> im.Model:
    """Runs ``x -> y`` natively, on each device, and with onnxruntime on the same rows.

    Returns:
        The model on the CPU.
    """
    rows = ROWS if rows is None else rows
    batch = "batch" if free else rows
    proto = model(nodes, {"x": [batch, *x_shape]}, {"y": None}, weights, opset)
    path = save(proto, folder)
    x = random((rows, *x_shape), seed=1)
    (want,) = reference(path, {"x": x})
    loaded = [load(path, device) for device in DEVICES]
    for native in loaded:
        got = native.run(x)
        assert got.shape == want.shape
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5, err_msg=native.device)
    return loaded[0]
