"""The devices that native models can run on, and where CUDA's part lies."""

from __future__ import annotations

import importlib.util
import os
import re
from dataclasses import dataclass
from pathlib import Path

from inferometer import _core

GPU_NAME = re.compile(r"cuda:(0|[1-9]\d{0,3})")


@dataclass(frozen=True)
class Device:
    """A device, or why there is none of its kind.

    Attributes:
        name: What ``im.onnx.load(device=...)`` takes: ``"cpu"``, ``"cuda:0"``; ``"cuda"`` stands
            for GPUs that cannot be used.
        description: The processor's instruction set, or what the GPU calls itself.
        memory_bytes: Its memory; 0 where there is none.
        unavailable: Why it cannot be used, with CUDA's name of the error; None: it can.
    """

    name: str
    description: str
    memory_bytes: int
    unavailable: str | None = None


def devices() -> list[Device]:
    """What native models can run on here.

    Opens CUDA's part of the package and asks it for GPUs, which takes milliseconds; no GPU is
    otherwise touched, and cuBLAS is not opened. GPUs are numbered as CUDA numbers them
    (``CUDA_VISIBLE_DEVICES`` counts).

    Returns:
        The CPU; then every GPU, or one entry ``"cuda"`` that says why there is none.
    """
    found = _core.devices(*cuda_files())
    return [Device(name, text, memory, why or None) for name, text, memory, why in found]


def cuda_files() -> tuple[str, str]:
    """Where CUDA's part of the package and cuBLAS lie.

    ``INFEROMETER_CUDA_MODULE`` (a file) and ``INFEROMETER_CUBLAS`` (a folder) in the environment
    name others.

    Returns:
        The file of the module, empty if this build has none; the folder of ``libcublas.so.13``,
        empty if the dynamic linker is to look for it.
    """
    module = os.environ.get("INFEROMETER_CUDA_MODULE")
    if module is None:
        file = Path(_core.__file__).with_name("_cuda.so")
        module = str(file) if file.exists() else ""
    return module, os.environ.get("INFEROMETER_CUBLAS") or _cublas_wheel()


def _cublas_wheel() -> str:
    """The folder where the package ``nvidia-cublas`` (13) puts its libraries, or nothing."""
    spec = importlib.util.find_spec("nvidia")  # a namespace: several packages may share it
    for root in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(root, "cu13", "lib")
        if (folder / "libcublas.so.13").exists():
            return str(folder)
    return ""
