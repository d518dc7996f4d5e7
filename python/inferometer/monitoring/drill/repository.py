"""The models that are served beside the one for drills."""

from __future__ import annotations

from pathlib import Path

from inferometer.monitoring.stack.binaries import project_root
from inferometer.monitoring.stack.stack_folder import StackFolder

_REPOSITORY = "model_repository"
_CONFIG = """\
name: "relu"
platform: "onnxruntime_onnx"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 1 ] } ]
"""


def drill_repository(chosen: Path | None, folder: Path) -> Path:
    """The repository that a drill's service reads.

    Args:
        chosen: What the user named.
        folder: Where a small one may be written.

    Returns:
        The chosen one; else ``model_repository`` here or in the project's sources; else one with a
        model of one operator: a service wants at least one.

    Raises:
        ImportError: The last needs onnx, which is not here.
        FolderError: The folder has a ``model_repository`` that no stack has written.
    """
    if chosen is not None:
        return chosen.absolute()
    for place in (Path.cwd(), project_root()):
        if place is not None and (place / _REPOSITORY).is_dir():
            return place / _REPOSITORY
    StackFolder(folder).claim([_REPOSITORY])
    return _write_small_one(folder / _REPOSITORY)


def _write_small_one(repository: Path) -> Path:
    try:
        from onnx import TensorProto, helper, save_model
    except ImportError:
        raise ImportError("serving needs onnx: pip install 'inferometer[serve,onnx]'") from None
    shape: list[str | int | None] = ["batch", 1]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "relu",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    version = repository / "relu/1"
    version.mkdir(parents=True, exist_ok=True)
    save_model(model, version / "model.onnx")
    (repository / "relu/config.pbtxt").write_text(_CONFIG, encoding="utf-8")
    return repository
