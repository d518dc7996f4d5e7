"""Whether a config.pbtxt and the model that it describes agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inferometer._core import ConfigError
from inferometer.repository.model_config import ModelConfig, TensorConfig
from inferometer.repository.tokens import error_at

# What a native model says about a tensor: name, dtype, shape with the rows first.
NativeSpec = tuple[str, str, tuple[int, ...]]


def datatype_name(dtype: str) -> str:
    """What KServe calls a dtype: ``"FP32"`` for ``"float32"``."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return "BOOL"
    return {"f": "FP", "i": "INT", "u": "UINT"}[kind.kind] + str(kind.itemsize * 8)


def check_agreement(
    config: ModelConfig,
    inputs: Sequence[NativeSpec],
    outputs: Sequence[NativeSpec],
    max_rows: int,
) -> None:
    """Refuses a configuration that describes another model.

    Args:
        config: What was read. A config.pbtxt need not describe inputs and outputs.
        inputs: The model's own.
        outputs: The model's own.
        max_rows: How many rows the model can take at once; 0: any number.

    Raises:
        ConfigError: Names, types or sizes differ.
    """
    for kind, described, there in (
        ("input", config.inputs, inputs),
        ("output", config.outputs, outputs),
    ):
        _check_tensors(config, kind, described, there)
    if max_rows and config.batching.max_batch_size > max_rows:
        raise ConfigError(
            f"{config.file}: max_batch_size: got {config.max_batch_size}, but the model takes "
            f"{max_rows} row{'s' if max_rows > 1 else ''} at a time"
        )


def _check_tensors(
    config: ModelConfig,
    kind: str,
    described: Sequence[TensorConfig],
    there: Sequence[NativeSpec],
) -> None:
    if not described:
        return
    wanted = {name: (dtype, shape) for name, dtype, shape in there}
    for tensor in described:
        where = f"{kind} {tensor.name!r}"
        if tensor.name not in wanted:
            names = ", ".join(repr(name) for name in wanted)
            raise error_at(config.file, tensor.line, where, f"the model's, {names}")
        dtype, shape = wanted[tensor.name]
        datatype = datatype_name(dtype)
        if tensor.datatype != datatype:
            got = f"{where} of type {tensor.datatype}"
            raise error_at(config.file, tensor.line, got, f"the model's, {datatype}")
        dims = tuple(shape[1:] if config.max_batch_size else shape)
        if tensor.dims != dims:
            got = f"{where} with dims {list(tensor.dims)}"
            without = " without the batch dimension" if config.max_batch_size else ""
            raise error_at(config.file, tensor.line, got, f"the model's, {list(dims)}{without}")
    missing = wanted.keys() - {tensor.name for tensor in described}
    if missing:
        raise ConfigError(f"{config.file}: got no {kind} {min(missing)!r}, want all of the model's")
