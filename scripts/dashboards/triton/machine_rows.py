"""Rows about what the models run on: GPUs and the machine."""

from __future__ import annotations

from dashboards.colours import RED, YELLOW
from dashboards.layout import Placed, Row
from dashboards.limits import GPU_BUSY, GPU_MEMORY, GPU_VERY_BUSY, OBJECTIVES
from dashboards.panels import About, dial, lines
from dashboards.targets import SERVERS, Query
from dashboards.triton.queries import GPUS


def gpus() -> Row:
    """The GPUs, if there are any."""
    busy = dial(
        About(
            601,
            "GPU utilization",
            "Share of the time in which the GPU was busy. Green below 50 %, yellow to 80 %, red "
            "above.",
            "percentunit",
            ("HighGPUUtilization",),
        ),
        Query(f"nv_gpu_utilization{{{GPUS}}}", "{{gpu_uuid}}"),
        ((GPU_BUSY, YELLOW), (GPU_VERY_BUSY, RED)),
    )
    course = lines(
        About(602, "GPU utilization over time", "The same, over time.", "percentunit"),
        [Query(f"nv_gpu_utilization{{{GPUS}}}", "{{gpu_uuid}}")],
        highest=1,
    )
    memory = lines(
        About(
            603,
            "GPU memory",
            "Share of the GPU's memory that is taken, by all processes.",
            "percent",
            ("GPUMemoryExhausted",),
        ),
        [
            Query(
                f"nv_gpu_memory_used_bytes{{{GPUS}}} / nv_gpu_memory_total_bytes{{{GPUS}}} * 100",
                "{{gpu_uuid}}",
            )
        ],
        limits=((GPU_MEMORY * 100, YELLOW), (OBJECTIVES.gpu_memory * 100, RED)),
        highest=100,
    )
    power = lines(
        About(604, "GPU power", "What the GPU draws, and what it may draw at most.", "watt"),
        [
            Query(f"nv_gpu_power_usage{{{GPUS}}}", "{{gpu_uuid}} draws"),
            Query(f"nv_gpu_power_limit{{{GPUS}}}", "{{gpu_uuid}} limit"),
        ],
    )
    return Row(600, "GPU", tuple(Placed(panel, 6) for panel in (busy, course, memory, power)))


def machine() -> Row:
    """The machine below, and how well it can be watched."""
    cpu = lines(
        About(
            701, "CPU utilization", "Busy share of all processors of the machine.", "percentunit"
        ),
        [Query(f"nv_cpu_utilization{{{SERVERS}}}", "{{instance}}")],
        highest=1,
    )
    used = f"nv_cpu_memory_used_bytes{{{SERVERS}}} / nv_cpu_memory_total_bytes{{{SERVERS}}}"
    memory = lines(
        About(702, "CPU memory", "Share of the machine's memory that is taken.", "percentunit"),
        [Query(used, "{{instance}}")],
        highest=1,
    )
    scrape = lines(
        About(
            703,
            "Scrape duration",
            "How long Prometheus waited for the metrics. A server that answers slowly is short of "
            "processors, or stuck.",
            "s",
            ("ScrapeSlow", "TritonDown"),
        ),
        [Query(f"scrape_duration_seconds{{{SERVERS}}}", "{{instance}}")],
        limits=((OBJECTIVES.scrape_duration, RED),),
    )
    return Row(700, "Machine", tuple(Placed(panel, 8) for panel in (cpu, memory, scrape)))
