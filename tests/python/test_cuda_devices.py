"""Which devices there are, and models on them; GPUs are emulated (tests/fakes/cuda)."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import emulated_cuda
import inferometer as im
from conftest import ROOT
from emulated_cuda import EmulatedGpus
from inferometer.onnx import _load
from onnx_files import mlp, random, save

pytestmark = pytest.mark.skipif(bool(emulated_cuda.why_not()), reason=emulated_cuda.why_not())

RESNET = ROOT / "model_repository/resnet_model/1/model.onnx"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return save(mlp(), tmp_path)


def test_devices_are_listed(gpus: EmulatedGpus) -> None:
    cpu, first, second = im.devices()
    assert (cpu.name, first.name, second.name) == ("cpu", "cuda:0", "cuda:1")
    assert first.memory_bytes > 0
    assert "compute capability" in first.description
    assert first.unavailable is None


@pytest.mark.parametrize(
    ("driver", "count", "error"),
    [(False, 1, "cudaErrorInsufficientDriver"), (True, 0, "cudaErrorNoDevice")],
)
def test_without_gpus(
    gpus: EmulatedGpus,
    path: Path,
    caplog: pytest.LogCaptureFixture,
    driver: bool,
    count: int,
    error: str,
) -> None:
    gpus.set_devices(count)
    gpus.set_driver(driver)
    _, gpu = im.devices()
    assert gpu.name == "cuda"
    assert error in str(gpu.unavailable)
    with pytest.raises(im.DeviceError, match=error) as raised:
        im.onnx.load(path, device="cuda:0")
    assert raised.value.fault == "unavailable"
    _load._say_once.cache_clear()
    with caplog.at_level(logging.INFO, "inferometer"):
        for _ in range(3):
            assert im.onnx.load(path, device="auto").device.startswith("cpu")
    assert caplog.text.count(error) == 1, "said once"


def test_a_build_without_cuda_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFEROMETER_CUDA_MODULE", "")
    with pytest.raises(im.DeviceError, match="this build has no CUDA"):
        im.onnx.load(path, device="cuda:0")
    assert "no CUDA" in str(im.devices()[1].unavailable)


def test_a_missing_cublas_names_its_package(path: Path) -> None:
    program = f"""
import inferometer as im
try:
    im.onnx.load({str(path)!r}, device="cuda:0")
except im.DeviceError as error:
    print(error.fault, error)
print(im.onnx.load({str(path)!r}).device)
"""
    environment = {**emulated_cuda.ENVIRONMENT, "INFEROMETER_CUBLAS": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert "pip install 'nvidia-cublas==13.*'" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("cpu"), "auto goes on without"


def test_auto_takes_the_first_gpu(gpus: EmulatedGpus, path: Path) -> None:
    assert im.onnx.load(path).device.startswith("cuda:0")
    assert im.onnx.load(path, device="cuda").device.startswith("cuda:0")
    assert im.onnx.load(path, device="cuda:1").device.startswith("cuda:1")
    assert im.onnx.load(path, device="cpu").device.startswith("cpu")


def test_a_device_that_is_not_there(gpus: EmulatedGpus, path: Path) -> None:
    with pytest.raises(im.DeviceError, match=r"cudaErrorInvalidDevice.*cuda:2, there are 2"):
        im.onnx.load(path, device="cuda:2")


@pytest.mark.parametrize("rows", [1, 3, 8])
def test_the_resnet_answers_as_on_the_cpu(gpus: EmulatedGpus, rows: int) -> None:
    x = random((rows, 1, 8, 8))
    want = im.onnx.load(RESNET, device="cpu").run(x)
    got = im.onnx.load(RESNET, device="cuda:0").run(x)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


def test_a_model_moves_to_another_gpu(gpus: EmulatedGpus, path: Path) -> None:
    model = im.onnx.load(path, device="cuda:0")
    x = random((4, 5))
    moved = model.on("cuda:1")
    assert moved.device.startswith("cuda:1")
    np.testing.assert_array_equal(moved.run(x), model.run(x))
    with pytest.raises(im.DeviceError, match="cudaErrorInvalidDevice"):
        model.on("cuda:7")
    with pytest.raises(im.ConfigError, match="want a model that was loaded for a GPU"):
        im.onnx.load(path, device="cpu").on("cuda:0")


def test_no_memory_for_the_weights_fails_the_load(gpus: EmulatedGpus, path: Path) -> None:
    before = gpus.live("allocations")
    gpus.set_capacity(0, 64)
    for device in ("cuda:0", "auto"):
        with pytest.raises(im.DeviceError, match="cudaErrorMemoryAllocation") as raised:
            im.onnx.load(path, device=device)
        assert raised.value.fault == "out_of_memory"
    assert gpus.live("allocations") == before
    gpus.set_capacity(0, 1 << 30)
    assert im.onnx.load(path, device="cuda:0").run(random((2, 5))).shape[0] == 2


def test_importing_and_running_on_the_cpu_loads_nothing_of_cuda(path: Path) -> None:
    program = f"""
import inferometer as im
im.onnx.load({str(path)!r}, device="cpu")
maps = open("/proc/self/maps").read()
print([word for word in ("_cuda", "libcuda", "cublas", "cudart") if word in maps])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
