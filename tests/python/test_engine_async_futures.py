"""What ``infer_async`` returns, as a future and as a coroutine, with all of asyncio's tools."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import weakref
from typing import Any

import numpy as np
import pytest

import inferometer as im
from gated_model import GatedModel
from loop_runners import Run, pending_of

X = np.ones((1, 2), np.float32)


def test_it_is_a_future(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        pending = pending_of(engine)
        assert asyncio.isfuture(pending)
        assert pending.get_loop() is asyncio.get_running_loop()
        assert not pending.done() and not pending.cancelled()
        assert repr(pending) == "<inferometer._core.Pending pending>"
        with pytest.raises(asyncio.InvalidStateError, match="not ready"):
            pending.result()
        with pytest.raises(asyncio.InvalidStateError, match="not set"):
            pending.exception()
        model.release()
        answer = await pending
        assert answer[0, 0] == 2
        assert pending.done() and pending.result() is answer and pending.exception() is None
        assert await pending is answer  # again, and without waiting
        assert pending.cancel() is False
        assert repr(pending) == "<inferometer._core.Pending finished>"

    run(main())


def test_attributes_that_tasks_ask_for_are_found_as_through_the_type(
    engine: im.Engine, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        pending = pending_of(engine)
        for name in ("result", "get_loop", "add_done_callback"):
            for found in (getattr(pending, name), object.__getattribute__(pending, name)):
                assert found.__self__ is pending and found.__name__ == name
        assert pending.get_loop() is asyncio.get_running_loop()
        assert pending._asyncio_future_blocking is False
        pending._asyncio_future_blocking = True
        assert pending._asyncio_future_blocking is True
        pending._asyncio_future_blocking = False
        with pytest.raises(AttributeError, match="no attribute 'colour'"):
            _ = getattr(pending, "col" + "our")
        assert "result" in dir(pending) and not hasattr(pending, "resul")
        model.release()
        await pending

    run(main())


def test_it_is_a_coroutine(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        model.release(3)
        pending = pending_of(engine)
        assert asyncio.iscoroutine(pending)
        assert pending.send(None) is pending  # what a task gets from it
        assert (await pending)[0, 0] == 2
        with pytest.raises(StopIteration) as stop:
            pending.send(None)
        assert stop.value.value is pending.result()
        with pytest.raises(KeyError, match="thrown"):
            pending.throw(KeyError("thrown"))
        with pytest.raises(KeyError, match="thrown"):
            pending.throw(KeyError, "thrown")
        with pytest.raises(TypeError, match="got int, want an exception"):
            pending.throw(3)
        with pytest.raises(TypeError, match="got 0 arguments"):
            pending.throw()  # type: ignore[call-arg, unused-ignore]
        dropped = pending_of(engine)
        dropped.close()  # nobody waits any more; the request goes on
        assert (await dropped)[0, 0] == 2

    run(main())


def test_tasks_of_every_kind(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        model.release(100)
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Future[Any]] = [
            asyncio.create_task(engine.infer_async(X), name="t"),
            loop.create_task(engine.infer_async(X)),
            asyncio.ensure_future(engine.infer_async(X)),
        ]
        assert "t" in repr(tasks[0])
        for answer in await asyncio.gather(*tasks, engine.infer_async(X)):
            assert answer[0, 0] == 2
        assert (await asyncio.wait_for(engine.infer_async(X), 60))[0, 0] == 2
        assert (await asyncio.shield(engine.infer_async(X)))[0, 0] == 2
        for first in asyncio.as_completed([engine.infer_async(X)]):
            assert (await first)[0, 0] == 2
        if sys.version_info >= (3, 11):
            async with asyncio.TaskGroup() as group:
                grouped = [group.create_task(engine.infer_async(X)) for _ in range(3)]
            assert [task.result()[0, 0] for task in grouped] == [2, 2, 2]

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        factory: Any = vars(asyncio)["eager_task_factory"]
        loop = asyncio.get_running_loop()
        of_uvloop = type(loop).__module__.startswith("uvloop")
        if of_uvloop and (3, 13) <= sys.version_info < (3, 13, 3):
            pytest.skip("uvloop asks for eager_start, which eager tasks take since Python 3.13.3")
        loop.set_task_factory(factory)
        model.release(10)
        tasks = [asyncio.create_task(engine.infer_async(X)) for _ in range(3)]
        assert [answer[0, 0] for answer in await asyncio.gather(*tasks)] == [2, 2, 2]

    run(main())


def test_two_tasks_await_one_request(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        pending = pending_of(engine)

        async def caller() -> Any:
            return await pending

        tasks = [asyncio.ensure_future(caller()) for _ in range(3)]
        await asyncio.sleep(0)
        model.release()
        first, *others = await asyncio.gather(*tasks)
        assert all(other is first for other in others)

    run(main())


def test_refusals_are_raised_by_the_await(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        model.release(2)
        await engine.infer_async(X)
        refused = pending_of(engine, X[:, :1])
        assert refused.done()
        with pytest.raises(im.ShapeError):
            await refused
        with pytest.raises(im.ShapeError):  # and again, with a traceback of this time alone
            await refused
        assert isinstance(refused.exception(), im.ShapeError)
        assert repr(refused) == "<inferometer._core.Pending failed>"
        with pytest.raises(TypeError, match="unexpected argument 'nonsense'"):
            engine.infer_async(X, nonsense=1)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="got no 'inputs'"):
            engine.infer_async()  # type: ignore[call-overload]

    run(main())


def test_an_error_that_nobody_looks_at_is_told(engine: im.Engine, run: Run) -> None:
    async def main() -> None:
        reports: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        with pytest.raises(im.DTypeError):
            await engine.infer_async("no array")  # type: ignore[call-overload]
        looked_at = pending_of(engine, "no array")
        looked_at.exception()
        del looked_at
        gc.collect()
        assert not reports
        pending_of(engine, "no array")
        gc.collect()
        (report,) = reports
        assert report["message"] == "Pending exception was never retrieved"
        assert isinstance(report["exception"], im.DTypeError)

    run(main())


def test_one_that_is_dropped_cancels_nothing(
    engine: im.Engine, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        gone = weakref.ref(pending_of(engine))
        gc.collect()
        assert gone() is not None  # its loop holds it until its answer is here
        model.release(2)
        await engine.infer_async(X)
        gc.collect()
        assert gone() is None

    run(main())
    assert engine.stats()["requests"]["success"] == 2


def test_a_task_that_nobody_holds_is_kept_by_its_request(
    engine: im.Engine, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        finished: list[float] = []

        async def caller() -> None:
            finished.append((await engine.infer_async(X))[0, 0])

        asyncio.ensure_future(caller())  # noqa: RUF006
        await asyncio.sleep(0)
        gc.collect()
        model.release(2)
        while not finished:
            await engine.infer_async(X)
        assert finished == [2]

    run(main())


def test_made_where_no_loop_runs(engine: im.Engine, model: GatedModel, run: Run) -> None:
    model.release(3)
    coroutine = engine.infer_async(X, timeout=60)
    assert asyncio.iscoroutine(coroutine) and not asyncio.isfuture(coroutine)
    assert getattr(coroutine, "__qualname__", "").endswith("Engine.infer_async")

    async def main() -> None:
        assert (await coroutine)[0, 0] == 2
        assert (await engine.infer_one_async(X[0]))[0] == 2

    run(main())
    with pytest.raises(RuntimeError, match="no running event loop"):
        engine.infer_one_async(sample=X[0]).send(None)


def test_the_model_does_not_see_a_callers_variables(run: Run) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
    seen: list[str] = []

    def model(x: Any) -> Any:
        seen.append(variable.get())
        return x

    async def main() -> None:
        variable.set("a caller's")
        async with im.Engine(model, name="m", registry=im.NO_METRICS) as engine:
            await engine.infer_async(X)

    run(main())
    assert seen == ["none"]
