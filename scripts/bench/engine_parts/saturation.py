"""`mid` under callers that never pause: which share of the bare batch-64 rate is left.

With 64 callers all of them are in one batch or wait for it: whoever wakes up in between is paid for
with the model's time. With 256 the next batches form meanwhile.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

from comparison.samples import emit, ratios

import inferometer as im
from engine_parts import groups
from engine_parts.batchers import MAX_BATCH, InlineBatcher, ThreadedBatcher
from engine_parts.engines import engine
from engine_parts.rounds import rounds
from engine_parts.settings import Settings
from engine_parts.turns import AsyncCall, awaits, calls_in_turn, threads, turn
from engine_parts.who import BARE, INLINE, OURS, THREADED
from workloads import MID

TURN = 3  # times as long as others': a batch takes a millisecond
LONGER_THAN_A_BATCH = 10e-3


def rate(infer: Callable[[], object], callers: int, seconds: float) -> float:
    """Seconds a request of threads."""
    return 1 / threads(infer, callers, seconds).calls_per_second


def shares(
    callers: str, peer: str, turns: Mapping[str, Callable[[], float]], settings: Settings
) -> None:
    """Measures one kind of caller; a turn returns seconds a request."""
    values = rounds(f"saturation, mid, {callers}", turns, settings)

    def share(who: str) -> list[float]:
        return [100 * ratio for ratio in ratios(values[BARE], values[who])]

    for who in values:
        if who not in (BARE, peer):
            emit(groups.saturation(callers, who), OURS, share(who))
    emit(groups.saturation(callers, groups.DEFAULT), peer, share(peer))


def wanted(settings: Settings, callers: str, hows: Mapping[str, im.Engine]) -> bool:
    """Whether any of its rows is."""
    return settings.wants(*(groups.saturation(callers, how) for how in hows))


def main() -> None:
    """Asyncio tasks and threads."""
    settings = Settings.of_argument(sys.argv[1])
    x, batch = MID.rows(1), MID.rows(MAX_BATCH)
    model = MID.native()
    seconds = TURN * settings.seconds
    with ExitStack() as stack:
        ours = {
            groups.DEFAULT: engine(stack, model, "saturation"),
            groups.DELAYED: engine(stack, model, "saturation, delayed", 2e-3),
        }
        on_the_loop = engine(
            stack, model, "saturation, on the loop", inline_limit=LONGER_THAN_A_BATCH
        )
        bare = turn(partial(calls_in_turn, partial(model.run, batch)), seconds, 2)
        always = {BARE: lambda: bare() / MAX_BATCH}

        for callers in groups.SATURATING_TASKS:
            awaited = {**ours, groups.ON_THE_LOOP: on_the_loop}
            if not wanted(settings, callers, awaited):
                continue
            count = int(callers.split()[0])
            calls: dict[str, AsyncCall] = {
                how: partial(one.infer_async, x) for how, one in awaited.items()
            }
            calls[INLINE] = partial(InlineBatcher(model.run).infer, x)
            turns = {
                who: turn(partial(awaits, call, count), seconds, 2 * count)
                for who, call in calls.items()
            }
            shares(callers, INLINE, {**always, **turns}, settings)

        callers = groups.SATURATING_THREADS
        if wanted(settings, callers, ours):
            count = int(callers.split()[0])
            peer = ThreadedBatcher(model.run)
            stack.callback(peer.close)
            blocking = {how: partial(one.infer, x) for how, one in ours.items()}
            blocking[THREADED] = partial(peer.infer, x)
            in_threads = {
                who: partial(rate, call, count, seconds) for who, call in blocking.items()
            }
            shares(callers, THREADED, {**always, **in_threads}, settings)


if __name__ == "__main__":
    main()
