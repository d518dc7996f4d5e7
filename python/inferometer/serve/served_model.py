"""One model of a service: its engine, what requests to it look like, its faults."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from inferometer._core import Error, Pending
from inferometer.batching import Batching, Spec
from inferometer.delay_model import DelayModel
from inferometer.device_list import devices
from inferometer.engine import Engine
from inferometer.faults import Faults
from inferometer.onnx import load
from inferometer.repository import RepositoryModel, check_agreement
from inferometer.repository.instance_groups import Instances
from inferometer.serve.infer_request import InferRequest
from inferometer.serve.number_arrays import Array

# Rows of one number each: whose answer is whose can be seen.
_DELAY_INPUTS = (Spec("x", "float32", (-1, 1)),)


class ServedModel:
    """A model that is loaded and served. Lives until its engine is closed.

    ``submit`` belongs to one event loop; the rest is thread-safe.

    Args:
        engine: Who runs it; the model declares its inputs.
        output_names: What it gives.
        batching: As the engine's.
        faults: Those of the engine, if it has any.
    """

    def __init__(
        self,
        engine: Engine,
        output_names: Sequence[str],
        batching: Batching,
        faults: Faults | None,
    ) -> None:
        self.engine = engine
        self.name = engine.name
        self.version = engine.version
        self.inputs = engine.inputs
        self.output_names = tuple(output_names)
        self.batching = batching
        self.faults = faults
        self.max_rows = batching.max_batch_size
        self.priority_levels = batching.priority_levels

    @property
    def ready(self) -> bool:
        """Whether it accepts requests."""
        return self.engine.ready

    @property
    def serves(self) -> str:
        """How it batches, in words."""
        rows = f"up to {self.max_rows} rows a batch"
        if not self.batching.merge_requests:
            return f"{rows}, each request by itself (no dynamic_batching)"
        if delay := self.batching.max_queue_delay:
            return f"{rows}, waiting up to {delay * 1000:g} ms for company"
        return f"{rows}, sent when an instance is free"

    def submit(self, request: InferRequest) -> Pending[dict[str, Array]]:
        """Starts a request.

        Args:
            request: One that fits this model.

        Returns:
            To be awaited, or cancelled: all outputs by name. The errors are those of
            ``Engine.infer``.
        """
        return self.engine.infer_async(
            request.inputs, timeout=request.timeout, priority=request.priority
        )

    def count_invalid(self) -> None:
        """Counts a request that was refused before the engine saw it, as the engine counts its own.

        The engine counts what it refuses, and it refuses a request without inputs.
        """
        with contextlib.suppress(Error):
            self.engine.submit({})

    def close(self) -> None:
        """Ends what is left and lets go of the model."""
        self.engine.close()


def load_model(model: RepositoryModel, with_faults: bool) -> ServedModel:
    """Loads a model of a repository.

    Args:
        model: Which.
        with_faults: Whether faults can be injected into it.

    Returns:
        The model, ready.

    Raises:
        Error: It cannot be loaded, or is not what its config.pbtxt describes.
    """
    config = model.config
    gpus = _gpus_of(config.instances)
    native = load(model.path, device=f"cuda:{gpus[0]}" if gpus else config.instances.device)
    check_agreement(config, native.inputs, native.outputs, native.max_rows)
    faults = Faults() if with_faults else None
    engine = Engine(
        native,
        name=model.name,
        version=model.version,
        batching=config.batching,
        instances=config.instances.count,
        devices=gpus,
        faults=faults,
    )
    outputs = [name for name, _, _ in native.outputs]
    return ServedModel(engine, outputs, config.batching, faults)


def _gpus_of(instances: Instances) -> list[int] | None:
    if instances.device != "cuda":
        return None
    if instances.gpus:
        return list(instances.gpus)
    there = [device for device in devices() if device.name.startswith("cuda:")]
    return list(range(len(there))) or None  # without any, loading says why


def delay_model(name: str, seconds: float) -> ServedModel:
    """A model of a programmable cost, for drills: it answers rows of one number with themselves.

    Args:
        name: Its name.
        seconds: What every batch takes.

    Returns:
        The model, ready, with faults.

    Raises:
        ConfigError: There is a model of this name, or the time is none.
    """
    faults, batching = Faults(), Batching()
    engine = Engine(
        DelayModel(seconds, inputs=_DELAY_INPUTS), name=name, batching=batching, faults=faults
    )
    outputs = [spec.name for spec in _DELAY_INPUTS]
    return ServedModel(engine, outputs, batching, faults)
