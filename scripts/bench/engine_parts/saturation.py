"""`mid` under 64 callers that never pause: which share of the bare batch-64 rate is left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

from comparison.samples import emit, ratios

from engine_parts import groups
from engine_parts.batchers import MAX_BATCH, InlineBatcher, ThreadedBatcher
from engine_parts.engines import engine
from engine_parts.rounds import rounds
from engine_parts.settings import Settings
from engine_parts.turns import AsyncCall, awaits, calls_in_turn, threads, turn
from engine_parts.who import BARE, INLINE, OURS, THREADED
from workloads import MID

CALLERS = 64
DELAYS_MS = (0, 2)
TURN = 3  # times as long as others': a batch takes a millisecond


def rate(infer: Callable[[], object], seconds: float) -> float:
    """Seconds a request of threads."""
    return 1 / threads(infer, CALLERS, seconds).calls_per_second


def shares(
    callers: str, peer: str, turns: Mapping[str, Callable[[], float]], settings: Settings
) -> None:
    """Measures one kind of caller; a turn returns seconds a request."""
    values = rounds(f"saturation, mid, 64 {callers}", turns, settings)

    def share(who: str) -> list[float]:
        return [100 * ratio for ratio in ratios(values[BARE], values[who])]

    for delay in DELAYS_MS:
        emit(groups.saturation(callers, delay), OURS, share(f"{OURS} {delay}"))
    emit(groups.saturation(callers, 0), peer, share(peer))


def main() -> None:
    """Asyncio tasks and threads."""
    settings = Settings.of_argument(sys.argv[1])
    x, batch = MID.rows(1), MID.rows(MAX_BATCH)
    model = MID.native()
    seconds = TURN * settings.seconds
    with ExitStack() as stack:
        ours = {
            f"{OURS} {delay}": engine(stack, model, f"saturation {delay}", delay / 1000)
            for delay in DELAYS_MS
        }
        bare = turn(partial(calls_in_turn, partial(model.run, batch)), seconds, 2)
        always = {BARE: lambda: bare() / MAX_BATCH}

        callers = "asyncio callers"
        if settings.wants(*(groups.saturation(callers, delay) for delay in DELAYS_MS)):
            calls: dict[str, AsyncCall] = {
                who: partial(one.infer_async, x) for who, one in ours.items()
            }
            calls[INLINE] = partial(InlineBatcher(model.run).infer, x)
            turns = {
                who: turn(partial(awaits, call, CALLERS), seconds, 2 * CALLERS)
                for who, call in calls.items()
            }
            shares(callers, INLINE, {**always, **turns}, settings)

        callers = "Python threads"
        if settings.wants(*(groups.saturation(callers, delay) for delay in DELAYS_MS)):
            peer = ThreadedBatcher(model.run)
            stack.callback(peer.close)
            blocking = {who: partial(one.infer, x) for who, one in ours.items()}
            blocking[THREADED] = partial(peer.infer, x)
            in_threads = {who: partial(rate, call, seconds) for who, call in blocking.items()}
            shares(callers, THREADED, {**always, **in_threads}, settings)


if __name__ == "__main__":
    main()
