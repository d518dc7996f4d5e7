"""asyncio callers: answers, cancellation, several loops, one wake-up a batch."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import inferometer as im
from gated_model import GatedModel
from inferometer import _core
from loop_runners import Run, runner

X = np.ones((1, 2), np.float32)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return runner(request.param)


async def in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, call, *arguments)


def count(registry: im.Registry, status: str) -> float | None:
    return registry.sample_value("inference_requests_total", {"model_name": "m", "status": status})


def test_a_thousand_awaits_use_no_thread_each_and_one_wake_up_a_batch(
    registry: im.Registry, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        completions = _core.completions()
        assert completions is not None
        async with im.Engine(model, name="m", registry=registry) as engine:
            first = asyncio.ensure_future(engine.infer_async(X))
            await in_thread(model.wait_entered, 1)
            before = threading.active_count()
            tasks = [asyncio.ensure_future(engine.infer_async(X * i)) for i in range(1000)]
            await asyncio.sleep(0)
            assert threading.active_count() == before
            assert registry.sample_value("inference_queue_depth", {"model_name": "m"}) == 1000
            model.release(1 + 16)
            answers = await asyncio.gather(first, *tasks)
            assert [int(answer[0, 0]) for answer in answers[1:]] == [2 * i for i in range(1000)]
            assert model.batches == [1] + [64] * 15 + [40]
            assert completions.wakeups <= len(model.batches)

    run(main())


def test_the_loop_goes_on_while_a_batch_runs(
    registry: im.Registry, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        engine = im.Engine(model, name="m", registry=registry)
        task = asyncio.ensure_future(engine.infer_async(X))
        await in_thread(model.wait_entered, 1)
        for _ in range(100):  # the model is blocked all the time
            await asyncio.sleep(0)
        assert not task.done()
        model.release()
        assert (await task)[0, 0] == 2
        await in_thread(engine.close)

    run(main())


def test_cancelled_while_queued_and_while_running(
    registry: im.Registry, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        engine = im.Engine(model, name="m", registry=registry)
        running = asyncio.ensure_future(engine.infer_async(X))
        await in_thread(model.wait_entered, 1)
        queued = [asyncio.ensure_future(engine.infer_async(X * i)) for i in range(3)]
        await asyncio.sleep(0)
        for task in (running, queued[1]):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert count(registry, "cancelled") == 2
        model.release(2)
        assert (await queued[0])[0, 0] == 0 and (await queued[2])[0, 0] == 4
        assert model.batches == [1, 2]
        assert count(registry, "success") == 2
        await in_thread(engine.close)

    run(main())


def test_wait_for_timeout_and_gather(registry: im.Registry, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        engine = im.Engine(model, name="m", registry=registry)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(engine.infer_async(X), 0.001)
        with pytest.raises(im.DeadlineExceededError):
            await engine.infer_async(X, timeout=0.001)
        model.release(2)
        answers = await asyncio.gather(
            engine.infer_async(X), engine.infer_async(X[:, :1]), return_exceptions=True
        )
        assert isinstance(answers[0], np.ndarray) and answers[0][0, 0] == 2
        assert isinstance(answers[1], im.ShapeError)
        await in_thread(engine.close)

    run(main())


def test_errors_arrive_as_they_do_for_threads(
    registry: im.Registry, model: GatedModel, run: Run
) -> None:
    def failing(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        raise KeyError("no")

    async def main() -> None:
        async with im.Engine(failing, name="f", registry=registry) as engine:
            with pytest.raises(im.ModelError) as caught:
                await engine.infer_async(X)
            assert isinstance(caught.value.__cause__, KeyError)
            with pytest.raises(im.ConfigError, match="priority"):
                await engine.infer_async(X, priority=1)
        batching = im.Batching(max_queue_size=1)
        engine = im.Engine(model, name="m", batching=batching, registry=registry)
        tasks = [asyncio.ensure_future(engine.infer_async(X))]
        await in_thread(model.wait_entered, 1)
        tasks.append(asyncio.ensure_future(engine.infer_async(X)))
        await asyncio.sleep(0)
        with pytest.raises(im.QueueFullError):
            await engine.infer_async(X)
        close = asyncio.ensure_future(in_thread(engine.close))
        for task in tasks:
            with pytest.raises(im.ClosedError):
                await task
        model.release()
        await close

    run(main())


def test_names_and_single_samples(registry: im.Registry, run: Run) -> None:
    async def main() -> None:
        async with im.Engine(lambda a, b: {"c": a + b}, name="m", registry=registry) as engine:
            assert (await engine.infer_async({"a": X, "b": X}))["c"][0, 0] == 2
            assert (await engine.infer_one_async({"a": X[0], "b": X[0]}))["c"][0] == 2

    run(main())


def test_contextvars_are_kept(registry: im.Registry, run: Run) -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")

    async def call(engine: im.Engine, i: int) -> None:
        variable.set(i)
        await engine.infer_async(X)
        assert variable.get() == i

    async def main() -> None:
        async with im.Engine(lambda x: x, name="m", registry=registry) as engine:
            await asyncio.gather(*(call(engine, i) for i in range(50)))

    run(main())


def test_several_loops_share_an_engine(registry: im.Registry) -> None:
    engine = im.Engine(lambda x: x + 1, name="m", registry=registry)
    wrong: list[int] = []

    async def calls(loop_number: int) -> None:
        for start in range(0, 200, 20):
            batch = [np.full((1, 2), 1000 * loop_number + start + i) for i in range(20)]
            answers = await asyncio.gather(*(engine.infer_async(x) for x in batch))
            wrong.extend(
                i
                for i, (x, y) in enumerate(zip(batch, answers, strict=True))
                if not (y == x + 1).all()
            )

    threads = [threading.Thread(target=lambda n=n: asyncio.run(calls(n))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert count(registry, "success") == 4 * 200
    engine.close()
