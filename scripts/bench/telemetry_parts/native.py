"""The C++ part: rounds of Google Benchmark's binaries, and the processes that show memory.

A round runs each binary once, its benchmarks in an order that Google Benchmark draws anew, so that
a value of ours and one of prometheus-cpp's of the same round saw the same machine.
"""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
from pathlib import Path
from typing import Final

from bench_lines import lines
from telemetry_parts.progress import say
from telemetry_parts.samples import CORE, CPP, Collected

FOLDER: Final = Path("build/release/cpp/bench")
REPORT: Final = Path("build/bench/telemetry-round.json")
ROUNDS: Final = 9
MEMORY_RUNS: Final = 3
# Which benchmarks of a binary are shown, and for how long each runs.
BINARIES: Final = {
    "recording_bench": ("Counter|Histogram|KnownSeries", 0.1),
    "render_bench": ("Counters", 0.05),
    "recorder_bench": ("record_batch_of/(1|16|64)$", 0.05),
}
MEMORY: Final = {CORE: ("counter", "histogram", "native"), CPP: ("counter", "histogram")}


def one_run(binary: str, shown: str, seconds: float) -> dict[str, float]:
    """Nanoseconds of an operation, as its thread sees them, by the name of the benchmark."""
    subprocess.run(
        [
            str(FOLDER / binary),
            f"--benchmark_filter={shown}",
            f"--benchmark_min_time={seconds}",
            "--benchmark_enable_random_interleaving=true",
            *shlex.split(os.environ.get("BENCH_OPTIONS", "")),
            f"--benchmark_out={REPORT}",
            "--benchmark_out_format=json",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seconds_of: dict[str, list[float]] = {}
    for line in lines(json.loads(REPORT.read_text(encoding="utf-8"))):
        if "aggregate_name" in line:
            continue
        # Google Benchmark divides the time by the operations of all threads together.
        taken = line.get("per_request", line["real_time_seconds"] * line["threads"])
        seconds_of.setdefault(line["name"], []).append(taken)
    return {name: statistics.median(taken) * 1e9 for name, taken in seconds_of.items()}


def measure_speed(collected: Collected) -> None:
    """All rounds of all binaries."""
    for number in range(ROUNDS):
        for binary, (shown, seconds) in BINARIES.items():
            say(f"round {number + 1} of {ROUNDS}: {binary}")
            for name, nanoseconds in one_run(binary, shown, seconds).items():
                who = CPP if "rometheus" in name else CORE
                collected.add(name, who, [nanoseconds])


def measure_memory(collected: Collected) -> None:
    """Bytes a series, each in a process of its own."""
    for who, kinds in MEMORY.items():
        for kind in kinds:
            say(f"memory of a series: {who}, {kind}")
            command = [str(FOLDER / "series_memory"), who.partition(",")[0], kind]
            for _ in range(MEMORY_RUNS):
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                collected.add(f"memory of a {kind}, C++", who, [float(done.stdout)])
