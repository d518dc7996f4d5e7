#!/usr/bin/env python3
"""Turns a Google Benchmark JSON file into JSON lines: one object a benchmark, times in seconds.

Usage: scripts/bench_lines.py FILE
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
# Of Google Benchmark's own fields, those that are kept under their own name or not at all.
DROPPED = frozenset(
    {"family_index", "per_family_instance_index", "run_name", "run_type", "repetition_index"}
)


def lines(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields one object a benchmark; user counters keep their names."""
    for entry in report["benchmarks"]:
        unit = UNITS[entry["time_unit"]]
        kept = {key: value for key, value in entry.items() if key not in DROPPED}
        del kept["time_unit"]
        for key in ("real_time", "cpu_time"):
            kept[f"{key}_seconds"] = kept.pop(key) * unit
        yield kept


if __name__ == "__main__":
    for line in lines(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))):
        print(json.dumps(line))
