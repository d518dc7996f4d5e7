"""The emulation of CUDA in a process without sanitizers, told by its environment and by ctypes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import emulated_cuda
from emulated_cuda import BUILT, RUNTIME

CUBLAS = BUILT / "cublas/libcublas.so.13"

pytestmark = pytest.mark.skipif(bool(emulated_cuda.why_not()), reason=emulated_cuda.why_not())

NO_ERROR, OUT_OF_MEMORY, INSUFFICIENT_DRIVER, NO_DEVICE = 0, 2, 35, 100


def run(program: str, **environment: str) -> None:
    """Runs `program` with both libraries loaded, `cuda` first."""
    prelude = f"""
import ctypes
cuda = ctypes.CDLL({str(RUNTIME)!r})
cublas = ctypes.CDLL({str(CUBLAS)!r})
cuda.inferometer_emulation_live.restype = ctypes.c_size_t
cuda.inferometer_emulation_calls.restype = ctypes.c_uint64
cuda.inferometer_emulation_last_failure.restype = ctypes.c_char_p
pointer, count = ctypes.c_void_p(), ctypes.c_int(-1)
"""
    subprocess.run(
        [sys.executable, "-c", prelude + program], check=True, env=os.environ | environment
    )


def test_devices_and_memory_of_the_environment() -> None:
    """As many devices with as much memory as the environment says."""
    run(
        f"""
assert cuda.cudaGetDeviceCount(ctypes.byref(count)) == {NO_ERROR} and count.value == 3
assert cuda.cudaMalloc(ctypes.byref(pointer), ctypes.c_size_t(1001)) == {OUT_OF_MEMORY}
assert cuda.cudaMalloc(ctypes.byref(pointer), ctypes.c_size_t(1000)) == {NO_ERROR}
assert cuda.inferometer_emulation_live(b"bytes") == 1000
assert cuda.inferometer_emulation_calls(b"cudaMalloc") == 2
""",
        INFEROMETER_EMULATED_DEVICES="3",
        INFEROMETER_EMULATED_MEMORY="1000",
    )


@pytest.mark.parametrize(
    ("devices", "error"), [("0", NO_DEVICE), ("no driver", INSUFFICIENT_DRIVER)]
)
def test_no_device(devices: str, error: int) -> None:
    """Without devices, and without a driver."""
    run(
        f"assert cuda.cudaGetDeviceCount(ctypes.byref(count)) == {error}",
        INFEROMETER_EMULATED_DEVICES=devices,
    )


def test_a_failure_of_the_environment() -> None:
    """The second allocation fails where no code can ask for that."""
    run(
        f"""
results = [cuda.cudaMalloc(ctypes.byref(pointer), ctypes.c_size_t(8)) for _ in range(3)]
assert results == [{NO_ERROR}, {OUT_OF_MEMORY}, {NO_ERROR}], results
""",
        INFEROMETER_EMULATED_FAILURE=f"cudaMalloc:2:{OUT_OF_MEMORY}",
    )


def test_a_matrix_product() -> None:
    """cuBLAS works on what the runtime allocated: both are of one process."""
    run(
        f"""
def at(address, offset):
    return ctypes.c_void_p(address.value + offset)
handle = ctypes.c_void_p()
assert cublas.cublasCreate_v2(ctypes.byref(handle)) == 0
assert cuda.cudaMalloc(ctypes.byref(pointer), ctypes.c_size_t(12)) == {NO_ERROR}
values = (ctypes.c_float * 3)(3.0, 5.0, 0.0)
assert cuda.cudaMemcpy(pointer, values, ctypes.c_size_t(12), 1) == {NO_ERROR}
one, zero = ctypes.c_float(1.0), ctypes.c_float(0.0)
alpha, beta = ctypes.byref(one), ctypes.byref(zero)
a, b, c = pointer, at(pointer, 4), at(pointer, 8)
assert cublas.cublasSgemm_v2(handle, 0, 0, 1, 1, 1, alpha, a, 1, b, 1, beta, c, 1) == 0
assert cuda.cudaMemcpy(values, pointer, ctypes.c_size_t(12), 2) == {NO_ERROR}
assert list(values) == [3.0, 5.0, 15.0], list(values)
assert cuda.inferometer_emulation_live(b"cublas_handles") == 1
"""
    )
