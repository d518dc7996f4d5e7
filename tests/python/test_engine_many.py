"""``infer_many`` and ``infer_many_async``: many requests in one call."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import inferometer as im
from gated_model import GatedModel
from test_process import PRELUDE
from test_process import run as run_process

X = np.ones((1, 2), np.float32)
Many = Callable[..., list[Any]]


@pytest.fixture(params=["threads", "asyncio"])
def many(request: pytest.FixtureRequest) -> Many:
    """Calls infer_many of an engine, or its twin on a loop of its own."""
    if request.param == "threads":
        return lambda engine, *args, **named: engine.infer_many(*args, **named)

    def on_a_loop(engine: im.Engine, *args: Any, **named: Any) -> list[Any]:
        return asyncio.run(engine.infer_many_async(*args, **named))

    return on_a_loop


def failing_on_zero(x: Any) -> Any:
    if (x == 0).all():
        raise KeyError("zero")
    return x * 2


def test_answers_in_order_in_few_batches(many: Many) -> None:
    sizes: list[int] = []

    def model(x: Any) -> Any:
        sizes.append(len(x))
        return x * 2

    with im.Engine(model, name="m", registry=im.NO_METRICS) as engine:
        xs = [np.full((1 + i % 3, 2), i, np.float32) for i in range(300)]
        answers = many(engine, xs)
        assert len(answers) == 300
        for x, answer in zip(xs, answers, strict=True):
            np.testing.assert_array_equal(answer, x * 2)
        assert sum(sizes) == sum(map(len, xs)) and len(sizes) < 30
        assert many(engine, []) == []
        assert [answer[0, 0] for answer in many(engine, (x for x in xs[:3]))] == [0, 2, 4]


def test_dicts_and_arrays(many: Many) -> None:
    with im.Engine(lambda x: {"y": x}, name="m", registry=im.NO_METRICS) as engine:
        answers = many(engine, [X, X * 2])
        assert [answer["y"][0, 0] for answer in answers] == [1, 2]
    spec = [im.Spec("x", "float32", (-1, 2))]
    with im.Engine(lambda x: x, name="m", inputs=spec, registry=im.NO_METRICS) as engine:
        bare, named = many(engine, [X, {"x": X}])
        assert bare[0, 0] == named["output"][0, 0] == 1


def test_an_error_is_raised_once_all_have_ended(many: Many) -> None:
    batching = im.Batching(max_batch_size=1)
    with im.Engine(failing_on_zero, name="m", batching=batching, registry=im.Registry()) as engine:
        xs = [X, X * 0, X[:, :1], X]
        with pytest.raises(im.ModelError, match="zero"):
            many(engine, xs)
        requests = engine.stats()["requests"]
        assert requests["success"] == 2 and requests["failure"] == 1 and requests["invalid"] == 1
        with pytest.raises(im.ShapeError):
            many(engine, [X, X[:, :1], X * 0])
        first, model_error, shape_error, last = many(engine, xs, return_exceptions=True)
        assert first[0, 0] == last[0, 0] == 2
        assert isinstance(model_error, im.ModelError) and isinstance(shape_error, im.ShapeError)
        assert isinstance(model_error.__cause__, KeyError)


def test_what_the_queue_refuses_has_its_error_in_its_place(many: Many, model: GatedModel) -> None:
    batching = im.Batching(max_queue_size=4, max_batch_size=4)
    with im.Engine(model, name="m", batching=batching, registry=im.Registry()) as engine:
        held = engine.submit(X)
        model.wait_entered(1)
        model.release(10_000)  # needs the GIL, which submitting holds
        answers = many(engine, [X * i for i in range(10_000)], return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, im.QueueFullError)]
        assert all(error.retry_after > 0 for error in refused)
        for i, answer in enumerate(answers):
            assert isinstance(answer, im.QueueFullError) or answer[0, 0] == 2 * i
        held.result()
        requests = engine.stats()["requests"]
        assert requests["rejected"] == len(refused) > 0
        assert requests["success"] == 10_001 - len(refused)


def test_options_hold_for_each(many: Many, model: GatedModel) -> None:
    with im.Engine(model, name="m", registry=im.Registry()) as engine:
        held = engine.submit(X)
        model.wait_entered(1)
        answers = many(engine, [X, X], timeout=0.001, return_exceptions=True)
        assert [type(answer) for answer in answers] == [im.DeadlineExceededError] * 2
        with pytest.raises(im.ConfigError, match="priority: got 1"):
            many(engine, [X], priority=1)
        for bad in (None, 1):
            with pytest.raises(TypeError):
                many(engine, bad)
        for one in (X, {"x": X}):
            with pytest.raises(im.DTypeError, match=r"got one .*, want a sequence"):
                many(engine, one)
        model.release()
        held.result()
    with pytest.raises(im.ClosedError):
        many(engine, [X])


def test_cancelling_the_await_cancels_all(model: GatedModel) -> None:
    engine = im.Engine(model, name="m", registry=im.Registry())

    async def main() -> None:
        task = asyncio.ensure_future(engine.infer_many_async([X] * 100))
        await asyncio.get_running_loop().run_in_executor(None, model.wait_entered, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert engine.stats()["requests"]["cancelled"] == 100
    model.release()
    engine.close()


def test_errors_leave_no_cycles() -> None:
    """Garbage that only the collector finds would keep the answers of the whole call."""

    async def main(engine: im.Engine) -> int:
        for _ in range(10):
            await engine.infer_many_async([X * 0, X], return_exceptions=True)
            with contextlib.suppress(im.ModelError):
                await engine.infer_many_async([X * 0, X])
        return gc.collect()

    with im.Engine(failing_on_zero, name="m", registry=im.NO_METRICS) as engine:
        asyncio.run(main(engine))  # what is made once
        gc.disable()
        try:
            assert asyncio.run(main(engine)) < 20
        finally:
            gc.enable()


def test_return_exceptions_is_a_bool(many: Many) -> None:
    with im.Engine(lambda x: x, name="m", registry=im.NO_METRICS) as engine:
        text = "return_exceptions: got 'no', want True or False"
        with pytest.raises(im.ConfigError, match=text):
            many(engine, [X], return_exceptions="no")


def test_ctrl_c_cancels_all() -> None:
    run_process(
        PRELUDE
        + """
import signal
entered, gate = threading.Event(), threading.Event()
def model(x):
    entered.set()
    gate.wait(60)
    return x
engine = im.Engine(model, name="m")
def interrupt():
    entered.wait(60)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    engine.infer_many([X] * 100)
except KeyboardInterrupt:
    assert engine.stats()["requests"]["cancelled"] == 100, engine.stats()
else:
    raise AssertionError("not interrupted")
gate.set()
"""
    )


def test_ctrl_c_is_honoured_before_all_is_submitted() -> None:
    run_process(
        PRELUDE
        + """
import signal
gate = threading.Event()
def model(x):
    gate.wait(60)
    return x
count = 500_000  # takes many times as long to submit as the timer to expire
engine = im.Engine(model, name="m", batching=im.Batching(max_queue_size=count))
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.005)
try:
    engine.infer_many([X] * count)
except KeyboardInterrupt:
    assert engine.stats()["requests"]["cancelled"] < count, engine.stats()
else:
    raise AssertionError("not interrupted")
gate.set()
"""
    )
