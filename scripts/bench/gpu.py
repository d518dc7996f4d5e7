"""Native models on the first GPU, beside the CPU and, where it has a GPU's provider, ONNX Runtime.

Rounds in turns: each variant runs a few batches, in an order drawn anew each round; the median and
the quartiles of the rounds are shown, in microseconds a row, copies to and from the GPU included.
Refuses to run without a GPU: what the host emulation takes says nothing.

Prints a JSON line for each model, number of rows and variant.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

import inferometer as im
from workloads import MID, TINY

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = 15
ROUND_SECONDS = 0.05
Run = Callable[[np.ndarray[Any, Any]], Any]


def variants(path: Path) -> dict[str, Run]:
    """Everything that runs this file here."""
    runs: dict[str, Run] = {
        device: im.onnx.load(path, device=device).run for device in ("cuda:0", "cpu")
    }
    provider = "CUDAExecutionProvider"
    if provider in onnxruntime.get_available_providers():
        session = onnxruntime.InferenceSession(str(path), providers=[provider])
        name = session.get_inputs()[0].name
        runs["onnxruntime on CUDA"] = lambda x: session.run(None, {name: x})
    return runs


def measure(name: str, path: Path, shape: tuple[int, ...]) -> None:
    """Prints the lines of one model."""
    runs = variants(path)
    chance = random.Random(1)
    for rows in (1, 8, 64, 256):
        x = np.random.default_rng(2).normal(size=(rows, *shape)).astype(np.float32)
        seconds: dict[str, list[float]] = {variant: [] for variant in runs}
        for _ in range(ROUNDS + 1):  # the first round warms up
            for variant in chance.sample(sorted(runs), len(runs)):
                start, count = time.perf_counter(), 0
                while time.perf_counter() - start < ROUND_SECONDS:
                    runs[variant](x)
                    count += 1
                seconds[variant].append((time.perf_counter() - start) / (count * rows))
        for variant, measured in seconds.items():
            low, middle, high = statistics.quantiles(measured[1:], n=4)
            line = {"name": f"{name}/{rows}", "variant": variant, "row_us": 1e6 * middle}
            print(json.dumps({**line, "row_us_quartiles": [1e6 * low, 1e6 * high]}), flush=True)


def main() -> int:
    """Measures all models; 1 without a GPU."""
    gpu = im.devices()[1]
    if gpu.unavailable or gpu.description.startswith("Emulated"):
        print(f"no GPU to measure: {gpu.unavailable or gpu.description}", file=sys.stderr)
        return 1
    print(f"{gpu.name}: {gpu.description}")
    with tempfile.TemporaryDirectory() as folder:
        measure("resnet_model", ROOT / "model_repository/resnet_model/1/model.onnx", (1, 8, 8))
        for name, perceptron in (("tiny", TINY), ("mid", MID)):
            path = Path(folder, f"{name}.onnx")
            onnx.save(perceptron.onnx(), path)
            measure(name, path, (perceptron.sizes[0],))
    return 0


if __name__ == "__main__":
    sys.exit(main())
