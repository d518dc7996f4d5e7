"""Models that PyTorch exported years ago (opset 6 to 9), from the ONNX package's own test data.

Each either runs and gives the recorded answer, or is refused with all its reasons.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.backend.test.loader as loader
import onnx.shape_inference
import pytest

import inferometer as im
from inferometer.onnx._operators import KNOWN_VERSIONS
from onnx_devices import DEVICES, load
from onnx_files import save

FOLDERS = [
    Path(str(case.model_dir))
    for kind in ("pytorch-operator", "pytorch-converted")
    for case in loader.load_model_tests(kind=kind)
]

# Everything made of implemented operators must run, but for these and three dimensions of space.
REFUSED = {
    "test_operator_add_broadcast": "float64",
    "test_operator_add_size1_broadcast": "float64",
    "test_operator_add_size1_right_broadcast": "float64",
    "test_operator_add_size1_singleton_broadcast": "float64",
    "test_operator_addconstant": "float64",
    "test_operator_addmm": "a product of two inputs, over their rows",
    "test_operator_mm": "a product of two inputs, over their rows",
}


def with_free_rows(folder: Path) -> onnx.ModelProto:
    """The recorded model with any number of rows."""
    proto = onnx.load(folder / "model.onnx")
    weights = {tensor.name for tensor in proto.graph.initializer}
    for value in proto.graph.input:
        if value.name not in weights and value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    for value in proto.graph.output:
        value.type.tensor_type.ClearField("shape")
    del proto.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(proto)


def recorded(path: Path) -> Any:
    return onnx.numpy_helper.to_array(onnx.load_tensor(str(path)))


def must_run(folder: Path) -> bool:
    nodes = onnx.load(folder / "model.onnx").graph.node
    known = all(node.op_type in KNOWN_VERSIONS and not node.domain for node in nodes)
    return known and folder.name not in REFUSED and not re.search("(Conv|Pool)3d", folder.name)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_exported(folder: Path, tmp_path: Path) -> None:
    proto = with_free_rows(folder)
    path = save(proto, tmp_path)
    if not must_run(folder):
        with pytest.raises(im.UnsupportedOperatorError) as caught:
            im.onnx.load(path)
        # Every operator that is not implemented is named.
        for node in proto.graph.node:
            assert node.op_type in KNOWN_VERSIONS or node.op_type in str(caught.value)
        return
    for native in (load(path, device) for device in DEVICES):
        for data in sorted(folder.glob("test_data_set_*")):
            inputs = [recorded(data / f"input_{i}.pb") for i in range(len(native.inputs))]
            want = recorded(data / "output_0.pb")
            got = native.run(*inputs)
            np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-5, err_msg=native.device)


def test_enough_of_them_run() -> None:
    run = [folder for folder in FOLDERS if must_run(folder)]
    print(f"exported models: {len(run)} of {len(FOLDERS)} are made of what is implemented and run")
    assert len(run) >= 40
