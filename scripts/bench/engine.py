"""What the engine adds, from Python: a lone caller, and 64 asyncio callers on a model of no work.

Prints a JSON line for each measurement: seconds a call, the minimum and median of the rounds. The
bare model and the engine are measured in the same interleaved rounds.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

import inferometer as im

ROUNDS = 15
CALLERS = 64


def identity_model() -> im.Model:
    """A native model that does nothing."""
    shape: list[str | int | None] = ["rows", 64]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "identity",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path = "build/bench/identity.onnx"
    onnx.save(model, path)
    return im.onnx.load(path)


def timed(call: Callable[[], object], calls: int) -> float:
    """Seconds a call."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def timed_async(
    call: Callable[[], Coroutine[Any, Any, object]], calls_each: int, callers: int
) -> float:
    """Seconds a call of `callers` tasks that each await one call after the other."""

    async def caller() -> None:
        for _ in range(calls_each):
            await call()

    async def main() -> float:
        await asyncio.gather(*(caller() for _ in range(callers)))  # warm
        start = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        return (time.perf_counter() - start) / (calls_each * callers)

    return asyncio.run(main())


def report(name: str, rounds: list[float], **more: object) -> None:
    """One JSON line."""
    line = {
        "name": name,
        "min_seconds": min(rounds),
        "median_seconds": statistics.median(rounds),
        "max_seconds": max(rounds),
        "rounds": len(rounds),
        **more,
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    """Runs every measurement."""
    model = identity_model()
    x = np.zeros((1, 64), np.float32)
    with im.Engine(model, name="bench") as engine:
        bare, lone, added = [], [], []
        for _ in range(ROUNDS):
            bare.append(timed(lambda: model.run(x), 3000))
            lone.append(timed(lambda: engine.infer(x), 3000))
            added.append(lone[-1] - bare[-1])
        report("lone infer(), bare native model", bare)
        report("lone infer(), engine", lone)
        report("lone infer(), added by the engine", added)
        alone, many = [], []
        for _ in range(ROUNDS):
            alone.append(timed_async(lambda: engine.infer_async(x), 2000, 1))
            many.append(timed_async(lambda: engine.infer_async(x), 100, CALLERS))
        report("1 asyncio caller", alone)
        report(f"{CALLERS} asyncio callers", many, mean_batch=engine.stats()["batch_size"]["mean"])


if __name__ == "__main__":
    main()
