"""inferometer.prometheus beside prometheus_client, in one process: recording, writing, memory.

Prints a JSON line for each operation: nanoseconds a call for both, the fastest of several repeats
(the loop's own time is in it, about 7 ns), milliseconds for the text of 10,000 counters with two
labels and their creation times (20,000 samples), and bytes of resident memory for each of them.
"""

from __future__ import annotations

import gc
import json
import os
import timeit
from pathlib import Path
from typing import Any

import prometheus_client

from inferometer import prometheus

# Many short repeats: the fastest are those that nothing else on the machine disturbed.
REPEATS = 300
CALLS = 5_000
TEXT_REPEATS = 10
SERIES = 10_000

STATEMENTS = {
    "counter.inc()": "counter.inc()",
    "counter.inc(2.0)": "counter.inc(2.0)",
    "gauge.set(3.0)": "gauge.set(3.0)",
    "summary.observe(0.3)": "summary.observe(0.3)",
    "histogram.observe(0.3)": "histogram.observe(0.3)",
    "labels(a, b).inc()": "labelled.labels('GET', '200').inc()",
    "labels(a=a, b=b).inc()": "labelled.labels(method='GET', code='200').inc()",
    "counter.inc(exemplar=...)": "counter.inc(exemplar={'trace_id': 'abc'})",
}


def metrics(library: Any) -> dict[str, Any]:
    """The metrics that the statements use."""
    labelled = library.Counter("labelled", "", ["method", "code"], registry=None)
    labelled.labels("GET", "200")
    return {
        "counter": library.Counter("c", "", registry=None),
        "gauge": library.Gauge("g", "", registry=None),
        "summary": library.Summary("s", "", registry=None),
        "histogram": library.Histogram("h", "", registry=None),
        "labelled": labelled,
    }


def resident_bytes() -> int:
    """Memory of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def series(library: Any) -> tuple[Any, float]:
    """A registry with many series, and the bytes that each of them takes."""
    registry = library.CollectorRegistry()
    counter = library.Counter("requests", "Requests", ["model", "code"], registry=registry)
    before = resident_bytes()
    for i in range(SERIES):
        counter.labels(f"model-{i // 10}", str(200 + i % 10)).inc()
    return registry, (resident_bytes() - before) / SERIES


def line(name: str, unit: str, ours: float, theirs: float) -> None:
    """Prints a result."""
    numbers = {"inferometer": round(ours, 3), "prometheus_client": round(theirs, 3)}
    print(json.dumps({"name": f"drop_in/{name}", "unit": unit, **numbers}), flush=True)


def main() -> None:
    """Measures both in turn."""
    names = {library: metrics(library) for library in (prometheus, prometheus_client)}
    for name, statement in STATEMENTS.items():
        ours, theirs = (
            min(timeit.repeat(statement, globals=scope, number=CALLS, repeat=REPEATS)) / CALLS * 1e9
            for scope in names.values()
        )
        line(name, "ns", ours, theirs)
    registries = {library: series(library) for library in (prometheus, prometheus_client)}
    line("memory of a counter with two labels", "bytes", *(size for _, size in registries.values()))
    ours, theirs = (
        min(
            timeit.repeat(
                "library.generate_latest(registry)",
                globals={"library": library, "registry": registry},
                number=1,
                repeat=TEXT_REPEATS,
            )
        )
        for library, (registry, _) in registries.items()
    )
    line(f"text of {SERIES} counters", "ms", ours * 1e3, theirs * 1e3)


if __name__ == "__main__":
    main()
