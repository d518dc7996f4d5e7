"""`load`: from a file to a compiled model."""

from __future__ import annotations

import functools
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from inferometer._core import (
    ConfigError,
    DeviceError,
    DTypeError,
    GraphBuilder,
    Model,
    ShapeError,
    UnsupportedOperatorError,
)
from inferometer.device_list import GPU_NAME, cuda_files

if TYPE_CHECKING:
    import onnx

_log = logging.getLogger("inferometer")

_ALTERNATIVE = """
onnxruntime can run it behind the same engine:
  session = onnxruntime.InferenceSession({path!r})
  engine = im.Engine({function}, name=...)"""


def load(path: str | os.PathLike[str], device: str = "auto", threads: int = 1) -> Model:
    """Load an ONNX file as a native model.

    The file is checked, lowered to the core's own operations, fused and compiled for a device.
    Implemented in float32: Conv and pooling (one or two dimensions of space), BatchNormalization,
    GlobalAveragePool, ReduceMean, Gemm, MatMul, Add, Relu, Softmax, Flatten, Reshape, Identity and
    Constant.

    Dimension 0 of every input is the batch. It is free, or fixed to 1 (such a model takes one row
    at a time: ``model.max_rows == 1``); other dimensions are fixed. A model whose operators mix the
    rows of a batch is refused, as batching would change its answers. A row's answer is the same
    within 1e-5 (relative) whatever shares its batch, but not to the bit. NaN passes through.

    Args:
        path: The ``.onnx`` file. Weights in further files are read if they lie in its folder.
        device: ``"cpu"``; ``"cuda:0"``, ``"cuda:1"``, ... for a GPU (``im.devices()`` lists what is
            there; ``"cuda"`` is the first); ``"auto"`` for the first GPU, or the CPU where there is
            none, which is logged once with the reason.
        threads: Threads that compute one batch; only 1 so far.

    Returns:
        The model, ready for `inferometer.Engine`; ``model.run(x)`` runs it directly.

    Raises:
        UnsupportedOperatorError: Operators, or uses of them, that are not implemented; all are
            named.
        ConfigError: The file is not a valid ONNX model, its inputs have other free or fixed
            dimensions than above, or an argument is not one of those above.
        DeviceError: The device cannot be used, with CUDA's name of the error, or has no room for
            the weights.
        FileNotFoundError: There is no such file.
        ImportError: The package ``onnx`` is not installed.
    """
    device = _checked(device, threads)
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "inferometer.onnx.load needs the package onnx: pip install 'inferometer[onnx]'"
        ) from error
    # Imported here because they import onnx, which costs 0.1 s.
    from inferometer.onnx._convert import convert
    from inferometer.onnx._read import read

    file = Path(path)
    model = read(file)
    try:
        return _compile(convert(model), device)
    except UnsupportedOperatorError as error:
        raise UnsupportedOperatorError(f"{file}: {error}{_alternative(file, model)}") from None
    except (ConfigError, ShapeError, DTypeError) as error:
        raise ConfigError(f"{file}: {error}") from None


def _checked(device: str, threads: int) -> str:
    if isinstance(threads, bool) or not isinstance(threads, int) or threads != 1:
        raise ConfigError(f"got threads={threads!r}: only 1 so far, more are not there yet")
    if device == "cuda":
        return "cuda:0"
    known = isinstance(device, str) and (device in ("auto", "cpu") or GPU_NAME.fullmatch(device))
    if not known:
        raise ConfigError(f"got device={device!r}, want 'auto', 'cpu' or 'cuda:0'")
    return device


def _compile(graph: GraphBuilder, device: str) -> Model:
    if device == "cpu":
        return graph.compile()
    module, cublas = cuda_files()
    try:
        name = "cuda:0" if device == "auto" else device
        return graph.compile(device=name, cuda_module=module, cublas=cublas)
    except DeviceError as error:
        if device != "auto" or error.fault != "unavailable":
            raise
        _say_once(str(error))
        return graph.compile()


@functools.lru_cache(maxsize=16)
def _say_once(reason: str) -> None:
    _log.info("device='auto': models run on the CPU, there is no GPU to use: %s", reason)


def _alternative(file: Path, model: onnx.ModelProto) -> str:
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value.name for value in model.graph.input if value.name not in weights]
    outputs = [value.name for value in model.graph.output]
    if len(inputs) == len(outputs) == 1:
        function = f"lambda x: session.run(None, {{{inputs[0]!r}: x}})[0]"
    else:
        function = f"lambda **inputs: dict(zip({outputs!r}, session.run(None, inputs)))"
    return _ALTERNATIVE.format(path=str(file), function=function)
