"""The C++ part: rounds of Google Benchmark's binaries, and the processes that show memory.

A round runs each of them once, its benchmarks in an order that Google Benchmark draws anew, so that
a value of ours and one of prometheus-cpp's of the same round saw the same machine. Two threads that
did not run at the same time, because other work took a core, would show no contention: those
benchmarks are run again, and of two runs the one with more overlap counts.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Final

from comparison.google_benchmark import FOLDER, one_run
from comparison.progress import say
from comparison.samples import Collected

from telemetry_parts.who import CORE, CPP

ROUNDS: Final = 9
MEMORY_RUNS: Final = 3
# Binaries, which of their benchmarks are shown, and for how long each of these runs.
RUNS: Final = (
    ("recording_bench", "threads:1|KnownSeries", 0.1),
    ("recording_bench", "threads:2", 0.1),
    ("render_bench", "Counters", 0.05),
    ("recorder_bench", "record_batch_of/(1|16|64)$", 0.05),
)
ENOUGH_OVERLAP: Final = 0.9
MEMORY: Final = {CORE: ("counter", "histogram", "native"), CPP: ("counter", "histogram")}


@dataclass(frozen=True)
class Measured:
    """One benchmark of one run."""

    ns: float  # of an operation, as its thread sees it
    overlap: float  # the share of the time in which its threads had a core


def speed(binary: str, shown: str, seconds: float) -> dict[str, Measured]:
    """What a run of a binary gave, by the name of the benchmark."""
    measured: dict[str, Measured] = {}
    for name, line in one_run(binary, shown, seconds).items():
        # Google Benchmark divides the time by the operations of all threads together.
        taken = line["real_time_seconds"] * line["threads"]
        measured[name] = Measured(
            line.get("per_request", taken) * 1e9, line["cpu_time_seconds"] / taken
        )
    return measured


def measure_speed(collected: Collected) -> None:
    """All rounds of all binaries."""
    for number in range(ROUNDS):
        for binary, shown, seconds in RUNS:
            say(f"round {number + 1} of {ROUNDS}: {binary}, {shown}")
            measured = speed(binary, shown, seconds)
            if shown == "threads:2" and any(
                one.overlap < ENOUGH_OVERLAP for one in measured.values()
            ):
                say("... once more: its threads did not run at the same time")
                for name, again in speed(binary, shown, seconds).items():
                    measured[name] = max(measured[name], again, key=lambda one: one.overlap)
            for name, one in measured.items():
                collected.add(name, CPP if "rometheus" in name else CORE, [one.ns])


def measure_memory(collected: Collected) -> None:
    """Bytes a series, each in a process of its own."""
    for who, kinds in MEMORY.items():
        for kind in kinds:
            say(f"memory of a series: {who}, {kind}")
            command = [str(FOLDER / "series_memory"), who.partition(",")[0], kind]
            for _ in range(MEMORY_RUNS):
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                collected.add(f"memory of a {kind}, C++", who, [float(done.stdout)])
