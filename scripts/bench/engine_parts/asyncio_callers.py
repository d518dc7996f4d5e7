"""Many asyncio tasks on `tiny`: 64 beside the batchers, and how the cost grows with more."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from comparison.samples import emit, ratios

from engine_parts import groups
from engine_parts.batchers import MAX_BATCH, InlineBatcher, Model, ThreadBatcher
from engine_parts.engines import engine
from engine_parts.groups import MANY, NATIVE, NUMPY
from engine_parts.rounds import measure, rounds
from engine_parts.settings import Settings
from engine_parts.turns import AsyncCall, awaits, calls_in_turn, turn
from engine_parts.who import BARE, INLINE, OURS, THREAD
from workloads import TINY

CALLERS = 64
FASTEST_SECONDS = 1e-6  # no design answers a request in less
LONG_ROUNDS = 9  # of what takes seconds


def bare(model: Model, seconds: float) -> Callable[[], float]:
    """Full batches without anybody around the model; a turn returns seconds a row."""
    batches = turn(partial(calls_in_turn, partial(model, TINY.rows(MAX_BATCH))), seconds, 10)
    return lambda: batches() / MAX_BATCH


def measure_sixty_four(settings: Settings, stack: ExitStack) -> None:
    """Native and numpy; the batchers call the same model: `Model.run`, and the numpy function."""
    x = TINY.rows(1)
    native = TINY.native()
    models: dict[str, tuple[Any, Model]] = {NATIVE: (native, native.run), NUMPY: (TINY, TINY)}
    for name, (model, function) in models.items():
        group = groups.asyncio_callers(name)
        if not settings.wants(group):
            continue
        ours = engine(stack, model, group)
        in_thread = ThreadBatcher(function)
        stack.callback(in_thread.close)
        runs = {
            OURS: partial(awaits, partial(ours.infer_async, x), CALLERS),
            INLINE: partial(awaits, partial(InlineBatcher(function).infer, x), CALLERS),
            THREAD: partial(awaits, partial(in_thread.infer, x), CALLERS),
        }
        turns = {who: turn(run, settings.seconds, 10 * CALLERS) for who, run in runs.items()}
        turns[BARE] = bare(function, settings.seconds)
        measure(group, turns, settings)


def among(call: AsyncCall, count: int, seconds: float) -> Callable[[], float]:
    """The turn of so many tasks; of very many, one request each takes longer than a turn."""
    if count * FASTEST_SECONDS > seconds:
        return partial(awaits, call, count, count)
    return turn(partial(awaits, call, count), seconds, count)


def measure_in_flight(settings: Settings, stack: ExitStack) -> None:
    """What a request costs among 1,000 and 100,000, and among 64 in the same round."""
    wanted = [
        count
        for count in MANY
        if settings.wants(groups.in_flight(count), groups.in_flight_cost(count))
    ]
    if not wanted:
        return
    x = TINY.rows(1)
    model = TINY.native()
    ours = engine(stack, model, "in flight")
    calls: dict[str, AsyncCall] = {
        OURS: partial(ours.infer_async, x),
        INLINE: partial(InlineBatcher(model.run).infer, x),
    }
    designs = {
        f"{who} {count}": among(call, count, settings.seconds)
        for who, call in calls.items()
        for count in (CALLERS, *wanted)
    }
    fewer = dataclasses.replace(settings, rounds=min(settings.rounds, LONG_ROUNDS))
    values = rounds("in flight, native tiny", designs, fewer)
    for who in calls:
        for count in wanted:
            seconds = values[f"{who} {count}"]
            emit(groups.in_flight(count), who, seconds)
            cost = ratios(seconds, values[f"{who} {CALLERS}"])
            emit(groups.in_flight_cost(count), who, cost)


def main() -> None:
    """Both."""
    settings = Settings.of_argument(sys.argv[1])
    with ExitStack() as stack:
        measure_sixty_four(settings, stack)
        measure_in_flight(settings, stack)


if __name__ == "__main__":
    main()
