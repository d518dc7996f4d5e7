"""A model's config.pbtxt: what is used, what is left alone, what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inferometer._core import ConfigError
from inferometer.batching import Batching
from inferometer.repository.batching_config import read_batching, unmerged
from inferometer.repository.instance_groups import Instances, read_instances
from inferometer.repository.text_format import parse
from inferometer.repository.typed_fields import MAX_INT32, TypedFields

MAX_CONFIG_BYTES = 1 << 20

_MAX_ROWS = 1 << 20
# Of a model whose max_batch_size is 0 and whose first dimension is free: Triton knows no limit.
_ROWS_WITHOUT_A_LIMIT = 1024

# Fields of Triton's ModelConfig that have no effect here.
_LEFT_ALONE = (
    "batch_input",
    "batch_output",
    "cc_model_filenames",
    "default_model_filename",
    "ensemble_scheduling",
    "metric_tags",
    "model_metrics",
    "model_operations",
    "model_repository_agents",
    "model_transaction_policy",
    "model_warmup",
    "optimization",
    "parameters",
    "response_cache",
    "runtime",
    "sequence_batching",
    "version_policy",
)
_TENSOR_LEFT_ALONE = (
    "allow_ragged_batch",
    "format",
    "is_non_linear_format_io",
    "is_shape_tensor",
    "label_filename",
    "optional",
    "reshape",
)

# By the enum of config.pbtxt: what KServe calls the type.
DATATYPES = {
    f"TYPE_{name}": name
    for name in (
        *("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"),
        *("FP16", "FP32", "FP64", "BF16"),
    )
} | {"TYPE_STRING": "BYTES", "TYPE_INVALID": "an invalid type"}


@dataclass(frozen=True, slots=True)
class TensorConfig:
    """An input or an output as config.pbtxt describes it.

    Attributes:
        name: Its name.
        datatype: As KServe calls it, ``"FP32"``.
        dims: Without the rows, if the model batches; -1 is any size.
        line: Where it stands.
    """

    name: str
    datatype: str
    dims: tuple[int, ...]
    line: int


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What a config.pbtxt says.

    Attributes:
        name: The model's.
        file: What messages call the file.
        max_batch_size: As it stands there. 0: shapes have no batch dimension of their own.
        inputs: Those described, which may be none.
        outputs: Likewise.
        batching: For the engine.
        instances: How many there are, and where they run.
    """

    name: str
    file: str
    max_batch_size: int
    inputs: tuple[TensorConfig, ...]
    outputs: tuple[TensorConfig, ...]
    batching: Batching
    instances: Instances


def read_config(path: Path) -> ModelConfig:
    """Reads a file.

    Args:
        path: A ``NAME/config.pbtxt``.

    Returns:
        What it says about the model ``NAME``.

    Raises:
        ConfigError: It cannot be read, is no text format, or asks for what is not there; with file
            and line where there is one.
    """
    file = f"{path.parent.name}/{path.name}"
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{file}: got more than {MAX_CONFIG_BYTES} bytes, want fewer")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{file}:{line}: got bytes that are not UTF-8, want text") from None
    return config_of(text, path.parent.name, file)


def config_of(text: str, folder: str, file: str) -> ModelConfig:
    """What the text of a config.pbtxt says.

    Args:
        text: The text.
        folder: The name of the model's folder.
        file: What messages call the file.

    Returns:
        The configuration.

    Raises:
        ConfigError: As ``read_config``.
    """
    fields = TypedFields(parse(text, file), file)
    name = fields.text("name", folder)
    if name != folder:
        raise fields.wrong("name", repr(name), f"the name of its folder, {folder!r}")
    _check_platform(fields)
    max_batch_size = fields.integer("max_batch_size", 0, 0, MAX_INT32)
    if max_batch_size > _MAX_ROWS:
        raise fields.wrong("max_batch_size", str(max_batch_size), f"0 to {_MAX_ROWS}")
    inputs = _read_tensors(fields, "input")
    outputs = _read_tensors(fields, "output")
    max_rows = max_batch_size or _rows_of_shapes(inputs)
    dynamic = fields.message("dynamic_batching")
    batching = unmerged(max_rows) if dynamic is None else read_batching(dynamic, max_rows)
    instances = read_instances(fields)
    fields.finish(_LEFT_ALONE)
    return ModelConfig(
        name=name,
        file=file,
        max_batch_size=max_batch_size,
        inputs=inputs,
        outputs=outputs,
        batching=batching,
        instances=instances,
    )


def _check_platform(fields: TypedFields) -> None:
    for name, want in (("platform", "onnxruntime_onnx"), ("backend", "onnxruntime")):
        got = fields.text(name)
        if got not in ("", want):
            raise fields.wrong(name, repr(got), f"{want!r}: only ONNX models are served")


def _read_tensors(fields: TypedFields, kind: str) -> tuple[TensorConfig, ...]:
    tensors: list[TensorConfig] = []
    for tensor in fields.messages(kind):
        name = tensor.text("name")
        if not name:
            raise tensor.wrong("name", "none", f"the name of an {kind}")
        if name in (other.name for other in tensors):
            raise tensor.wrong("name", f"{name!r} again", f"each {kind} once")
        datatype = tensor.word("data_type", "", DATATYPES)
        if not datatype:
            raise tensor.wrong("data_type", "none", "a type such as TYPE_FP32")
        dims = tuple(tensor.integers("dims", -1, 2**40))
        if 0 in dims:
            raise tensor.wrong("dims", "0", "sizes of 1 and more, or -1")
        tensor.finish(_TENSOR_LEFT_ALONE)
        tensors.append(TensorConfig(name, DATATYPES[datatype], dims, tensor.line))
    return tuple(tensors)


def _rows_of_shapes(inputs: tuple[TensorConfig, ...]) -> int:
    first = {tensor.dims[0] for tensor in inputs if tensor.dims}
    return 1 if first == {1} else _ROWS_WITHOUT_A_LIMIT
