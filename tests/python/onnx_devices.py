"""The devices that tests of ONNX models run on: what is in `CANDIDATES` and is there."""

from __future__ import annotations

import functools
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import emulated_cuda
import inferometer as im
from onnx_files import model, node, save

EMULATED: Final = "emulated CUDA"
CANDIDATES: Final = ("cpu", EMULATED, "cuda:0")


def load(path: Path, device: str) -> im.Model:
    """The model of a file on one of `CANDIDATES`."""
    emulated = device == EMULATED
    with emulated_cuda.in_use() if emulated else nullcontext():
        loaded = im.onnx.load(path, device="cuda:0" if emulated else device)
    assert loaded.device.startswith("cpu" if device == "cpu" else "cuda:0")
    return loaded


@functools.cache
def why_not(device: str) -> str:
    """Why nothing can be loaded onto a device; empty if something can."""
    if device == EMULATED and emulated_cuda.why_not():
        return emulated_cuda.why_not()
    with tempfile.TemporaryDirectory() as folder:
        path = save(model([node("Relu", ["x"], "y")], {"x": ["n", 1]}, {"y": None}), Path(folder))
        try:
            load(path, device)
        except im.DeviceError as error:
            return str(error)
    return ""


DEVICES = [device for device in CANDIDATES if not why_not(device)]
