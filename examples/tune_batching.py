"""Tuning batching, step by step: measure the model, ask the simulator, reconfigure, measure again.

    python examples/tune_batching.py --seconds 10

The model stands for one on another device: 8 ms a batch and 0.2 ms a row. docs/tuning_batching.md
explains each step and shows what this printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

import numpy as np

import inferometer as im

RATE = 400.0  # requests a second, on average
BEFORE = im.Batching(max_batch_size=4)
CANDIDATES = (
    BEFORE,
    im.Batching(max_batch_size=8),
    im.Batching(max_batch_size=16),
    im.Batching(max_batch_size=32),
    im.Batching(max_batch_size=32, max_queue_delay=0.01),
    im.Batching(max_batch_size=32, max_queue_delay=0.02),
    im.Batching(max_batch_size=32, max_queue_delay=0.04),
)
WANTED_P95 = 0.04  # seconds

HEAD = "max_batch_size  max_queue_delay  mean batch     P50     P95    busy"


def row(
    batching: im.Batching, latencies: Sequence[float], batches: int, busy: float, seconds: float
) -> str:
    """A line of a table: exact quantiles, the share of the time that the model was busy."""
    p50, p95 = (f"{1e3 * float(np.quantile(latencies, q)):.1f}" for q in (0.5, 0.95))
    delay = f"{1e3 * batching.max_queue_delay:g} ms"
    return (
        f"{batching.max_batch_size:14}  {delay:>15}  {len(latencies) / batches:10.1f}  "
        f"{p50:>6}  {p95:>6}  {busy / seconds:6.0%}"
    )


def measure_cost(engine: im.Engine) -> tuple[float, float]:
    """Seconds that a batch takes, and that each of its rows adds: a line through medians."""
    sizes = (1, 2, 4, 8, 16, 32)
    medians = []
    for size in sizes:
        requests = []
        for _ in range(20):
            requests.append(engine.submit(np.ones((size, 4), np.float32)))
            requests[-1].result()
        medians.append(statistics.median(request.timing.compute for request in requests))
    per_row, per_batch = np.polyfit(sizes, medians, 1)
    return max(float(per_batch), 0.0), max(float(per_row), 0.0)


def load(engine: im.Engine, batching: im.Batching, offsets: Sequence[float]) -> list[float]:
    """Sends a row at each of these seconds from now and prints how that went.

    Returns:
        When each was really sent, in seconds.
    """
    x = np.ones((1, 4), np.float32)
    before = engine.stats()
    begin = time.perf_counter()
    sent, requests = [], []
    for offset in offsets:
        time.sleep(max(0.0, begin + offset - time.perf_counter()))
        sent.append(time.perf_counter() - begin)
        requests.append(engine.submit(x))
    for request in requests:
        request.result()
    seconds = time.perf_counter() - begin
    after = engine.stats()
    batches = after["batch_size"]["count"] - before["batch_size"]["count"]
    busy = after["busy_seconds"] - before["busy_seconds"]
    latencies = [request.timing.total for request in requests]
    print(row(batching, latencies, batches, busy, seconds), flush=True)
    return sent


def choose(sent: Sequence[float], cost: tuple[float, float]) -> im.Batching:
    """Simulates the candidates; returns the one that is the least busy and still fast enough."""
    best, least_busy = BEFORE, float("inf")
    for batching in CANDIDATES:
        sim = im.simulate(batching, sent, cost, trace=True)
        sim.run()
        latencies = [total_ns / 1e9 for _, _, _, total_ns, _ in sim.requests]
        busy = sim.stats()["busy_seconds"]
        print(row(batching, latencies, len(sim.batches), busy, sim.now))
        if np.quantile(latencies, 0.95) <= WANTED_P95 and busy < least_busy:
            best, least_busy = batching, busy
    return best


def main() -> None:
    """Prints the four steps."""
    parser = argparse.ArgumentParser(description="Tune batching, step by step.")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load (default 10)")
    seconds = parser.parse_args().seconds
    model = im.DelayModel(0.008, 0.0002, [im.Spec("x", "float32", (-1, 4))])
    gaps = np.random.default_rng(1).exponential(1 / RATE, int(RATE * seconds))
    offsets = np.cumsum(gaps).tolist()

    with im.Engine(model, name="tuned", registry=im.Registry()) as engine:
        cost = measure_cost(engine)
        print(f"1. cost: {1e3 * cost[0]:.1f} ms a batch and {1e3 * cost[1]:.2f} ms a row")

        print(f"2. before, measured (times in ms)\n{HEAD}")
        engine.reconfigure(BEFORE)
        sent = load(engine, BEFORE, offsets)

        print(f"3. what if, simulated on the same arrivals\n{HEAD}")
        best = choose(sent, cost)

        print(f"4. after: the least busy with a P95 of {1e3 * WANTED_P95:g} ms, measured\n{HEAD}")
        engine.reconfigure(best)
        load(engine, best, offsets)


if __name__ == "__main__":
    main()
