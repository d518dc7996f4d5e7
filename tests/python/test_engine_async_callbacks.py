"""Callbacks of what ``infer_async`` returns: their contexts, their order, their errors."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import numpy as np
import pytest

import inferometer as im
from gated_model import GatedModel
from inferometer import _core
from loop_runners import Run, pending_of

X = np.ones((1, 2), np.float32)


def test_callbacks(engine: im.Engine, model: GatedModel, run: Run) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")

    async def main() -> None:
        seen: list[tuple[str, str]] = []

        def record(name: str) -> Any:
            def callback(future: object) -> None:
                assert future is pending
                seen.append((name, variable.get()))

            return callback

        pending = pending_of(engine)
        context = contextvars.copy_context()
        context.run(variable.set, "own")
        pending.add_done_callback(record("a"), context=context)
        variable.set("copied")
        pending.add_done_callback(record("b"))
        removed = record("c")
        pending.add_done_callback(removed)
        pending.add_done_callback(removed)
        variable.set("changed")
        assert pending.remove_done_callback(removed) == 2
        assert pending.remove_done_callback(removed) == 0
        model.release()
        await pending
        assert seen == [("a", "own"), ("b", "copied")]
        pending.add_done_callback(record("late"))
        assert len(seen) == 2  # from the loop, never within the call
        await asyncio.sleep(0)
        assert seen[2] == ("late", "changed")
        with pytest.raises(TypeError, match="got no 'fn'"):
            pending.add_done_callback()  # type: ignore[call-arg]

    run(main())


def test_the_first_callback_can_be_removed(engine: im.Engine, model: GatedModel, run: Run) -> None:
    async def main() -> None:
        pending = pending_of(engine)
        seen: list[Any] = []
        pending.add_done_callback(seen.append)
        assert pending.remove_done_callback(seen.append) == 1
        pending.add_done_callback(seen.append)
        model.release()
        await pending
        await asyncio.sleep(0)
        assert seen == [pending]

    run(main())


def test_a_callback_that_raises_is_reported_and_harms_nobody(
    engine: im.Engine, model: GatedModel, run: Run
) -> None:
    async def main() -> None:
        reports: list[dict[str, Any]] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reports.append(context))

        def fails(future: object) -> None:
            raise KeyError("callback")

        pendings = [pending_of(engine) for _ in range(4)]
        pendings[1].add_done_callback(fails)
        model.release(4)
        answers = await asyncio.gather(*pendings)
        assert [answer[0, 0] for answer in answers] == [2] * 4
        await asyncio.sleep(0)
        (report,) = reports
        assert isinstance(report["exception"], KeyError)
        assert "Exception in callback" in report["message"]

    run(main())


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_callback_that_ends_the_loop_loses_no_answer(
    engine: im.Engine, model: GatedModel, kind: type[BaseException]
) -> None:
    def fails(future: object) -> None:
        raise kind

    loop = asyncio.new_event_loop()
    pendings: list[_core.Pending[Any]] = []

    async def submit() -> None:
        pendings.extend(pending_of(engine) for _ in range(5))
        pendings[1].add_done_callback(fails)
        pendings[1].add_done_callback(lambda _: seen.append("the other callback"))

    async def collect() -> list[Any]:
        return [(await pending)[0, 0] for pending in pendings]

    seen: list[str] = []
    loop.run_until_complete(submit())
    model.release(5)
    with pytest.raises(kind):
        loop.run_forever()
    assert loop.run_until_complete(collect()) == [2] * 5
    assert seen == ["the other callback"]
    loop.close()


def test_a_context_that_is_in_use_is_no_obstacle(
    engine: im.Engine, model: GatedModel, run: Run
) -> None:
    # Who shares one context between tasks may be running in it when the answer comes.
    async def main() -> None:
        loop = asyncio.get_running_loop()
        shared = contextvars.copy_context()
        seen: list[Any] = []
        pendings = [pending_of(engine) for _ in range(2)]

        def outer(future: object) -> None:
            # The answer of the second comes while `shared` is entered by the first.
            pendings[1].add_done_callback(seen.append, context=shared)
            seen.append("outer")

        pendings[0].add_done_callback(outer, context=shared)
        model.release(2)
        await asyncio.gather(*pendings)
        await asyncio.sleep(0)
        assert seen == ["outer", pendings[1]]
        assert loop.is_running()

    run(main())
