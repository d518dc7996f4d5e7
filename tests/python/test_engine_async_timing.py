"""``timing`` of what ``infer_async`` returns: there once the request has ended, in whatever way."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

import inferometer as im
from gated_model import PATIENCE_SECONDS, GatedModel
from loop_runners import Run, entered, pending_of

X = np.ones((1, 2), np.float32)


def assert_not_ended(pending: im.Pending[Any]) -> None:
    """It is as a handle is before its end."""
    with pytest.raises(im.Error, match="the request has not ended yet: it has no timing"):
        _ = pending.timing


def test_an_answered_request_has_the_timing_of_its_batch(
    engine: im.Engine, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        first = pending_of(engine)
        assert_not_ended(first)
        await entered(model, 1)
        assert_not_ended(first)
        handle = engine.submit(X[[0, 0]])
        second = pending_of(engine)
        await asyncio.sleep(0)
        model.release(2)
        await asyncio.gather(first, second)
        handle.result(PATIENCE_SECONDS)

        assert isinstance(first.timing, im.Timing)
        assert first.timing.batch_size == 1 and first.timing.reason == "idle"
        timing = second.timing
        assert timing.batch_size == 3 and timing.reason == handle.timing.reason == "idle"
        assert timing.compute == handle.timing.compute > 0  # of one batch
        assert 0 < timing.queue <= handle.timing.queue  # it came later
        assert timing.total >= timing.queue + timing.compute
        with pytest.raises(AttributeError):
            second.timing = timing  # type: ignore[misc]

    run(main())


def test_a_callback_sees_it(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        model.release()
        seen: list[int] = []
        pending = pending_of(engine)
        pending.add_done_callback(lambda done: seen.append(done.timing.batch_size))
        await pending
        await asyncio.sleep(0)
        assert seen == [1]

    run(main())


def test_a_failed_request_has_one(run: Run) -> None:
    def model(x: Any) -> Any:
        raise RuntimeError(f"{len(x)} rows")

    async def main() -> None:
        async with im.Engine(model, name="m", registry=im.NO_METRICS) as engine:
            pending = pending_of(engine)
            with pytest.raises(im.ModelError):
                await pending
            assert pending.timing.batch_size == 1 and pending.timing.compute > 0

    run(main())


def test_a_late_request_never_reached_the_model(
    engine: im.Engine, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        running = pending_of(engine)
        await entered(model, 1)
        late = pending_of(engine, timeout=0.001)
        with pytest.raises(im.DeadlineExceededError):
            await late
        assert late.timing.batch_size == 0 and late.timing.reason is None
        assert late.timing.queue == late.timing.total >= 0.001 and late.timing.compute == 0
        assert_not_ended(running)

    run(main())


def test_a_cancelled_request_has_one_at_once(
    engine: im.Engine, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        running = pending_of(engine)
        await entered(model, 1)
        queued = pending_of(engine)
        totals = []
        for pending, rows in ((running, 1), (queued, 0)):
            assert pending.cancel()
            assert pending.timing.batch_size == rows  # its end is not delivered yet
            totals.append(pending.timing.total)
            with pytest.raises(asyncio.CancelledError):
                await pending
        model.release(2)
        await engine.infer_async(X)  # by now it is
        assert running.timing.batch_size == 1 and queued.timing.batch_size == 0
        assert [running.timing.total, queued.timing.total] == totals
        assert min(totals) > 0

    run(main())


def test_a_refused_request_has_none(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        model.release()
        await engine.infer_async(X)
        refused = pending_of(engine, X[:, :1])
        assert refused.done()
        with pytest.raises(im.Error, match="the request was refused: it has no timing"):
            _ = refused.timing
        with pytest.raises(im.ShapeError):
            await refused

    run(main())


def test_one_that_its_loop_let_go_of_has_not_ended(engine: im.Engine, run: Run) -> None:
    kept: list[im.Pending[Any]] = []

    async def main() -> None:
        kept.append(pending_of(engine))

    run(main())
    assert_not_ended(kept[0])


def test_a_batched_functions_requests_have_one(run: Run) -> None:
    @im.batched(im.Batching(max_batch_size=4), name="lengths", registry=im.NO_METRICS)
    def lengths(texts: list[str]) -> list[int]:
        return [len(text) for text in texts]

    async def main() -> None:
        pending = lengths.infer_async("four")
        assert await pending == 4
        assert pending.timing.batch_size == 1

    run(main())
    lengths.close()
