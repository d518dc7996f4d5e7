"""The core's metric catalogue as typed data, for what is checked against it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, cast

MetricType = Literal["counter", "gauge", "histogram"]

# What a family's name ends with, without _total, to the unit of its values.
_UNITS_BY_SUFFIX = {
    "_seconds": "seconds",
    "_secs": "seconds",
    "_us": "microseconds",
    "_bytes": "bytes",
    "_ratio": "ratio",
    "_utilization": "ratio",
    "_celsius": "celsius",
    "_hertz": "hertz",
}

# Metrics whose name does not say their unit. A metric of the catalogue that is neither here nor
# ends with a suffix from above is an error, so that a new one is not forgotten.
_UNITS_BY_NAME = {
    "inference_requests_total": "count",
    "inference_batch_size": "count",
    "inference_batches_total": "count",
    "inference_queue_depth": "count",
    "inference_queue_limit": "count",
    "inference_in_flight": "count",
    "inference_requests_within_objective_total": "count",
    "inference_padding_elements_total": "count",
    "inference_elements_total": "count",
    "inferometer_device_errors_total": "count",
    "inferometer_dropped_series_total": "count",
    "inferometer_collector_errors_total": "count",
    "inferometer_python_collectors_stale": "flag",
    "inferometer_build_info": "flag",
    "nv_inference_request_success": "count",
    "nv_inference_request_failure": "count",
    "nv_inference_count": "count",
    "nv_inference_exec_count": "count",
    "nv_inference_pending_request_count": "count",
    "nv_gpu_power_usage": "watts",
    "nv_gpu_power_limit": "watts",
    "nv_energy_consumption": "joules",
    "process_open_fds": "count",
    "process_max_fds": "count",
}

# Lowest and highest value where it is not 0 to infinity, or 0 to 1 for ratios and flags.
_RANGES = {
    "inference_batch_size": (1.0, math.inf),
    "inference_queue_limit": (1.0, math.inf),
    "inferometer_build_info": (1.0, 1.0),
    "gpu_temperature_celsius": (-50.0, 150.0),  # what a working die can have
}

# A metric that is a part of another one with the same labels: their ratio is within 0 to 1.
_PART_OF = {
    "gpu_memory_used_bytes": "gpu_memory_total_bytes",
    "nv_gpu_memory_used_bytes": "nv_gpu_memory_total_bytes",
    "nv_cpu_memory_used_bytes": "nv_cpu_memory_total_bytes",
    "inference_requests_within_objective_total": "inference_requests_total",
    "inference_padding_elements_total": "inference_elements_total",
    "process_open_fds": "process_max_fds",
}

# Labels with a closed set of values.
_VALUES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("inference_requests_total", "status"): (
        "success",
        "failure",
        "rejected",
        "timeout",
        "cancelled",
        "shutdown",
        "invalid",
    ),
    ("inference_batches_total", "reason"): (
        "full",
        "preferred",
        "delay",
        "idle",
        "shape",
        "drain",
    ),
    ("inferometer_model_memory_bytes", "kind"): ("weights", "activations", "queue"),
    ("nv_inference_request_failure", "reason"): ("OTHER", "BACKEND", "CANCELED", "REJECTED"),
    ("gpu_clock_hertz", "clock"): ("sm", "memory"),
}


@dataclass(frozen=True)
class CatalogueMetric:
    """One metric that the library itself emits.

    Attributes:
        name: As exposed: counters of ours end in ``_total``.
        type: Its type.
        unit: ``seconds``, ``microseconds``, ``bytes``, ``ratio`` (0 to 1), ``celsius``, ``hertz``,
            ``watts``, ``joules``, ``count`` or ``flag`` (0 or 1); of a histogram that of what is
            observed.
        low: The lowest possible value, of a histogram of what is observed.
        high: The highest possible value.
        labels: Its labels, without those that Prometheus adds.
        edges: A histogram's finite bucket edges, ascending; else empty.
        values: The values of those labels that have a closed set of them; of ``le`` as they are
            written.
        part_of: The metric of which this one can only be a part, if there is one.
        help: Its HELP text.
        when: When it counts or what it holds.
    """

    name: str
    type: MetricType
    unit: str
    low: float
    high: float
    labels: tuple[str, ...]
    edges: tuple[float, ...]
    values: Mapping[str, tuple[str, ...]]
    part_of: str | None
    help: str
    when: str


def unit_by_suffix(name: str) -> str | None:
    """The unit that a metric's name ends with; None if it says none."""
    stem = name.removesuffix("_total")
    return next((unit for suffix, unit in _UNITS_BY_SUFFIX.items() if stem.endswith(suffix)), None)


def _unit(name: str) -> str:
    unit = _UNITS_BY_NAME.get(name) or unit_by_suffix(name)
    if unit is None:
        raise LookupError(f"{name}: got no unit, want one in {__name__}")
    return unit


@cache
def catalogue() -> Mapping[str, CatalogueMetric]:
    """Every metric of the core by its name, in the order of ``/metrics``.

    Raises:
        LookupError: If the core has a metric whose unit is neither in its name nor known here.
    """
    from inferometer import _core  # native, so only when asked for

    metrics: dict[str, CatalogueMetric] = {}
    for name, kind, labels, bounds, help_text, when in _core.catalogue():
        unit = _unit(name)
        low, high = _RANGES.get(name, (0.0, 1.0 if unit in ("ratio", "flag") else math.inf))
        edges = tuple(edge for edge in map(float, bounds) if math.isfinite(edge))
        values = {label: _VALUES[name, label] for label in labels if (name, label) in _VALUES}
        if bounds:
            values["le"] = tuple(bounds)
        metrics[name] = CatalogueMetric(
            name=name,
            type=cast(MetricType, kind),
            unit=unit,
            low=low,
            high=high,
            labels=tuple(labels),
            edges=edges,
            values=MappingProxyType(values),
            part_of=_PART_OF.get(name),
            help=help_text,
            when=when,
        )
    return MappingProxyType(metrics)
