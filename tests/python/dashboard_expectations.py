"""What each panel must show of the load that loaded_engines.py makes.

Bounds are wide, for machines that are slow or busy with other things, but no wider than a factor of
ten thousand: a wrong unit, a wrong scale or a forgotten rate() falls out of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboard_queries import Expected, expected
from loaded_engines import MODELS

GPUS = ("GPU-11111111-2222-3333-4444-555555555555", "GPU-66666666-7777-8888-9999-000000000000")
# A script of the fake NVML: what the two GPUs answer.
NVML_SCRIPT = f"""\
[gpu]
uuid = {GPUS[0]}
utilization = 37
memory_total = 150754820096
memory_used = 75377410048
power_usage = 71337
power_limit = 700000
energy = 123456789
sm_clock = 1980
memory_clock = 3201
temperature = 41

[gpu]
uuid = {GPUS[1]}
utilization = 92
memory_total = 150754820096
memory_used = 15075482009
power_usage = 350000
power_limit = 700000
energy = 5
sm_clock = 1200
memory_clock = 3201
temperature = 77
"""
STATUSES = ("cancelled", "failure", "invalid", "rejected", "shutdown", "success", "timeout")
TRITON_REASONS = ("BACKEND", "CANCELED", "OTHER", "REJECTED")
BATCH_REASONS = ("delay", "drain", "full", "idle", "preferred", "shape")
SECONDS = (
    *(25e-6, 50e-6, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.0, 2.5, 5.0, 10.0, 30.0, 60.0, float("inf")),
)
ROWS = (*(float(2**power) for power in range(11)), float("inf"))
# The slowest answer that still is one, in milliseconds: a machine may be busy with other things.
SLOWEST_MS = 5000
# Of all requests in a second; the load aims at 390.
RATE = 1200.0
REQUESTS = 500_000.0


def _each(names: Sequence[str], suffix: str) -> list[str]:
    return [f"{name}{suffix}" for name in names]


def _bounds(numbers: Sequence[float], factor: float = 1) -> list[str]:
    """Buckets by their bounds."""
    return [str(float(f"{number * factor:.9g}")) for number in numbers]


def triton(instance: str) -> dict[str, list[Expected]]:
    """By title, one for each query of the panel."""
    ms = [expected(1, SLOWEST_MS, name) for name in ("P50", "P95", "P99")]
    return {
        "Servers up": [expected(0, 1, "up")],
        "Requests answered": [expected(50, REQUESTS, "answered")],
        "Requests failed": [expected(5, REQUESTS, "failed")],
        "Executions": [expected(20, REQUESTS, "executions")],
        "Batching efficiency": [expected(10, 95, "efficiency")],
        "Request rate by outcome": [
            expected(5, RATE, "success"),
            expected(0.5, RATE, "failure"),
        ],
        "Request rate by model": [expected(0.5, RATE, *MODELS)],
        "Failures by reason": [expected(0, RATE, *TRITON_REASONS)],
        "Latency P50, P95, P99": ms,
        "Latency distribution": [expected(0, 100_000, *_bounds(SECONDS, 1e6))],
        "Where the time goes": [
            expected(1, SLOWEST_MS, "queue"),
            expected(0, 100, "input", idle=True),
            expected(1, SLOWEST_MS, "model"),
            expected(0, 100, "output"),
        ],
        "Average batch size": [expected(1, 8, *MODELS)],
        "Queue time by model": [expected(0.1, SLOWEST_MS, *MODELS)],
        "Compute time by model": [expected(0, 10_000, *MODELS)],
        "Requests waiting": [expected(0, 1024, *MODELS, idle=True)],
        "Models": [
            expected(0.5, RATE, *MODELS),
            expected(0, RATE, *MODELS),
            expected(1, SLOWEST_MS, *MODELS),
            expected(0.1, SLOWEST_MS, *MODELS),
            expected(0, 10_000, *MODELS),
            expected(-50, 95, *MODELS),
            expected(0, 1024, *MODELS, idle=True),
            expected(0, 60, *MODELS),
        ],
        "GPU utilization": [expected(0.37, 0.92, *GPUS)],
        "GPU utilization over time": [expected(0.37, 0.92, *GPUS)],
        "GPU memory": [expected(9.99, 50.01, *GPUS)],
        "GPU power": [
            expected(71.3, 350.1, *_each(GPUS, " draws")),
            expected(700, 700, *_each(GPUS, " limit")),
        ],
        "CPU utilization": [expected(0, 1, instance)],
        "CPU memory": [expected(0.001, 1, instance)],
        "Scrape duration": [expected(0, 10, instance)],
    }


def inference(instance: str) -> dict[str, list[Expected]]:
    """By title, one for each query of the panel."""
    return {
        "Requests": [expected(5, RATE, "requests")],
        "Errors": [expected(0.01, 0.95, "errors")],
        "P95 latency": [expected(0.001, SLOWEST_MS / 1000, "P95")],
        "Batching efficiency": [expected(10, 95, "efficiency")],
        "Executing": [expected(0, 100, "executing", idle=True)],
        "Request rate by outcome": [expected(0, RATE, *STATUSES)],
        "Request rate by model": [expected(0.5, RATE, *MODELS)],
        "Error ratio by model": [expected(0, 0.99, *MODELS)],
        "Latency P50, P95, P99": [
            expected(0.001, SLOWEST_MS / 1000, name) for name in ("P50", "P95", "P99")
        ],
        "Latency distribution": [expected(0, 100_000, *_bounds(SECONDS))],
        "P95 latency by model": [expected(0.001, SLOWEST_MS / 1000, *MODELS)],
        "Queue time by model": [expected(1e-4, SLOWEST_MS / 1000, *MODELS)],
        "Compute time by model": [expected(1e-6, 10, *MODELS)],
        "Within the objective": [expected(0, 1, "steady")],
        "Average batch size": [expected(1, 8, *MODELS)],
        "Batch size distribution": [expected(0, 100_000, *_bounds(ROWS))],
        "Batches by reason": [expected(0, RATE, *BATCH_REASONS)],
        "Requests waiting": [expected(0, 1024, *MODELS, idle=True)],
        "Queue fill": [expected(0, 1, *MODELS, idle=True)],
        "Oldest request that waits": [expected(0, 60, *MODELS, idle=True)],
        "Busy instances": [expected(0, 1.2, *_each(MODELS, " 0"))],
        "Wasted time": [expected(0, 0.9, *MODELS)],
        "Padding": [expected(0.01, 0.6, "padded")],
        "Telemetry overhead": [expected(0, 0.5, *MODELS)],
        "Model memory": [
            expected(
                0,
                1e9,
                *(
                    f"{model} {kind}"
                    for model in MODELS
                    for kind in ("activations", "queue", "weights")
                ),
            )
        ],
        "Models": [
            expected(0.5, RATE, *MODELS),
            expected(0, 0.99, *MODELS),
            expected(0.001, SLOWEST_MS / 1000, *MODELS),
            expected(1e-4, SLOWEST_MS / 1000, *MODELS),
            expected(1e-6, 10, *MODELS),
            expected(1, 8, *MODELS),
            expected(0, 95, *MODELS),
            expected(0, 1024, *MODELS, idle=True),
            expected(8, 1024, *MODELS),
            expected(0, 1, "steady"),
        ],
        "GPU utilization": [expected(0.37, 0.92, "GPU 0", "GPU 1")],
        "GPU memory": [expected(9.99, 50.01, "GPU 0", "GPU 1")],
        "GPU temperature": [expected(41, 77, "GPU 0", "GPU 1")],
        "GPU clocks": [
            expected(
                1.2e9,
                3.201e9,
                *(f"GPU {index} {clock}" for index in (0, 1) for clock in ("sm", "memory")),
            )
        ],
        "CPU": [expected(0, 16, instance)],
        "Memory": [expected(1e6, 1e11, instance)],
        "File descriptors": [expected(1e-7, 1, instance)],
        "Servers up": [expected(1, 1, _version())],
        "Scrape duration": [expected(0, 10, instance)],
        "Samples in a scrape": [expected(0, 100_000, instance)],
        "Trouble with metrics": [
            expected(0, 0, "series dropped", idle=True),
            expected(0, 0, "collector errors", idle=True),
        ],
    }


def _version() -> str:
    import inferometer

    return inferometer.__version__
