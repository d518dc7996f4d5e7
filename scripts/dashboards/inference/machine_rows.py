"""Rows about what the models run on: GPUs, the process, and its metrics themselves."""

from __future__ import annotations

from dashboards.colours import RED, YELLOW
from dashboards.inference.queries import GPUS
from dashboards.layout import Placed, Row
from dashboards.limits import GPU_BUSY, GPU_MEMORY, GPU_VERY_BUSY, OBJECTIVES
from dashboards.panels import About, dial, lines, number
from dashboards.targets import SERVERS, WINDOW, Query


def gpus() -> Row:
    """The GPUs, if there are any."""
    busy = dial(
        About(
            801,
            "GPU utilization",
            "Share of the time in which the GPU was busy. Green below 50 %, yellow to 80 %, red "
            "above.",
            "percentunit",
            ("HighGPUUtilization",),
        ),
        Query(f"gpu_utilization_ratio{{{GPUS}}}", "GPU {{device_id}}"),
        ((GPU_BUSY, YELLOW), (GPU_VERY_BUSY, RED)),
    )
    memory = lines(
        About(
            802,
            "GPU memory",
            "Share of the GPU's memory that is taken, by all processes.",
            "percent",
            ("GPUMemoryExhausted",),
        ),
        [
            Query(
                f"gpu_memory_used_bytes{{{GPUS}}} / gpu_memory_total_bytes{{{GPUS}}} * 100",
                "GPU {{device_id}}",
            )
        ],
        limits=((GPU_MEMORY * 100, YELLOW), (OBJECTIVES.gpu_memory * 100, RED)),
        highest=100,
    )
    temperature = lines(
        About(803, "GPU temperature", "Temperature of the die.", "celsius"),
        [Query(f"gpu_temperature_celsius{{{GPUS}}}", "GPU {{device_id}}")],
    )
    clock = lines(
        About(
            804,
            "GPU clocks",
            "Present clocks. A clock that falls under load: the GPU is too hot, or at its limit "
            "of power.",
            "hertz",
        ),
        [Query(f"gpu_clock_hertz{{{GPUS}}}", "GPU {{device_id}} {{clock}}")],
    )
    return Row(800, "GPU", tuple(Placed(panel, 6) for panel in (busy, memory, temperature, clock)))


def process() -> Row:
    """The process that serves."""
    cpu = lines(
        About(
            901,
            "CPU",
            "Processors that the process keeps busy: 100 % is one of them.",
            "percentunit",
        ),
        [Query(f"rate(process_cpu_seconds_total{{{SERVERS}}}{WINDOW})", "{{instance}}")],
    )
    memory = lines(
        About(902, "Memory", "Resident memory of the process.", "bytes"),
        [Query(f"process_resident_memory_bytes{{{SERVERS}}}", "{{instance}}")],
    )
    files = lines(
        About(
            903,
            "File descriptors",
            "Share of the file descriptors that the process may open. At 100 % it can accept no "
            "connection.",
            "percentunit",
        ),
        [Query(f"process_open_fds{{{SERVERS}}} / process_max_fds{{{SERVERS}}}", "{{instance}}")],
        highest=1,
    )
    return Row(900, "Process", tuple(Placed(panel, 8) for panel in (cpu, memory, files)))


def metrics() -> Row:
    """Whether the metrics themselves can be trusted."""
    up = number(
        About(
            1001,
            "Servers up",
            "Servers that Prometheus could scrape last time, by version of inferometer.",
            "none",
            ("TritonDown", "InferenceAbsent"),
        ),
        Query(f"sum by (version) (inferometer_build_info{{{SERVERS}}})", "{{version}}"),
        decimals=0,
    )
    scrape = lines(
        About(
            1002,
            "Scrape duration",
            "How long Prometheus waited for the metrics. A server that answers slowly is short of "
            "processors, or stuck.",
            "s",
            ("ScrapeSlow", "TritonDown"),
        ),
        [Query(f"scrape_duration_seconds{{{SERVERS}}}", "{{instance}}")],
        limits=((OBJECTIVES.scrape_duration, RED),),
    )
    series = lines(
        About(1003, "Samples in a scrape", "How many samples a server exposes.", "short"),
        [Query(f"scrape_samples_scraped{{{SERVERS}}}", "{{instance}}")],
    )
    trouble = lines(
        About(
            1004,
            "Trouble with metrics",
            "Series that found no room or clash with others, and collectors that failed, in a "
            "second. Anything but 0 is a fault in the application's own metrics.",
            "cps",
        ),
        [
            Query(
                f"sum(rate(inferometer_dropped_series_total{{{SERVERS}}}{WINDOW}))",
                "series dropped",
            ),
            Query(
                f"sum(rate(inferometer_collector_errors_total{{{SERVERS}}}{WINDOW}))",
                "collector errors",
            ),
        ],
    )
    return Row(1000, "Metrics", tuple(Placed(panel, 6) for panel in (up, scrape, series, trouble)))
