"""The JSON body of an inference request of KServe v2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from inferometer.batching import Spec
from inferometer.serve.errors import MisfitError, bad_request
from inferometer.serve.json_reader import JsonError, read_json
from inferometer.serve.limits import Limits
from inferometer.serve.number_arrays import Array
from inferometer.serve.tensors import check_names, read_tensor

_MAX_UINT64 = 2**64 - 1
# The engine's longest time; a longer timeout is as good as none.
_MAX_TIMEOUT_US = 3_600_000_000

# Parameters of a tensor that say that its data is elsewhere, or wanted in another form.
_NOT_SUPPORTED = (
    "binary_data_size",
    "classification",
    "shared_memory_byte_size",
    "shared_memory_offset",
    "shared_memory_region",
)


class Model(Protocol):
    """What reading a request needs to know of its model."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def inputs(self) -> Sequence[Spec]:
        """What it takes."""
        ...

    @property
    def output_names(self) -> Sequence[str]:
        """What it gives."""
        ...

    @property
    def max_rows(self) -> int:
        """Rows in one request at most."""
        ...

    @property
    def priority_levels(self) -> int:
        """How many there are."""
        ...


@dataclass(frozen=True, slots=True)
class InferRequest:
    """A request that fits its model.

    Attributes:
        id: The client's own; empty if it gave none.
        inputs: By name.
        rows: How many rows all inputs have.
        outputs: The names of those asked for; empty: all.
        priority: A level, or 0 for the default.
        timeout: Seconds; None: no deadline.
    """

    id: str
    inputs: dict[str, Array]
    rows: int
    outputs: tuple[str, ...]
    priority: int
    timeout: float | None


def read_request(body: bytes, model: Model, limits: Limits) -> InferRequest:
    """Reads a body.

    Args:
        body: JSON.
        model: Whom it is for.
        limits: How deep it may be nested.

    Returns:
        The request.

    Raises:
        RequestError: It is no JSON, no inference request, or does not fit the model.
    """
    try:
        document = read_json(body, limits.json_nesting)
    except JsonError as error:
        raise bad_request(f"failed to parse the request JSON buffer: {error}") from None
    if not isinstance(document, dict):
        raise bad_request("failed to parse the request JSON buffer: want an object")
    request_id = document.get("id", "")
    if not isinstance(request_id, str):
        raise bad_request("Unable to parse 'id': want a string")
    try:
        return _read_document(document, request_id, model)
    except MisfitError as error:
        raise MisfitError(error.text, request_id) from None


def _read_document(document: dict[str, Any], request_id: str, model: Model) -> InferRequest:
    parameters = _object(document.get("parameters", {}), "parameters")
    inputs = _read_inputs(document.get("inputs"), model)
    rows = {len(array) for array in inputs.values()}
    if len(rows) > 1:
        name = next(iter(inputs))
        raise MisfitError(
            f"input '{name}' batch size does not match other inputs for '{model.name}'"
        )
    return InferRequest(
        id=request_id,
        inputs=inputs,
        rows=rows.pop(),
        outputs=_read_outputs(document.get("outputs", []), model),
        priority=_priority(parameters, model.priority_levels),
        timeout=_timeout(parameters),
    )


def _object(got: object, name: str) -> dict[str, Any]:
    if not isinstance(got, dict):
        raise bad_request(f"Unable to parse '{name}': want an object")
    return got


def _entries(got: object, name: str) -> list[tuple[str, dict[str, Any]]]:
    """The tensors of a list, by name."""
    if not isinstance(got, list):
        raise bad_request(f"Unable to parse '{name}': want an array of objects")
    entries = []
    for value in got:
        if not isinstance(value, dict):
            raise bad_request(f"Unable to parse '{name}': want an array of objects")
        tensor = value.get("name")
        if not isinstance(tensor, str):
            raise bad_request(f"Unable to parse 'name' in '{name}': want a string")
        parameters = _object(value.get("parameters", {}), f"parameters of '{tensor}'")
        for parameter in _NOT_SUPPORTED:
            if parameter in parameters:
                raise bad_request(
                    f"'{parameter}' of '{tensor}' is not supported: send 'data' as JSON"
                )
        entries.append((tensor, value))
    return entries


def _read_inputs(got: object, model: Model) -> dict[str, Array]:
    entries = _entries(got, "inputs")
    specs = {spec.name: spec for spec in model.inputs}
    check_names([name for name, _ in entries], list(specs), model.name)
    return {
        name: read_tensor(entry, specs[name], model.name, model.max_rows) for name, entry in entries
    }


def _read_outputs(got: object, model: Model) -> tuple[str, ...]:
    names = [name for name, _ in _entries(got, "outputs")]
    for name in names:
        if name not in model.output_names:
            raise MisfitError(f"unexpected inference output '{name}' for model '{model.name}'")
    return tuple(dict.fromkeys(names))


def _whole(parameters: dict[str, Any], name: str) -> int:
    got = parameters.get(name, 0)
    # bool is an int, and no number here.
    if type(got) is not int or not 0 <= got <= _MAX_UINT64:
        raise bad_request(f"Unable to parse '{name}' in 'parameters': want an unsigned integer")
    return got


def _priority(parameters: dict[str, Any], levels: int) -> int:
    priority = _whole(parameters, "priority")
    return priority if priority <= levels else 0  # Triton, too, takes the default then


def _timeout(parameters: dict[str, Any]) -> float | None:
    timeout_us = _whole(parameters, "timeout")
    return timeout_us / 1e6 if 0 < timeout_us <= _MAX_TIMEOUT_US else None
