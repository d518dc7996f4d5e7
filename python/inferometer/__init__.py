"""Native batching for model inference, with every step measured in native Prometheus metrics.

    import inferometer as im

    engine = im.Engine(model, name="digits", batching=im.Batching(max_batch_size=64))
    answer = engine.infer(rows)                 # threads
    answer = await engine.infer_async(rows)     # asyncio
    body, content_type = im.render_metrics()

Importing the package loads nothing: the native module and numpy come with the first name that is
used, so use one before you give up the right to read files. numpy is the only runtime dependency;
``inferometer.onnx`` needs the extra ``[onnx]`` and ``inferometer.asgi`` the extra ``[serve]``.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inferometer import asgi, onnx, prometheus
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
    from inferometer.device_list import Device, devices
    from inferometer.engine import Engine
    from inferometer.faults import Faults
    from inferometer.listener import MetricsListener, serve_metrics
    from inferometer.metrics import NO_METRICS, default_registry, render_metrics
    from inferometer.simulation import Arrival, Simulation, simulate

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
    "Device",
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
    "devices",
    "onnx",
    "prometheus",
    "render_metrics",
    "serve_metrics",
    "simulate",
]


# Where each name is that is not the core's.
_FROM = {
    "NO_METRICS": "metrics",
    "Arrival": "simulation",
    "Batched": "batched",
    "Batching": "batching",
    "DelayModel": "delay_model",
    "Device": "device_list",
    "Engine": "engine",
    "Faults": "faults",
    "MetricsListener": "listener",
    "Padding": "batching",
    "QueuePolicy": "batching",
    "Simulation": "simulation",
    "Spec": "batching",
    "batched": "batched",
    "default_registry": "metrics",
    "devices": "device_list",
    "render_metrics": "metrics",
    "serve_metrics": "listener",
    "simulate": "simulation",
}
_MODULES = frozenset(
    {
        *("_core", "asgi", "awaited", "batching", "delay_model", "engine", "faults", "lifetime"),
        *("listener", "metrics", "native_engine", "onnx", "prometheus", "simulation", "tracing"),
    }
)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"inferometer.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'inferometer' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"inferometer.{_FROM.get(name, '_core')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})


class _Package(ModuleType):
    """The import system makes each submodule an attribute; one has the name of a function."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "batched" and isinstance(value, ModuleType):
            value = value.batched
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
