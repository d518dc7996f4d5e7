"""One run of a Google Benchmark binary, as values."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any, Final

from bench_lines import lines

FOLDER: Final = Path("build/release/cpp/bench")
REPORT: Final = Path("build/bench/round.json")


def one_run(binary: str, shown: str, seconds: float) -> dict[str, dict[str, Any]]:
    """Runs those of its benchmarks that `shown` matches, in an order drawn anew.

    Args:
        binary: Its name in the build.
        shown: A regular expression.
        seconds: For which each benchmark runs at least.

    Returns:
        Of each benchmark, by its name, what `bench_lines` says of it.
    """
    REPORT.parent.mkdir(parents=True, exist_ok=True)
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
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    return {line["name"]: line for line in lines(report)}
