"""The devices that tests of ONNX models run on: what is in `CANDIDATES` and is there."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import inferometer as im
from onnx_files import model, node, save

CANDIDATES = ("cpu", "cuda:0")


@functools.cache
def why_not(device: str) -> str:
    """Why nothing can be loaded onto a device; empty if something can."""
    with tempfile.TemporaryDirectory() as folder:
        path = save(model([node("Relu", ["x"], "y")], {"x": ["n", 1]}, {"y": None}), Path(folder))
        try:
            im.onnx.load(path, device=device)
        except im.DeviceError as error:
            return str(error)
    return ""


DEVICES = [device for device in CANDIDATES if not why_not(device)]
