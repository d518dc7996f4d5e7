"""What a series made from Python takes in memory: resident bytes that many of them add.

    python -m telemetry_parts.memory WHO counter|histogram|native

Run in a fresh process each time, which makes nothing else. All series have two labels; histograms
have 21 bounds and ten observations, `native` ones native buckets too.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from telemetry_parts.who import APP, CLIENT, DROP_IN

COUNTER_FAMILIES: Final = 9
SERIES_OF_A_FAMILY: Final = 10_000
LABELS: Final = ("model", "code")
BOUNDS: Final = tuple(
    digit * 10.0**exponent for exponent in range(-5, 2) for digit in (1.0, 2.5, 5.0)
)
OBSERVATIONS: Final = tuple(0.001 * 2**i for i in range(10))
MODULES: Final = {DROP_IN: "inferometer.prometheus", CLIENT: "prometheus_client"}


def resident_bytes() -> int:
    """Memory of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def maker(who: str, kind: str) -> Callable[[str], Any]:
    """What makes a family with two labels."""
    if who == APP:
        import inferometer as im

        own = im.Registry()
        if kind == "counter":
            return lambda name: own.counter(name, "Help.", LABELS)
        return lambda name: own.histogram(
            name, "Help.", LABELS, BOUNDS, native_histograms=kind == "native"
        )
    library = importlib.import_module(MODULES[who])
    registry = library.CollectorRegistry()
    if kind == "counter":
        return lambda name: library.Counter(name, "Help.", LABELS, registry=registry)
    return lambda name: library.Histogram(name, "Help.", LABELS, buckets=BOUNDS, registry=registry)


def record(series: Any, kind: str) -> None:
    """What happens to each series."""
    if kind == "counter":
        series.inc()
        return
    for value in OBSERVATIONS:
        series.observe(value)


def main() -> None:
    """Prints the bytes."""
    who, kind = sys.argv[1:]
    make = maker(who, kind)
    record(make("first").labels("model", "200"), kind)  # what a registry takes once
    families = COUNTER_FAMILIES if kind == "counter" else 1
    before = resident_bytes()
    for number in range(families):
        family = make(f"requests_{number}")
        for i in range(SERIES_OF_A_FAMILY):
            record(family.labels(f"model-{i // 10}", str(200 + i % 10)), kind)
    print((resident_bytes() - before) / (families * SERIES_OF_A_FAMILY))


if __name__ == "__main__":
    main()
