"""What telemetry costs: recording against NO_METRICS, paired and interleaved in one process.

Two engines over the same model take the same requests in alternating rounds, the order of each
pair drawn at random; the difference of a pair is one observation. On resnet_model the difference is
shown as a share of the time a request takes; on a model that does nothing, where it stands out of
the noise, it is compared with what the engine says of itself in
inferometer_telemetry_seconds_total.

Prints a JSON line for each model: the median of the paired differences, their quartiles, and the
median's 95 % interval (from the order statistics of the pairs).
"""

from __future__ import annotations

import json
import math
import random
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

import inferometer as im
from workloads import identity, native

ROOT = Path(__file__).resolve().parent.parent.parent


def one_round(engine: im.Engine, x: np.ndarray[Any, Any], in_flight: int, bursts: int) -> float:
    """Seconds a request of bursts of that many requests in flight."""
    start = time.perf_counter()
    for _ in range(bursts):
        handles = [engine.submit(x) for _ in range(in_flight)]
        for handle in handles:
            handle.result()
    return (time.perf_counter() - start) / (bursts * in_flight)


def compare(
    name: str, model: im.Model, x: np.ndarray[Any, Any], in_flight: int, bursts: int, pairs: int
) -> None:
    """Measures one model and prints its line.

    A batch is released when it is full, so that submitting, computing, recording and waking follow
    one another and a difference in any of them is a difference in the time of the round.
    """
    batching = im.Batching(max_batch_size=in_flight, max_queue_delay=60, max_queue_size=in_flight)
    chance = random.Random(1)
    with (
        im.Engine(model, name=name, batching=batching, registry=im.Registry()) as recording,
        im.Engine(model, name=name, batching=batching, registry=im.NO_METRICS) as silent,
    ):
        for engine in (recording, silent):
            one_round(engine, x, in_flight, bursts)  # warm
        before = recording.stats()
        on: list[float] = []
        off: list[float] = []
        for _ in range(pairs):
            order = [(recording, on), (silent, off)]
            chance.shuffle(order)
            for engine, seconds in order:
                seconds.append(one_round(engine, x, in_flight, bursts))
        after = recording.stats()
    differences = sorted(a - b for a, b in zip(on, off, strict=True))
    half_width = 1.96 * math.sqrt(pairs) / 2  # of the median's rank
    low = differences[max(0, math.floor(pairs / 2 - half_width))]
    high = differences[min(pairs - 1, math.ceil(pairs / 2 + half_width))]
    requests = after["latency"]["count"] - before["latency"]["count"]
    quartiles = statistics.quantiles(differences, n=4)
    without = statistics.median(off)
    difference = statistics.median(differences)
    self_measured = (after["telemetry_seconds"] - before["telemetry_seconds"]) / requests
    line = {
        "name": name,
        "pairs": pairs,
        "request_seconds_without": without,
        "difference_seconds": difference,
        "difference_quartiles_seconds": [quartiles[0], quartiles[2]],
        "difference_interval95_seconds": [low, high],
        "difference_share": difference / without,
        "self_measured_seconds": self_measured,
        "self_measured_share_of_request": self_measured / without,
        "self_measured_share_of_compute": (after["telemetry_seconds"] - before["telemetry_seconds"])
        / (after["busy_seconds"] - before["busy_seconds"]),
        "self_measured_over_difference": self_measured / difference,
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    """Runs both models."""
    resnet = im.onnx.load(ROOT / "model_repository/resnet_model/1/model.onnx")
    compare("resnet_model", resnet, np.zeros((1, 1, 8, 8), np.float32), 64, bursts=4, pairs=200)
    compare(
        "no work", native(identity(64)), np.zeros((1, 64), np.float32), 1024, bursts=4, pairs=1000
    )


if __name__ == "__main__":
    main()
