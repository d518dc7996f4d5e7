"""Telemetry's figures beside prometheus-cpp's and prometheus_client's, measured in one run.

Takes about four minutes. Rounds of ours and the peer's follow one another on the same machine:
microbenchmarks in C++ (telemetry_parts/native.py), calls and texts from Python (calls.py), memory
in fresh processes (memory.py), what another Python thread notices of a rendering (gil.py), and what
scrapes do to the latency of requests (scrape_effect.py). Prints a JSON line for each row, then one
table: medians with their quartiles, ratios of the rounds with theirs, what was to be reached.
docs/performance.md says what each row means. scripts/bench.sh sets up what this needs.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
from typing import Final

from comparison.part import run_part
from comparison.progress import say
from comparison.samples import Collected, significant
from comparison.table import Result, change_of, markdown, result_of
from telemetry_parts import native
from telemetry_parts.rows import CHANGE_ROWS, CPP_ROWS, PYTHON_ROWS
from telemetry_parts.who import APP, BUSY, CLIENT, DROP_IN, HASHING

from run_record import machine

MEMORY: Final = {
    APP: ("counter", "histogram", "native"),
    DROP_IN: ("counter", "histogram"),
    CLIENT: ("counter", "histogram"),
}


def measure_python_memory(collected: Collected) -> None:
    """Bytes a series, each in a process of its own."""
    for who, kinds in MEMORY.items():
        for kind in kinds:
            say(f"memory of a series: {who}, {kind}")
            for _ in range(native.MEMORY_RUNS):
                done = subprocess.run(
                    [sys.executable, "-m", "telemetry_parts.memory", who, kind],
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                collected.add(f"memory of a {kind}, Python", who, [float(done.stdout)])


def scrape_remarks(collected: Collected) -> list[str]:
    """What other paces of scraping mean."""
    remarks = []
    for who in (APP, BUSY, CLIENT):
        took, share, median, p99, often, usual = (
            statistics.median(collected.get(what, who))
            for what in (
                "scrape",
                "requests touched by a scrape",
                "P50 of touched requests",
                "P99 of touched requests",
                "change of P99 by a scrape every 0.1 s",
                "change of P99 by a scrape every 15 s",
            )
        )
        remarks.append(
            f"{who}: {significant(took)} ms each; {significant(share)} % of the requests ran beside"
            f" one, P50 {median:,.0f} µs, P99 {p99:,.0f} µs. Computed from these, P99 would change"
            f" by {often:+.2f} % with a scrape every 100 ms, {usual:+.2f} % every 15 seconds"
        )
    return remarks


def main() -> None:
    """Measures everything and shows it."""
    before = machine()
    collected = Collected()
    native.measure_speed(collected)
    run_part("telemetry_parts.calls", collected)
    native.measure_memory(collected)
    measure_python_memory(collected)
    run_part("telemetry_parts.gil", collected)
    run_part("telemetry_parts.scrape_effect", collected)

    in_cpp = [result_of(row, collected) for row in CPP_ROWS]
    in_python = [result_of(row, collected) for row in PYTHON_ROWS]
    scraped = [change_of(row, collected) for row in CHANGE_ROWS]
    for result in (*in_cpp, *in_python, *scraped):
        print(json.dumps(dataclasses.asdict(result), ensure_ascii=False))
    show(in_cpp, in_python, scraped, before)
    loop_ns = statistics.median(collected.get("nothing", APP))
    print(f"- timeit's own loop, which is in every call from Python: {loop_ns:.1f} ns")
    stood_still = statistics.median(collected.get("stood still", HASHING))
    print(f"- a thread's longest stand-still beside hashing: {significant(stood_still)} ms")
    for remark in scrape_remarks(collected):
        print(f"- scrapes, {remark}")


def prometheus_cpp_version() -> str:
    """As the installed package says, where one does."""
    try:
        return subprocess.run(
            ["pkg-config", "--modversion", "prometheus-cpp-core"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def show(
    in_cpp: list[Result], in_python: list[Result], scraped: list[Result], before: dict[str, object]
) -> None:
    """Prints the table."""
    client = f"prometheus_client {importlib.metadata.version('prometheus_client')}"
    core = f"prometheus-cpp {prometheus_cpp_version()}".strip()
    print(
        f"\n{before['cores']} x {before['cpu']}, Python {platform.python_version()}, load average"
        f" {before['load_average_before']:.1f} before and {os.getloadavg()[0]:.1f} after.\n"
        "Medians with their quartiles; changes with the median's 95 % interval.\n"
    )
    print(markdown(f"C++; the peer is {core}", in_cpp), end="\n\n")
    print(markdown(f"Python; the peer is {client}", in_python), end="\n\n")
    print(markdown("P99 of infer_async(), 10,000 series scraped every second", scraped), end="\n\n")


if __name__ == "__main__":
    main()
