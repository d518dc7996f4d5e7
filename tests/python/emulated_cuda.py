"""Emulated GPUs for Python tests: CUDA's part of the package, compiled as C++ on the host.

The tests of CMake build it (tests/fakes/cuda); nothing of it is in the package.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

BUILT = Path(__file__).resolve().parents[2] / "build/release/cpp/tests/fakes/cuda"
MODULE = BUILT / "_cuda_emulated.so"
RUNTIME = BUILT / "libemulated_cudart.so"
ENVIRONMENT = {"INFEROMETER_CUDA_MODULE": str(MODULE), "INFEROMETER_CUBLAS": str(BUILT / "cublas")}

# Numbers of cudaError_t.
MEMORY_ALLOCATION = 2
ILLEGAL_ADDRESS = 700


def why_not() -> str:
    """Why there are no emulated GPUs; empty if there are."""
    return "" if MODULE.exists() else "the emulation of CUDA is not built (tests/fakes/cuda)"


@contextmanager
def in_use() -> Iterator[None]:
    """Models are loaded onto emulated GPUs inside."""
    with mock.patch.dict(os.environ, ENVIRONMENT):
        yield


def fresh_gpus() -> Iterator[EmulatedGpus]:
    """Two GPUs, as new, for one test; `conftest.py` makes it a fixture."""
    with in_use():
        yield EmulatedGpus()
    EmulatedGpus()  # what the test broke is whole again


class EmulatedGpus:
    """What the emulation is told, and asked."""

    def __init__(self, count: int = 2) -> None:
        """As new.

        Args:
            count: How many GPUs there are.
        """
        self._library = ctypes.CDLL(str(RUNTIME))
        for name, result in (("calls", ctypes.c_uint64), ("live", ctypes.c_size_t)):
            getattr(self._library, f"inferometer_emulation_{name}").restype = result
        self._call("reset")
        self.set_driver(True)
        self.set_devices(count)

    def _call(self, name: str, *arguments: object) -> int:
        result: int = getattr(self._library, f"inferometer_emulation_{name}")(*arguments)
        return result

    def set_devices(self, count: int) -> None:
        """So many GPUs from now on."""
        self._call("set_devices", count)

    def set_driver(self, present: bool) -> None:
        """Without one every call fails."""
        self._call("set_driver", int(present))

    def set_capacity(self, device: int, size: int) -> None:
        """Memory of a GPU, in bytes."""
        self._call("set_capacity", device, ctypes.c_size_t(size))

    def fail_call(self, name: str, nth: int, error: int) -> None:
        """The nth call from now of a function fails."""
        self._call("fail_call", name.encode(), ctypes.c_uint64(nth), error)

    def lose(self, device: int, error: int = ILLEGAL_ADDRESS) -> None:
        """The next kernel on a GPU fails, and everything after it."""
        self._call("lose_device", device, error)

    def calls(self, name: str) -> int:
        """Calls of a function so far."""
        return self._call("calls", name.encode())

    def live(self, what: str) -> int:
        """What is allocated now: "allocations", "streams", "bytes", ..."""
        return self._call("live", what.encode())
