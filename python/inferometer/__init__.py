"""Native batching for model inference, with every step measured in native Prometheus metrics.

    import inferometer as im

    engine = im.Engine(model, name="digits", batching=im.Batching(max_batch_size=64))
    answer = engine.infer(rows)                 # threads
    answer = await engine.infer_async(rows)     # asyncio
    body, content_type = im.render_metrics()

numpy is the only runtime dependency; ``inferometer.onnx`` needs the extra ``[onnx]`` and
``inferometer.asgi`` the extra ``[serve]``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from inferometer._core import (
    ClosedError,
    ConfigError,
    Counter,
    DeadlineExceededError,
    DeviceError,
    DTypeError,
    Error,
    Gauge,
    Histogram,
    InjectedFaultError,
    InputError,
    Model,
    ModelError,
    Pending,
    QueueFullError,
    Registry,
    Request,
    ShapeError,
    Timing,
    UnsupportedOperatorError,
    __version__,
)
from inferometer.batched import Batched, batched
from inferometer.batching import Batching, Padding, QueuePolicy, Spec
from inferometer.delay_model import DelayModel
from inferometer.engine import Engine
from inferometer.faults import Faults
from inferometer.listener import MetricsListener, serve_metrics
from inferometer.metrics import NO_METRICS, default_registry, render_metrics
from inferometer.simulation import Arrival, Simulation, simulate

if TYPE_CHECKING:
    from inferometer import asgi, onnx, prometheus

__all__ = [
    "NO_METRICS",
    "Arrival",
    "Batched",
    "Batching",
    "ClosedError",
    "ConfigError",
    "Counter",
    "DTypeError",
    "DeadlineExceededError",
    "DelayModel",
    "DeviceError",
    "Engine",
    "Error",
    "Faults",
    "Gauge",
    "Histogram",
    "InjectedFaultError",
    "InputError",
    "MetricsListener",
    "Model",
    "ModelError",
    "Padding",
    "Pending",
    "QueueFullError",
    "QueuePolicy",
    "Registry",
    "Request",
    "ShapeError",
    "Simulation",
    "Spec",
    "Timing",
    "UnsupportedOperatorError",
    "__version__",
    "asgi",
    "batched",
    "default_registry",
    "onnx",
    "prometheus",
    "render_metrics",
    "serve_metrics",
    "simulate",
]


def __getattr__(name: str) -> Any:
    # Imported when somebody asks for them: the dependencies of the first two are extras, and the
    # last one registers collectors.
    if name in ("asgi", "onnx", "prometheus"):
        return importlib.import_module(f"inferometer.{name}")
    raise AttributeError(f"module 'inferometer' has no attribute {name!r}")
