"""One caller from Python: what `infer()` adds to the bare call, and what an `await` takes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from comparison.samples import emit, emit_absent
from numpy.typing import NDArray

from engine_parts import groups
from engine_parts.batchers import InlineBatcher, ThreadBatcher
from engine_parts.engines import OptionNotThere, engine
from engine_parts.rounds import measure, rounds
from engine_parts.settings import Settings
from engine_parts.turns import awaits, calls_in_turn, turn
from engine_parts.who import INLINE, OURS, RUN, THREAD
from workloads import TINY, identity, native

Array = NDArray[Any]


def no_work(x: Array) -> Array:
    """A Python model that does nothing."""
    return x


def blocking(call: Callable[[], object], settings: Settings) -> Callable[[], float]:
    """The turn of a caller that blocks."""
    return turn(partial(calls_in_turn, call), settings.seconds, 100)


def added(
    group: str, bare: Callable[[], object], ours: Callable[[], object], settings: Settings
) -> None:
    """What a call takes longer than the bare one, round by round."""
    designs = {RUN: blocking(bare, settings), OURS: blocking(ours, settings)}
    values = rounds(group, designs, settings)
    emit(group, OURS, [a - b for a, b in zip(values[OURS], values[RUN], strict=True)])


def measure_blocking(settings: Settings, stack: ExitStack) -> None:
    """`infer()`. The bare native model is `Model.run`, which makes an answer's array as well."""
    x = TINY.rows(1)
    models: dict[str, tuple[Any, Callable[[Array], object]]] = {}
    tiny = TINY.native()
    models[groups.LONE_NATIVE] = tiny, tiny.run
    models[groups.LONE_PYTHON] = no_work, no_work
    for group, (model, bare) in models.items():
        if settings.wants(group):
            ours = engine(stack, model, group)
            added(group, partial(bare, x), partial(ours.infer, x), settings)
    if settings.wants(groups.LONE_NO_WORK):
        model = native(identity(64))
        ours = engine(stack, model, groups.LONE_NO_WORK)
        calls = {OURS: partial(ours.infer, x), RUN: partial(model.run, x)}
        turns = {who: blocking(call, settings) for who, call in calls.items()}
        measure(groups.LONE_NO_WORK, turns, settings)


def measure_await(settings: Settings, stack: ExitStack) -> None:
    """`await infer_async()`."""
    x = TINY.rows(1)
    model = TINY.native()
    in_thread = ThreadBatcher(model.run)
    stack.callback(in_thread.close)
    for group, peer, infer, options in (
        (groups.AWAIT_INLINE, INLINE, InlineBatcher(model.run).infer, {}),
        (groups.AWAIT_WORKER, THREAD, in_thread.infer, {"inline_limit": 0.0}),
    ):
        if not settings.wants(group):
            continue
        try:
            ours = engine(stack, TINY.native(), group, **options)
        except OptionNotThere:
            emit_absent(group, OURS, "not there yet")
            continue
        designs = {
            OURS: partial(awaits, partial(ours.infer_async, x), 1),
            peer: partial(awaits, partial(infer, x), 1),
        }
        turns = {who: turn(run, settings.seconds, 50) for who, run in designs.items()}
        measure(group, turns, settings)


def main() -> None:
    """Both."""
    settings = Settings.of_argument(sys.argv[1])
    with ExitStack() as stack:
        measure_blocking(settings, stack)
        measure_await(settings, stack)


if __name__ == "__main__":
    main()
