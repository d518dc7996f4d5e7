"""`inferometer serve` on GPUs, which are emulated (tests/fakes/cuda)."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import emulated_cuda
import inferometer as im
from conftest import ROOT
from emulated_cuda import EmulatedGpus
from inferometer.repository import read_repository
from inferometer.serve.served_model import ServedModel, load_model

pytestmark = pytest.mark.skipif(bool(emulated_cuda.why_not()), reason=emulated_cuda.why_not())


def serve(folder: Path, groups: str) -> ServedModel:
    """The ResNet with these instance groups, loaded as the service does."""
    repository = folder / "models"
    shutil.copytree(ROOT / "model_repository", repository)
    with (repository / "resnet_model/config.pbtxt").open("a") as config:
        config.write(groups)
    (model,) = read_repository(repository)
    return load_model(model, with_faults=False)


@pytest.mark.parametrize(
    ("groups", "device", "instances"),
    [
        ("", "cuda:0", 1),
        ("instance_group { kind: KIND_CPU }", "cpu", 1),
        ("instance_group { kind: KIND_GPU count: 2 }", "cuda:0", 4),
        ("instance_group { kind: KIND_GPU gpus: 1 }", "cuda:1", 1),
    ],
)
def test_instance_groups_say_where_models_run(
    gpus: EmulatedGpus, tmp_path: Path, groups: str, device: str, instances: int
) -> None:
    before = gpus.live("streams")
    served = serve(tmp_path, groups)
    with served.engine as engine:
        assert engine.instances == instances
        assert gpus.live("streams") - before == (0 if device == "cpu" else instances)
        assert engine.infer(np.zeros((1, 1, 8, 8), np.float32)).shape == (1, 10)


def test_a_gpu_that_is_not_there_is_an_error(gpus: EmulatedGpus, tmp_path: Path) -> None:
    gpus.set_devices(0)
    with pytest.raises(im.DeviceError, match="cudaErrorNoDevice"):
        serve(tmp_path, "instance_group { kind: KIND_GPU }")
