"""``im.batched``: any objects, sync and async callers."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import inferometer as im


def test_sync_and_async_callers() -> None:
    registry = im.Registry()
    sizes: list[int] = []

    @im.batched(im.Batching(max_batch_size=32), registry=registry, name="lengths")
    def lengths(texts: list[str]) -> list[int]:
        """Measures texts."""
        sizes.append(len(texts))
        return [len(text) for text in texts]

    assert lengths.__doc__ == "Measures texts." and lengths.function(["abc"]) == [3]
    sizes.clear()
    assert lengths("hello") == 5
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lengths, ["x" * i for i in range(100)])) == list(range(100))

    async def main() -> None:
        answers = await asyncio.gather(*(lengths.infer_async("y" * i) for i in range(100)))
        assert answers == list(range(100))

    asyncio.run(main())
    assert lengths.submit("ab").result() == 2
    assert sum(sizes) == 202 and max(sizes) <= 32
    labels = {"model_name": "lengths", "status": "success"}
    assert registry.sample_value("inference_requests_total", labels) == 202
    assert lengths.stats()["requests"]["success"] == 202
    assert lengths.ready and lengths.drain() and lengths.close()
    with pytest.raises(im.ClosedError):
        lengths("late")


def test_the_bare_decorator_and_the_default_name() -> None:
    @im.batched
    def twice(items: list[int]) -> list[int]:
        return [2 * item for item in items]

    assert twice(4) == 8
    assert twice.name == "test_the_bare_decorator_and_the_default_name.<locals>.twice"
    twice.close()


def test_any_object_and_any_sequence() -> None:
    class Thing:
        pass

    @im.batched(registry=im.NO_METRICS)
    def same(items: list[Any]) -> Any:
        return tuple(items)

    thing = Thing()
    assert same(thing) is thing and same(None) is None
    same.close()

    @im.batched(registry=im.NO_METRICS)
    def vectors(items: list[int]) -> Any:
        return np.eye(4)[items]

    assert vectors(2).tolist() == [0, 0, 1, 0]
    vectors.close()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ([], "returned 0 answers, want 1, one for each item"),
        ([1, 2], "returned 2 answers, want 1"),
        (None, "returned NoneType, want a list of 1 answers"),
        ("x", "returned str"),
        ({0: 1}, "returned dict"),
        (3, "returned int"),
    ],
)
def test_a_breach_of_contract(answer: Any, text: str) -> None:
    @im.batched(registry=im.NO_METRICS)
    def wrong(items: list[int]) -> Any:
        return answer

    with pytest.raises(im.ModelError, match=text):
        wrong(1)
    wrong.close()


def test_an_exception_is_the_cause() -> None:
    @im.batched(registry=im.NO_METRICS)
    def failing(items: list[int]) -> list[int]:
        raise ZeroDivisionError("by zero")

    with pytest.raises(im.ModelError, match="ZeroDivisionError: by zero") as caught:
        failing(1)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    failing.close()


def test_an_exception_in_place_of_an_answer_fails_its_item_alone() -> None:
    registry = im.Registry()

    @im.batched(im.Batching(max_batch_size=4, max_queue_delay=3600), name="f", registry=registry)
    def inverse(items: list[int]) -> list[Any]:
        answers: list[Any] = []
        for item in items:
            try:
                answers.append(1 / item)
            except ZeroDivisionError as error:
                answers.append(error)
        return answers

    handles = [inverse.submit(item) for item in (1, 0, 2, 0)]
    assert handles[0].result() == 1 and handles[2].result() == 0.5
    for handle in (handles[1], handles[3]):
        with pytest.raises(
            im.ModelError, match="'f': ZeroDivisionError: division by zero"
        ) as caught:
            handle.result()
        cause = caught.value.__cause__
        assert isinstance(cause, ZeroDivisionError) and cause.__traceback__ is not None
    labels = {"model_name": "f"}
    for status in ("success", "failure"):
        assert registry.sample_value("inference_requests_total", labels | {"status": status}) == 2
    inverse.close()


def test_an_exception_class_is_an_answer_and_a_cancellation_is_not() -> None:
    @im.batched(registry=im.NO_METRICS)
    def choose(items: list[Any]) -> list[Any]:
        return items

    assert choose(ValueError) is ValueError
    with pytest.raises(im.ModelError) as caught:
        choose(asyncio.CancelledError("gone"))
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
    choose.close()


def test_items_are_let_go_of_however_they_end() -> None:
    gate = threading.Event()
    entered = threading.Event()

    @im.batched(im.Batching(max_batch_size=1), registry=im.NO_METRICS)
    def slow(items: list[Any]) -> list[int]:
        entered.set()
        gate.wait(60)
        return [1]

    class Item:
        pass

    items = [Item() for _ in range(4)]
    handles = [slow.submit(item) for item in items]
    assert entered.wait(60)
    alive = [weakref.ref(item) for item in items]
    handles[1].cancel()
    late = Item()
    alive.append(weakref.ref(late))
    with pytest.raises(im.DeadlineExceededError):
        slow(late, timeout=0.001)
    del items, late
    gate.set()
    assert handles[0].result(60) == 1
    slow.close()
    del handles
    gc.collect()
    assert [reference() for reference in alive] == [None] * 5


def test_what_cannot_be_batched() -> None:
    async def coroutine(items: list[int]) -> list[int]:
        return items

    with pytest.raises(im.ConfigError, match="got an async function"):
        im.batched(coroutine)  # type: ignore[arg-type]
    with pytest.raises(im.ConfigError, match="got int, want a function"):
        im.batched()(3)  # type: ignore[arg-type]
