"""A process whose engines are under load, with everything in it that the dashboards show.

    python tests/python/loaded_engines.py --port 8002

Three models get requests at constant rates until SIGTERM: "steady" succeeds but for a few failures,
"tight" has a short queue and callers without patience, so that requests are refused, late and
cancelled, "padded" gets rows of different lengths. Metrics are on the native listener.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import signal
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

import inferometer as im

MODELS = ("padded", "steady", "tight")
Tick = Callable[[int], None]


def steady() -> Tick:
    """100 requests a second, 5 % of which fail; batches of 20 ms with about three of them."""
    faults = im.Faults(seed=1)
    faults.add("partial", ratio=0.05)
    engine = im.Engine(
        im.DelayModel(seconds=0.02),
        name="steady",
        batching=im.Batching(max_batch_size=8, max_queue_delay=0.02),
        inputs=[im.Spec("x", "float32", (-1, 4))],
        latency_objective=0.1,
        faults=faults,
        caller_runs=False,
    )
    row = np.ones((1, 4), np.float32)
    waiting: deque[Any] = deque(maxlen=500)  # keeps results alive as callers do, not for ever
    return lambda _: waiting.append(engine.submit(row))


def tight() -> Tick:
    """20 bursts a second of 12 requests, for a queue of 8; some callers give up.

    In each burst one has no patience, and one is gone before its batch of 30 ms has run.
    """
    engine = im.Engine(
        im.DelayModel(seconds=0.03),
        name="tight",
        batching=im.Batching(max_batch_size=4, max_queue_size=8),
        inputs=[im.Spec("x", "float32", (-1, 4))],
        caller_runs=False,
    )
    row = np.ones((1, 4), np.float32)
    waiting: deque[Any] = deque(maxlen=500)
    leaving: deque[Any] = deque(maxlen=1)

    def burst(tick: int) -> None:
        if tick % 5 == 1 and leaving:
            leaving[0].cancel()
        if tick % 5:
            return
        for index in range(12):
            with contextlib.suppress(im.QueueFullError):
                future = engine.submit(row, timeout=0.01 if index == 1 else None)
                waiting.append(future)
                if index == 0:
                    leaving.append(future)

    return burst


def padded() -> Tick:
    """50 requests a second of 4 to 8 elements."""

    def double(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return x * 2

    engine = im.Engine(
        double,
        name="padded",
        batching=im.Batching(max_batch_size=8, max_queue_delay=0.05, padding=im.Padding(axis=1)),
        inputs=[im.Spec("x", "float32", (-1, -1))],
        caller_runs=False,
    )
    rows = [np.ones((1, length), np.float32) for length in range(4, 9)]
    waiting: deque[Any] = deque(maxlen=500)

    def send(tick: int) -> None:
        if tick % 2 == 0:
            waiting.append(engine.submit(rows[tick // 2 % len(rows)]))

    return send


def main() -> None:
    """Runs until SIGTERM."""
    parser = argparse.ArgumentParser(description="Engines under load, and their metrics.")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    # Not an Event: its lock may be held by this very thread when the handler runs.
    signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))
    loads = [steady(), tight(), padded()]
    with im.serve_metrics(port=arguments.port):
        # A tick is 10 ms; one that comes late is followed by the next at once.
        for tick in itertools.count():
            for load in loads:
                load(tick)
            time.sleep(0.01)
            if signals:
                break


if __name__ == "__main__":
    main()
