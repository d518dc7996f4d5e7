"""Event loops that come, go and run at once; how many requests they may have; what is left."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

import inferometer as im
from gated_model import PATIENCE_SECONDS, GatedModel
from inferometer import _core
from loop_runners import NEW_LOOP, runner
from polling import wait_until
from thread_states import thread_states

X = np.ones((1, 2), np.float32)


def states_of_others() -> set[str]:
    """Of all threads of this process but the calling one."""
    own = str(threading.get_native_id())
    return {state for thread, state in thread_states().items() if thread != own}


@pytest.fixture(params=["asyncio", "uvloop"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_loop_that_is_closed_with_requests_in_flight(model: GatedModel, kind: str) -> None:
    engine = im.Engine(model, name="m", registry=im.Registry())
    loop = NEW_LOOP[kind]()
    alive: list[weakref.ref[Any]] = []

    async def abandon() -> None:
        alive.extend(weakref.ref(engine.infer_async(X)) for _ in range(3))

    async def caller() -> None:
        await engine.infer_async(X)

    task = loop.create_task(caller())
    loop.run_until_complete(abandon())
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    alive.extend((weakref.ref(task), weakref.ref(loop)))
    model.wait_entered(1)
    loop.close()  # nobody will ever take the answers
    del task, loop
    gc.collect()
    assert [reference() for reference in alive] == [None] * len(alive)
    model.release(4)
    assert engine.drain(PATIENCE_SECONDS)
    assert engine.stats()["requests"]["success"] == 4
    engine.close()


def test_a_loop_that_is_closed_within_a_turn_leaves_its_requests_to_a_worker(kind: str) -> None:
    served = threading.Event()

    def notes(x: Any) -> Any:
        served.set()
        return x

    with im.Engine(notes, name="m", registry=im.Registry()) as engine:
        engine.infer(X)
        served.clear()
        loop = NEW_LOOP[kind]()
        # The worker too: nothing else wakes it.
        wait_until(states_of_others, {"S"}.__eq__, "all threads sleep", PATIENCE_SECONDS)

        async def interrupted() -> None:
            engine.infer_async(X)  # to be flushed at the end of this turn, which never comes
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(interrupted())
        loop.close()
        assert served.wait(PATIENCE_SECONDS)


def test_a_loop_that_is_forgotten_with_requests_in_flight(model: GatedModel) -> None:
    engine = im.Engine(model, name="m", registry=im.Registry())
    loop = asyncio.new_event_loop()
    alive: list[weakref.ref[Any]] = []

    async def abandon() -> None:
        alive.append(weakref.ref(engine.infer_async(X)))

    loop.run_until_complete(abandon())
    alive.append(weakref.ref(loop))
    with pytest.warns(ResourceWarning, match="unclosed event loop"):
        del loop
        gc.collect()
        gc.collect()
    assert [reference() for reference in alive] == [None] * 2
    model.release()
    assert engine.drain(PATIENCE_SECONDS)
    engine.close()


def test_a_pending_that_outlives_its_loop(model: GatedModel, kind: str) -> None:
    engine = im.Engine(model, name="m", registry=im.NO_METRICS)
    kept: list[Any] = []

    async def main() -> None:
        kept.append(engine.infer_async(X))

    runner(kind)(main())
    model.release()
    assert engine.drain(PATIENCE_SECONDS)
    assert not kept[0].done()
    kept[0].cancel()
    assert kept[0].cancelled()
    engine.close()


def test_a_new_loop_in_the_same_thread_is_told_from_the_last_one(kind: str) -> None:
    with im.Engine(lambda x: x * 2, name="m", registry=im.NO_METRICS) as engine:

        async def main() -> None:
            pending = engine.infer_async(X)
            assert isinstance(pending, _core.Pending)
            assert pending.get_loop() is asyncio.get_running_loop()
            assert (await pending)[0, 0] == 2

        first, second = NEW_LOOP[kind](), NEW_LOOP[kind]()
        for loop in (first, second, first, second):  # both are alive
            loop.run_until_complete(main())
        first.close()
        second.close()
        for _ in range(20):  # one at the address of the other
            runner(kind)(main())


def test_several_loops_in_several_threads_at_once(kind: str) -> None:
    wrong: list[Any] = []
    registry = im.Registry()
    with (
        im.Engine(lambda x: x + 1, name="plus", registry=registry) as plus,
        im.Engine(lambda x: x * 2, name="twice", registry=registry) as twice,
    ):

        async def caller(number: int) -> None:
            for i in range(50):
                x = np.full((1, 2), 1000 * number + i)
                a, b = await asyncio.gather(plus.infer_async(x), twice.infer_async(x))
                if not ((a == x + 1).all() and (b == 2 * x).all()):
                    wrong.append(x)

        async def main(number: int) -> None:
            await asyncio.gather(*(caller(10 * number + i) for i in range(10)))

        threads = [threading.Thread(target=lambda n=n: runner(kind)(main(n))) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        for engine in (plus, twice):
            assert engine.stats()["requests"]["success"] == 4 * 10 * 50


def test_a_hundred_thousand_in_flight(kind: str) -> None:
    count = 100_000
    batching = im.Batching(max_queue_size=2 * count)
    with im.Engine(lambda x: x + 1, name="m", batching=batching, registry=im.Registry()) as engine:

        async def main() -> None:
            rows = np.arange(count, dtype=np.int64)[:, np.newaxis]
            pendings = [engine.infer_async(rows[i : i + 1]) for i in range(count)]
            answers = await asyncio.gather(*pendings)
            got = np.concatenate(answers)
            np.testing.assert_array_equal(got, rows + 1)

        runner(kind)(main())
        assert engine.stats()["requests"]["success"] == count


def test_the_loop_turns_while_many_answers_are_delivered(kind: str) -> None:
    count = 10_000
    batching = im.Batching(max_queue_size=count, max_batch_size=count)
    with (
        GatedModel() as model,
        im.Engine(model, name="m", batching=batching, registry=im.NO_METRICS) as engine,
    ):

        async def main() -> None:
            loop = asyncio.get_running_loop()
            first = engine.submit(X)  # the others wait for it, all of them
            model.wait_entered(1)
            pendings = [engine.infer_async(X) for _ in range(count)]
            done_at: list[int] = []
            turns = 0

            def turn() -> None:
                nonlocal turns
                turns += 1
                if len(done_at) < count:
                    loop.call_soon(turn)

            for pending in pendings:
                pending.add_done_callback(lambda _: done_at.append(turns))
            loop.call_soon(turn)
            model.release(2)
            await asyncio.gather(*pendings)
            first.result()
            assert model.batches == [1, count]
            assert len(set(done_at)) >= count // 1024

        runner(kind)(main())


def test_nothing_is_left_of_requests_that_have_ended() -> None:
    def failing(x: Any) -> Any:
        if x[0, 0] == 0:
            raise KeyError("no")
        return x

    with im.Engine(failing, name="m", registry=im.NO_METRICS) as engine:

        async def one(i: int) -> None:
            pending = engine.infer_async(X * (i % 2))
            if i % 3 == 0:
                pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)

        async def many(count: int) -> None:
            await asyncio.gather(*(one(i) for i in range(count)))

        async def main() -> None:
            tracemalloc.start()
            for _ in range(3):  # until asyncio's own lists are as long as they get
                await many(3000)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(3):
                await many(3000)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
            tracemalloc.stop()
            assert grown < 100_000  # 11 bytes a request: a leak of any object is more
            kinds = [type(one).__name__ for one in gc.get_objects()]
            assert kinds.count("Pending") == 0

        asyncio.run(main())
