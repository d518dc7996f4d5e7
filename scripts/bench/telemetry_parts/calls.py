"""Calls from Python, and the text of 10,000 series: both of ours and prometheus_client.

A round is a loop of timeit's over each library, in an order drawn anew; a value is the mean of such
a loop, the loop's own time included ("nothing" says how much that is).
"""

from __future__ import annotations

import random
import time
import timeit
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import prometheus_client
from comparison.samples import emit, interleaved

import inferometer as im
from inferometer import prometheus
from telemetry_parts.texts import writers
from telemetry_parts.who import APP, CLIENT, DROP_IN

ROUNDS: Final = 31
LOOP_SECONDS: Final = 0.01
TEXT_ROUNDS: Final = 15
SERIES_OF_A_FAMILY: Final = 100

STATEMENTS: Final = {
    "nothing": "pass",
    "counter.inc()": "counter.inc()",
    "counter.inc(2.0)": "counter.inc(2.0)",
    "gauge.set(3.0)": "gauge.set(3.0)",
    "summary.observe(0.3)": "summary.observe(0.3)",
    "histogram.observe(0.3)": "histogram.observe(0.3)",
    "labels(a, b).inc()": "labelled.labels('GET', '200').inc()",
    "labels(a=a, b=b).inc()": "labelled.labels(method='GET', code='200').inc()",
    "counter.inc(exemplar=...)": "counter.inc(exemplar={'trace_id': 'abc'})",
}


def own_metrics() -> dict[str, Any]:
    """What the statements use, in im.Registry. There is no summary."""
    registry = im.Registry()
    return {
        "registry": registry,
        "counter": registry.counter("c"),
        "gauge": registry.gauge("g"),
        "histogram": registry.histogram("h"),
        "labelled": registry.counter("labelled", "", ["method", "code"]),
    }


def client_metrics(library: Any) -> dict[str, Any]:
    """What the statements use, in a library with prometheus_client's interface."""
    return {
        "counter": library.Counter("c", "", registry=None),
        "gauge": library.Gauge("g", "", registry=None),
        "summary": library.Summary("s", "", registry=None),
        "histogram": library.Histogram("h", "", registry=None),
        "labelled": library.Counter("labelled", "", ["method", "code"], registry=None),
    }


def loop_of(statement: str, scope: dict[str, Any]) -> Callable[[], float]:
    """A function that runs the statement for LOOP_SECONDS: nanoseconds a call."""
    timer = timeit.Timer(statement, globals=scope)
    calls = 100
    while (seconds := timer.timeit(calls)) < LOOP_SECONDS / 10:
        calls *= 2
    calls = max(1, round(calls * LOOP_SECONDS / seconds))
    return lambda: timer.timeit(calls) / calls * 1e9


def measure_calls(chance: random.Random) -> None:
    """Every statement."""
    scopes = {
        APP: own_metrics(),
        DROP_IN: client_metrics(prometheus),
        CLIENT: client_metrics(prometheus_client),
    }
    for name, statement in STATEMENTS.items():
        print(f"calls from Python: {name}", flush=True)
        loops = {
            who: loop_of(statement, scope)
            for who, scope in scopes.items()
            if statement == "pass" or statement.partition(".")[0] in scope
        }
        for who, values in interleaved(loops, ROUNDS, chance).items():
            emit(name, who, values)


def milliseconds(call: Callable[[], object], first: list[float]) -> float:
    """How long a call takes right after another one, whose time is appended to `first`.

    Other libraries had their turn before: the first finds little of its data in the caches, as
    scrapes that come every 15 seconds do.
    """
    start = time.perf_counter()
    call()
    between = time.perf_counter()
    call()
    first.append((between - start) * 1e3)
    return (time.perf_counter() - between) * 1e3


def measure_text(chance: random.Random) -> None:
    """The text of 10,000 series."""
    calls = writers(SERIES_OF_A_FAMILY)
    print("text of 10,000 series, from Python", flush=True)
    cold: dict[str, list[float]] = {who: [] for who in calls}
    timed = {who: partial(milliseconds, call, cold[who]) for who, call in calls.items()}
    for who, values in interleaved(timed, TEXT_ROUNDS, chance).items():
        emit("text of 10,000 series, Python", who, values)
        emit("text of 10,000 series, cold, Python", who, cold[who])


def main() -> None:
    """Measures everything."""
    chance = random.Random(1)
    measure_calls(chance)
    measure_text(chance)


if __name__ == "__main__":
    main()
