"""The thresholds of the alerts: one set of numbers for rules, documents and tests."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from inferometer.monitoring.value_checks import check_between, config_error

# The highest finite edge of the latency histograms: no quantile is ever above it.
LATENCY_LIMIT_SECONDS = 60.0


class Range(NamedTuple):
    """What an objective means and which values it may have.

    Attributes:
        text: What it is, for a person.
        unit: "seconds", "a ratio", ...
        low: It is above this.
        high: And below this.
    """

    text: str
    unit: str
    low: float
    high: float


def _objective(
    default: float, text: str, unit: str = "a ratio", low: float = 0.0, high: float = 1.0
) -> float:
    value: float = field(default=default, metadata={"range": Range(text, unit, low, high)})
    return value


@dataclass(frozen=True)
class Objectives:
    """Where "good enough" ends. Value type.

    Ratios are from 0 to 1, times in seconds. ``ranges()`` says what each is.

    Raises:
        ConfigError: A number out of its range, or two that contradict each other.
    """

    minimum_request_rate: float = _objective(
        0.1, "requests a second below which ratios and quantiles are not judged", "a rate", 0, 1e6
    )
    error_ratio: float = _objective(0.05, "share of requests that fail: HighErrorRate")
    latency_warning: float = _objective(
        2.0, "P95 latency: HighInferenceLatencyWarning", "seconds", 0, LATENCY_LIMIT_SECONDS
    )
    latency_critical: float = _objective(
        5.0, "P95 latency: HighInferenceLatency", "seconds", 0, LATENCY_LIMIT_SECONDS
    )
    availability: float = _objective(
        0.999,
        "share of requests that shall succeed; the rest is the budget: ErrorBudgetBurn*",
    )
    fast_burn: float = _objective(
        14.4, "times the budget's pace, over 1 h and 5 m: ErrorBudgetBurnFast", "a factor", 1, 1e6
    )
    slow_burn: float = _objective(
        6.0, "times the budget's pace, over 6 h and 30 m: ErrorBudgetBurnSlow", "a factor", 1, 1e6
    )
    queue_age: float = _objective(
        1.0, "age of the oldest request that waits: RequestQueueBacklog", "seconds", 0, math.inf
    )
    queue_saturation: float = _objective(
        0.8, "waiting requests as a share of the queue's limit: QueueSaturated"
    )
    busy_ratio: float = _objective(
        0.7, "share of the time above which a model instance is busy: LowBatchingEfficiency"
    )
    batching_efficiency: float = _objective(
        0.5, "1 - batches / requests: LowBatchingEfficiency, while busy"
    )
    gpu_utilization: float = _objective(0.9, "share of the time a GPU works: HighGPUUtilization")
    gpu_memory: float = _objective(0.95, "share of GPU memory in use: GPUMemoryExhausted")
    telemetry_ratio: float = _objective(
        0.01, "recording time as a share of compute time: TelemetryOverheadHigh"
    )
    telemetry_compute: float = _objective(
        1e-4,
        "mean compute of a batch below which the share of recording is not judged",
        "seconds",
        0,
        LATENCY_LIMIT_SECONDS,
    )
    scrape_duration: float = _objective(
        1.0, "mean time that a scrape takes: ScrapeSlow", "seconds", 0, 10
    )

    def __post_init__(self) -> None:
        """Checks the numbers."""
        for name, limits in self.ranges().items():
            check_between(name, getattr(self, name), limits.low, limits.high, limits.unit)
        if self.latency_warning >= self.latency_critical:
            raise config_error(
                "latency_warning",
                self.latency_warning,
                f"less than latency_critical, {self.latency_critical:g}",
            )
        if self.slow_burn >= self.fast_burn:
            raise config_error(
                "slow_burn", self.slow_burn, f"less than fast_burn, {self.fast_burn:g}"
            )
        if self.fast_burn * self.error_budget >= 1:
            raise config_error(
                "fast_burn",
                self.fast_burn,
                f"less than {1 / self.error_budget:g}: with an availability of "
                f"{self.availability:g} even failing always would not be above it",
            )

    @property
    def error_budget(self) -> float:
        """The share of requests that may fail."""
        return round(1 - self.availability, 12)

    @classmethod
    def ranges(cls) -> dict[str, Range]:
        """The names of the objectives in order, with what each is."""
        return {each.name: each.metadata["range"] for each in fields(cls)}
