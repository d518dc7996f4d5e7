"""Reading an ONNX file: parsed, complete with its weights, checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

import google.protobuf.message
import onnx
import onnx.checker
import onnx.external_data_helper
import onnx.inliner

from inferometer._core import ConfigError

# What a file without a version means (files from before versions existed).
FIRST_OPSET = 1


def read(file: Path) -> onnx.ModelProto:
    """Read and check a file.

    Args:
        file: The ``.onnx`` file.

    Returns:
        A model that passed onnx's checker and shape inference, without local functions or external
        data.

    Raises:
        ConfigError: It is not a valid model.
        FileNotFoundError: There is no such file.
    """
    if file.is_dir():
        raise ConfigError(f"{file}: got a directory, want an .onnx file")
    data = file.read_bytes()
    if not data:
        raise ConfigError(f"{file}: the file is empty")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except google.protobuf.message.DecodeError:
        raise ConfigError(f"{file}: not an ONNX file, or a truncated one") from None
    if not model.HasField("graph"):
        raise ConfigError(f"{file}: not an ONNX file: it contains no graph")
    _load_external_data(file, model)
    try:
        onnx.checker.check_model(model, full_check=True)
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
    # The package raises its own errors, ValueError, RuntimeError, UnicodeDecodeError and more.
    except Exception as error:
        raise ConfigError(f"{file}: not a valid ONNX model: {_first_line(error)}") from error
    return model


def opset_of(model: onnx.ModelProto) -> int:
    """The version of ONNX's own operators that the model was written for."""
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    return max(versions, default=FIRST_OPSET)


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors


def _load_external_data(file: Path, model: onnx.ModelProto) -> None:
    for tensor in _tensors(model.graph):
        if not onnx.external_data_helper.uses_external_data(tensor):
            continue
        location = next((e.value for e in tensor.external_data if e.key == "location"), "")
        # A model may come from a stranger: it reads nothing but files beside or below it.
        outside = PurePosixPath(location).is_absolute() or PureWindowsPath(location).anchor
        if not location or outside or ".." in PurePosixPath(location).parts:
            raise ConfigError(
                f"{file}: tensor {tensor.name!r} keeps its data in {location!r}, which is not a "
                "file in the model's folder"
            )
        target = file.parent / location
        if not target.resolve().is_relative_to(file.parent.resolve()) or not target.is_file():
            raise ConfigError(
                f"{file}: tensor {tensor.name!r} keeps its data in {location!r}, which is not there"
            )
        try:
            onnx.external_data_helper.load_external_data_for_tensor(tensor, str(file.parent))
        except Exception as error:
            raise ConfigError(f"{file}: tensor {tensor.name!r}: {_first_line(error)}") from error
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) if lines else type(error).__name__
