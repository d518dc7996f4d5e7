"""The numbers at which panels change colour or draw a line."""

from __future__ import annotations

from inferometer.monitoring.objectives import Objectives

# Where alerts begin: dashboards and rules must not disagree.
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
