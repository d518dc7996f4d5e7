"""From options to the arguments of the native engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from inferometer._core import ConfigError
from inferometer.batching import Batching, check_bool, check_int, check_seconds, check_text
from inferometer.faults import Faults
from inferometer.lifetime import replace_earlier
from inferometer.metrics import RegistryOption, resolve_registry

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_INSTANCES = 1024

# As the native engine's: batches known to take less may run on an event loop's thread.
INLINE_LIMIT = 200e-6


def core_arguments(
    models: list[Any],
    kind: Literal["native", "arrays", "items"],
    name: str,
    version: str,
    batching: Batching | None,
    registry: RegistryOption,
    replace: bool,
    *,
    specs: Sequence[tuple[str, str, list[int]]] = (),
    latency_objective: float | None = None,
    native_histograms: bool = False,
    faults: Faults | None = None,
    caller_runs: bool = True,
    inline_limit: float = INLINE_LIMIT,
    warmup: Iterable[Any] = (),
) -> tuple[Any, ...]:
    """What the native engine is made from: checked options.

    Raises:
        ConfigError: Wrong options, or a live engine of this name and version in the registry.
    """
    checked = check_batching(Batching() if batching is None else batching)
    check_text("name", name)
    check_text("version", version)
    if latency_objective is not None:
        check_seconds("latency_objective", latency_objective, "seconds or None")
    if faults is not None and not isinstance(faults, Faults):
        raise ConfigError(f"faults: got {type(faults).__name__}, want Faults or None")
    check_bool("native_histograms", native_histograms)
    check_bool("caller_runs", caller_runs)
    check_bool("replace", replace)
    check_seconds("inline_limit", inline_limit)
    if not isinstance(warmup, Iterable) or isinstance(warmup, np.ndarray | dict | str):
        raise ConfigError(f"warmup: got {type(warmup).__name__}, want a list of requests")
    target = resolve_registry(registry)
    if replace:
        replace_earlier(name, version, target)
    return (
        models,
        kind,
        name,
        version,
        checked,
        list(specs),
        latency_objective,
        native_histograms,
        target,
        None if faults is None else faults._core,
        caller_runs,
        inline_limit,
        list(warmup),
    )


def check_batching(batching: object) -> Batching:
    """Refuses what is not a Batching.

    Raises:
        ConfigError: If it is none.
    """
    if not isinstance(batching, Batching):
        raise ConfigError(f"batching: got {type(batching).__name__}, want Batching")
    return batching


def check_instances(instances: int) -> int:
    """Refuses what is not a number of instances.

    Raises:
        ConfigError: If it is no int, or out of range.
    """
    check_int("instances", instances)
    if not 1 <= instances <= _MAX_INSTANCES:
        raise ConfigError(f"instances: got {instances}, want 1 to {_MAX_INSTANCES}")
    return instances
