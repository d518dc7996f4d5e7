"""The numbers at which panels change colour or draw a line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Objectives:
    """Where alerts begin: dashboards and rules must not disagree. Ratios 0 to 1, seconds."""

    error_ratio: float = 0.05
    latency_warning: float = 2.0
    batching_efficiency: float = 0.5
    queue_age: float = 1.0
    queue_saturation: float = 0.8
    gpu_memory: float = 0.95
    telemetry_ratio: float = 0.01
    scrape_duration: float = 1.0


OBJECTIVES = Objectives()
RUNBOOKS = "https://github.com/inferometer/inferometer/blob/main/docs/runbooks"

# What is good, where no alert says what is bad.
P50_SECONDS = 0.1
P95_SECONDS = 0.5
BATCH_SIZE = 2.0
BATCHING_EFFICIENCY = 0.7
GPU_BUSY = 0.5
GPU_VERY_BUSY = 0.8
GPU_MEMORY = 0.8
