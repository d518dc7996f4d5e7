"""Engines on GPUs: instances, devices, metrics, faults; GPUs are emulated (tests/fakes/cuda)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

import emulated_cuda
import inferometer as im
from emulated_cuda import EmulatedGpus
from inferometer.asgi import health_routes
from onnx_files import mlp, random, save

pytestmark = pytest.mark.skipif(bool(emulated_cuda.why_not()), reason=emulated_cuda.why_not())

BATCHING = im.Batching(max_batch_size=8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return save(mlp(), tmp_path)


def sample(registry: im.Registry, name: str, **labels: str) -> float:
    text = im.render_metrics(registry)[0].decode()
    for line in text.splitlines():
        if line.startswith(name) and all(
            f'{key}="{value}"' in line for key, value in labels.items()
        ):
            return float(line.rpartition(" ")[2])
    raise AssertionError(f"no {name} with {labels} in\n{text}")


def readyz(engine: im.Engine) -> int:
    """The status of GET /readyz."""

    async def get() -> int:
        app = Starlette(routes=health_routes(engine))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return (await client.get("/readyz")).status_code

    return asyncio.run(get())


def test_answers_are_those_of_the_cpu(gpus: EmulatedGpus, path: Path) -> None:
    x = random((8, 5))
    want = im.onnx.load(path, device="cpu").run(x)
    with im.Engine(
        im.onnx.load(path, device="cuda:0"), name="m", batching=BATCHING, registry=im.NO_METRICS
    ) as engine:
        np.testing.assert_allclose(engine.infer(x), want, rtol=1e-5, atol=1e-6)
        answers = engine.infer_many([x[i : i + 1] for i in range(8)])
        np.testing.assert_allclose(np.concatenate(answers), want, rtol=1e-5, atol=1e-6)


def test_each_instance_has_a_stream_and_the_weights_are_shared(
    gpus: EmulatedGpus, path: Path
) -> None:
    model = im.onnx.load(path, device="cuda:0")
    allocations, streams = gpus.live("allocations"), gpus.live("streams")
    with im.Engine(model, name="m", instances=3, registry=im.NO_METRICS) as engine:
        assert gpus.live("streams") == streams + 3
        assert gpus.live("cublas_handles") == 3
        assert gpus.live("allocations") == allocations + 3, "a workspace each, no further weights"
        engine.infer(random((1, 5)))
    del model, engine
    assert gpus.live("streams") == 0
    assert gpus.live("allocations") == 0
    assert gpus.live("pinned_bytes") == 0


def test_several_gpus_serve_one_engine(gpus: EmulatedGpus, path: Path) -> None:
    registry = im.Registry()
    model = im.onnx.load(path, device="cuda:0")
    with im.Engine(model, name="m", instances=2, devices=[0, 1], registry=registry) as engine:
        assert engine.instances == 4
        weights = sample(registry, "inferometer_model_memory_bytes", kind="weights")
        assert weights == 2 * model.weights_bytes, "once on each GPU"
        engine.swap(im.onnx.load(path, device="cuda:1"))
        assert engine.infer(random((2, 5))).shape[0] == 2
        assert engine.instances == 4


def test_devices_are_remembered_as_they_were(gpus: EmulatedGpus, path: Path) -> None:
    model = im.onnx.load(path, device="cuda:0")
    given = [0, 1]
    for devices in (given, (number for number in (0, 1))):
        with im.Engine(
            model,
            name="m",
            devices=devices,  # type: ignore[arg-type]
            registry=im.NO_METRICS,
        ) as engine:
            given.clear()
            engine.swap(im.onnx.load(path, device="cuda:1"))
            assert engine.infer(random((2, 5))).shape[0] == 2


@pytest.mark.parametrize(
    ("devices", "text"),
    [
        ([], "got none"),
        ("cuda:0", "want a list"),
        ([0, 0], "want each once"),
        ([True], "want a number"),
        ([1.0], "want a number"),
        (["gpu"], "want a number or 'cuda:0'"),
        ([0, "cuda:00"], "want a number or 'cuda:0'"),
        ([-1], "want a number or 'cuda:0'"),
        ([None], "want a number"),
        (3, "want a list"),
    ],
)
def test_devices_that_are_none(gpus: EmulatedGpus, path: Path, devices: object, text: str) -> None:
    model = im.onnx.load(path, device="cuda:0")
    with pytest.raises(im.ConfigError, match=text):
        im.Engine(model, name="m", devices=devices, registry=im.NO_METRICS)  # type: ignore[arg-type]


def test_devices_are_for_models_on_gpus(path: Path) -> None:
    for model in (im.onnx.load(path, device="cpu"), im.DelayModel(), lambda x: x):
        with pytest.raises(
            im.ConfigError, match=r"want (one from im\.onnx\.load|a model that was)"
        ):
            im.Engine(model, name="m", devices=[0], registry=im.NO_METRICS)


def test_copies_are_timed_and_memory_is_told(gpus: EmulatedGpus, path: Path) -> None:
    registry = im.Registry()
    model = im.onnx.load(path, device="cuda:0")
    with im.Engine(model, name="m", batching=BATCHING, registry=registry) as engine:
        for _ in range(200):
            engine.infer(random((8, 5)))
        for part in ("input", "infer", "output"):
            assert sample(registry, f"nv_inference_compute_{part}_duration_us", model="m") > 0, part
        memory = sample(registry, "inferometer_model_memory_bytes", kind="activations")
        assert memory == model.activation_bytes(8)
        for kind in ("out_of_memory", "lost", "other"):
            assert sample(registry, "inferometer_device_errors_total", kind=kind) == 0


def test_nothing_is_allocated_once_warm(gpus: EmulatedGpus, path: Path) -> None:
    with im.Engine(
        im.onnx.load(path, device="cuda:0"), name="m", batching=BATCHING, registry=im.NO_METRICS
    ) as engine:
        engine.infer(random((8, 5)))
        counted = ("cudaMalloc", "cudaHostRegister", "cudaStreamCreateWithFlags", "cudaEventCreate")
        before = [gpus.calls(name) for name in counted]
        for rows in (8, 1, 5, 8, 3):
            engine.infer(random((rows, 5)))
        assert [gpus.calls(name) for name in counted] == before


def test_out_of_memory_fails_the_batch_alone(gpus: EmulatedGpus, path: Path) -> None:
    registry = im.Registry()
    with im.Engine(
        im.onnx.load(path, device="cuda:0"), name="m", batching=BATCHING, registry=registry
    ) as engine:
        gpus.fail_call("cudaMalloc", 1, emulated_cuda.MEMORY_ALLOCATION)
        with pytest.raises(im.DeviceError, match="cudaErrorMemoryAllocation") as raised:
            engine.infer(random((4, 5)))
        assert raised.value.fault == "out_of_memory"
        assert "engine 'm'" in str(raised.value)
        assert engine.ready
        assert engine.infer(random((4, 5))).shape[0] == 4
        assert sample(registry, "inferometer_device_errors_total", kind="out_of_memory") == 1


def test_a_lost_gpu_is_survived(gpus: EmulatedGpus, path: Path) -> None:
    registry = im.Registry()
    x = random((3, 5))
    want = im.onnx.load(path, device="cpu").run(x)
    with im.Engine(
        im.onnx.load(path, device="cuda:0"), name="m", batching=BATCHING, registry=registry
    ) as engine:
        assert readyz(engine) == 200
        gpus.lose(0)
        for _ in range(3):
            with pytest.raises(im.DeviceError) as raised:
                engine.infer(x)
            assert raised.value.fault == "lost"
        assert not engine.ready
        assert readyz(engine) == 503
        assert sample(registry, "inferometer_device_errors_total", kind="lost") == 3
        engine.swap(im.onnx.load(path, device="cuda:0"))
        assert engine.ready
        assert readyz(engine) == 200
        np.testing.assert_allclose(engine.infer(x), want, rtol=1e-5, atol=1e-6)


def test_the_other_gpu_serves_on(gpus: EmulatedGpus, path: Path) -> None:
    with im.Engine(
        im.onnx.load(path, device="cuda:0"), name="m", devices=[0, 1], registry=im.NO_METRICS
    ) as engine:
        gpus.lose(0)
        with pytest.raises(im.DeviceError, match="cudaErrorIllegalAddress"):
            engine.infer(random((1, 5)))
        assert engine.ready
        for _ in range(20):
            assert engine.infer(random((2, 5))).shape[0] == 2
