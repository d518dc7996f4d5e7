"""Cancelling what ``infer_async`` returns, in every state."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import numpy as np
import pytest

import inferometer as im
from gated_model import GatedModel
from loop_runners import Run, entered, pending_of

X = np.ones((1, 2), np.float32)


def test_timeouts_cancel_the_request(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(engine.infer_async(X), 0.001)
        cancelled = 1
        if sys.version_info >= (3, 11):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await engine.infer_async(X)
            cancelled = 2
        assert engine.stats()["requests"]["cancelled"] == cancelled

    run(main())


def test_a_shielded_request_goes_on(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        pending = pending_of(engine)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(pending), 0.001)
        assert not pending.done()
        model.release()
        assert (await pending)[0, 0] == 2

    run(main())


def test_cancelled_in_every_state(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        async def caller() -> Any:
            return await engine.infer_async(X)

        before_it_ran = asyncio.ensure_future(caller())
        before_it_ran.cancel()
        in_this_turn = pending_of(engine)
        assert in_this_turn.cancel("gone") is True
        assert in_this_turn.cancelled() and in_this_turn.cancel() is False
        running = asyncio.ensure_future(caller())
        await entered(model, 1)
        queued = asyncio.ensure_future(caller())
        await asyncio.sleep(0)
        for task in (running, queued):
            assert task.cancel()
        for waiter in (before_it_ran, running, queued):
            with pytest.raises(asyncio.CancelledError):
                await waiter
        with pytest.raises(asyncio.CancelledError, match="gone"):
            await in_this_turn
        with pytest.raises(asyncio.CancelledError):
            in_this_turn.exception()
        # Cancelled before it awaits: the request is made, and cancelled by the await.
        current = asyncio.ensure_future(caller())
        asyncio.get_running_loop().call_soon(current.cancel)
        with pytest.raises(asyncio.CancelledError):
            await current
        model.release(10)
        done = pending_of(engine)
        await done
        assert done.cancel() is False and not done.cancelled()
        alone = pending_of(engine)
        alone.cancel("alone")
        gathered = await asyncio.gather(alone, return_exceptions=True)
        assert isinstance(gathered[0], asyncio.CancelledError) and gathered[0].args == ("alone",)
        # The group of a gather.
        model.release(10)
        group = asyncio.gather(*(engine.infer_async(X) for _ in range(3)))
        group.cancel()
        with pytest.raises(asyncio.CancelledError):
            await group

    run(main())
    assert engine.drain(60)
    stats = engine.stats()["requests"]
    assert stats["success"] == 1 and stats["cancelled"] == 8


def test_a_cancelled_request_does_not_wake_within_cancel(
    engine: im.Engine, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        pending = pending_of(engine)
        seen: list[Any] = []
        pending.add_done_callback(seen.append)
        pending.cancel()
        assert seen == []  # the canceller runs: it must not be interrupted
        await asyncio.sleep(0)
        assert seen == [pending]

    run(main())


def test_cancelling_the_end_of_async_with_closes_at_once(model: GatedModel, run: Run) -> None:
    """Ctrl-C does the same: it must not wait for a drain of 30 s."""

    async def main() -> None:
        engine = im.Engine(model, name="m", registry=im.NO_METRICS)
        requests: list[Any] = []

        async def user() -> None:
            async with engine:
                requests.extend(engine.infer_async(X) for _ in range(3))
                await entered(model, 1)

        task = asyncio.ensure_future(user())
        while engine.ready:  # until it drains
            await asyncio.sleep(0)
        task.cancel()
        while not engine.closed:
            await asyncio.sleep(0)
        model.release()
        with pytest.raises(asyncio.CancelledError):
            await task
        for request in requests:
            with pytest.raises(im.ClosedError):
                await request

    run(main())
