"""The engine's table: which values, and what was to be reached."""

from __future__ import annotations

from typing import Final

from comparison.rows import Row

from engine_parts import groups
from engine_parts.groups import NATIVE, NUMPY
from engine_parts.who import BARE, INLINE, MUTEX, OURS, RUN, THREAD, THREADED


def _seconds(
    group: str, unit: str, reach: float | None = None, peer: str = "", times: float | None = None
) -> Row:
    what = f"{group}; {peer}" if peer else group
    scale = {"ns": 1e9, "µs": 1e6, "ms": 1e3}[unit]
    return Row(what, unit, group, OURS, "", peer, reach, scale, times=times)


def _threads(group: str, peer: str, rate: float, p99_ms: float) -> list[Row]:
    return [
        Row(f"{group}; {peer}", "/s", group, OURS, "", peer, rate, larger_is_better=True),
        _seconds(groups.p50(group), "ms", None, peer),
        _seconds(groups.p99(group), "ms", p99_ms, peer),
    ]


def _saturation(callers: str, peer: str, *settings: str) -> list[Row]:
    return [
        Row(
            f"{groups.saturation(callers, how)}; {peer}",
            "%",
            groups.saturation(callers, how),
            OURS,
            groups.saturation(callers, groups.DEFAULT),
            peer,
            97,
            larger_is_better=True,
        )
        for how in (groups.DEFAULT, groups.DELAYED, *settings)
    ]


ROWS: Final = [
    _seconds(groups.LONE_CPP, "ns", 100),
    _seconds(groups.LONE_CPP_SILENT, "ns"),
    _seconds(groups.LONE_NATIVE, "µs", 0.4),
    _seconds(groups.LONE_PYTHON, "µs", 0.4),
    # Model.run itself takes most of a microsecond, so less than nothing may be added to it: all of
    # a call that computes nothing is to stay within the same reach.
    _seconds(groups.LONE_NO_WORK, "µs", 0.4, RUN),
    _seconds(groups.AWAIT_INLINE, "µs", 7, INLINE),
    _seconds(groups.AWAIT_WORKER, "µs", 80, THREAD),
    _seconds(groups.asyncio_callers(NATIVE), "µs", 2.2, BARE),
    _seconds(groups.asyncio_callers(NATIVE), "µs", None, INLINE, 1.8),
    _seconds(groups.asyncio_callers(NATIVE), "µs", None, THREAD),
    _seconds(groups.asyncio_callers(NUMPY), "µs", None, BARE),
    _seconds(groups.asyncio_callers(NUMPY), "µs", None, INLINE, 1.4),
    _seconds(groups.asyncio_callers(NUMPY), "µs", None, THREAD, 2),
    *(
        row
        for callers, times in zip(groups.MANY, (1.3, 2), strict=True)
        for row in (
            _seconds(groups.in_flight(callers), "µs", None, INLINE),
            Row(
                groups.in_flight_cost(callers),
                "times",
                groups.in_flight_cost(callers),
                OURS,
                "",
                INLINE,
                times,
            ),
        )
    ),
    *_threads(groups.python_threads(16, NATIVE), THREADED, 150_000, 1),
    *_threads(groups.python_threads(64, NATIVE), THREADED, 130_000, 5),
    *_threads(groups.python_threads(16, NUMPY), THREADED, 90_000, 1),
    *_threads(groups.python_threads(64, NUMPY), THREADED, 110_000, 3),
    *_threads(groups.cpp_threads(16), MUTEX, 180_000, 0.3),
    *_threads(groups.cpp_threads(64), MUTEX, 220_000, 1),
    *(
        Row(
            f"{groups.evenness(groups.cpp_threads(count))}; {MUTEX}",
            "%",
            groups.evenness(groups.cpp_threads(count)),
            OURS,
            "",
            MUTEX,
            scale=100,
            larger_is_better=True,
        )
        for count in groups.THREADS
    ),
    *(
        row
        for callers in groups.SATURATING_TASKS
        for row in _saturation(callers, INLINE, groups.ON_THE_LOOP)
    ),
    *_saturation(groups.SATURATING_THREADS, THREADED),
    Row(groups.IDLE, "", groups.IDLE, OURS, reach=0),
]
