"""Making the native engine from options."""

from __future__ import annotations

from typing import Any, Final, Literal

from inferometer import _core
from inferometer._core import ConfigError
from inferometer.batching import Batching, check_seconds, check_text, not_there_yet
from inferometer.faults import Faults
from inferometer.lifetime import replace_earlier
from inferometer.metrics import RegistryOption, resolve_registry

_NOT_THERE_YET: Final = (
    "preferred_batch_sizes",
    "max_queue_bytes",
    "priority_levels",
    "default_priority_level",
    "default_queue_policy",
    "priority_queue_policy",
    "padding",
)


def make_core(
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
) -> _core.Engine:
    """Makes the native engine from checked options.

    Raises:
        ConfigError: Wrong options, or a live engine of this name and version in the registry.
    """
    if batching is None:
        batching = Batching()
    if not isinstance(batching, Batching):
        raise ConfigError(f"batching: got {type(batching).__name__}, want Batching")
    for option in _NOT_THERE_YET:
        not_there_yet(option, getattr(batching, option), getattr(Batching(), option))
    check_text("name", name)
    check_text("version", version)
    if latency_objective is not None:
        check_seconds("latency_objective", latency_objective, "seconds or None")
    if faults is not None and not isinstance(faults, Faults):
        raise ConfigError(f"faults: got {type(faults).__name__}, want Faults or None")
    target = resolve_registry(registry)
    if replace:
        replace_earlier(name, version, target)
    return _core.Engine(
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
