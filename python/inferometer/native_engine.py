"""From options to the arguments of the native engine."""

from __future__ import annotations

from typing import Any, Literal

from inferometer._core import ConfigError
from inferometer.batching import Batching, check_seconds, check_text
from inferometer.faults import Faults
from inferometer.lifetime import replace_earlier
from inferometer.metrics import RegistryOption, resolve_registry


def core_arguments(
    model: Any,
    kind: Literal["native", "arrays", "items"],
    name: str,
    version: str,
    batching: Batching | None,
    specs: list[tuple[str, str, list[int]]],
    latency_objective: float | None,
    registry: RegistryOption,
    replace: bool,
    *,
    native_histograms: bool = False,
    faults: Faults | None = None,
) -> tuple[Any, ...]:
    """What the native engine is made from: checked options.

    Raises:
        ConfigError: Wrong options, or a live engine of this name and version in the registry.
    """
    if batching is None:
        batching = Batching()
    if not isinstance(batching, Batching):
        raise ConfigError(f"batching: got {type(batching).__name__}, want Batching")
    check_text("name", name)
    check_text("version", version)
    if latency_objective is not None:
        check_seconds("latency_objective", latency_objective, "seconds or None")
    if faults is not None and not isinstance(faults, Faults):
        raise ConfigError(f"faults: got {type(faults).__name__}, want Faults or None")
    target = resolve_registry(registry)
    if replace:
        replace_earlier(name, version, target)
    return (
        model,
        kind,
        name,
        version,
        batching.max_batch_size,
        batching.max_queue_delay,
        batching.max_queue_size,
        batching.default_timeout,
        specs,
        latency_objective,
        native_histograms,
        target,
        None if faults is None else faults._core,
    )
