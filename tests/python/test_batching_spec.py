"""The specification of batching against answers worked out by hand: when which requests go.

Rule by rule of docs/batching.md. What waits is in test_batching_spec_queue.
"""

from __future__ import annotations

import pytest

from batching_case import Case
from batching_history import Arrival as A
from batching_history import Options

IDLE = [
    Case("a lone request goes at once", Options(), [A(5)], [(5, "idle", (0,))]),
    Case(
        "while a batch runs the next one forms",
        Options(),
        [A(0), A(10), A(20)],
        [(0, "idle", (0,)), (100, "idle", (1, 2))],
    ),
]

FULL = [
    Case(
        "max_batch_size rows",
        Options(max_batch_size=2, max_queue_delay=50),
        [A(0), A(10), A(20)],
        [(10, "full", (0, 1)), (110, "delay", (2,))],
    ),
    Case(
        "the next one does not fit",
        Options(max_batch_size=4, max_queue_delay=50),
        [A(0, rows=3), A(10, rows=2)],
        [(10, "full", (0,)), (60, "delay", (1,))],
        cost=5,
    ),
    Case(
        "a small one does not pass one that does not fit",
        Options(max_batch_size=4),
        [A(0, rows=3), A(0, rows=2), A(0, rows=1)],
        [(0, "full", (0,)), (100, "idle", (1, 2))],
    ),
    Case(
        "a single one may be too large",
        Options(max_batch_size=4, max_queue_delay=50),
        [A(0, rows=6), A(0)],
        [(0, "full", (0,)), (100, "delay", (1,))],
    ),
]

DELAY = [
    Case(
        "counted from arrival, not from the moment of looking",
        Options(max_queue_delay=50),
        [A(0), A(60), A(140), A(210)],
        [(50, "delay", (0,)), (150, "delay", (1, 2)), (260, "delay", (3,))],
    ),
    Case(
        "what comes as it ends goes along",
        Options(max_queue_delay=50),
        [A(0), A(50)],
        [(50, "delay", (0, 1))],
    ),
    Case(
        "who leaves no longer counts",
        Options(max_queue_delay=50),
        [A(0, cancel_at=30), A(20)],
        [(70, "delay", (1,))],
        {0: ("cancelled", 30)},
    ),
]

PREFERRED = [
    Case(
        "goes before the delay is over",
        Options(max_batch_size=8, max_queue_delay=50, preferred_batch_sizes=(2, 4)),
        [A(0), A(10)],
        [(10, "preferred", (0, 1))],
    ),
    Case(
        "the longest beginning",
        Options(max_batch_size=8, max_queue_delay=50, preferred_batch_sizes=(2, 4)),
        [A(0)] * 5,
        [(0, "preferred", (0, 1, 2, 3)), (100, "delay", (4,))],
    ),
    Case(
        "is full at max_batch_size",
        Options(max_batch_size=4, max_queue_delay=50, preferred_batch_sizes=(2, 4)),
        [A(0)] * 4,
        [(0, "full", (0, 1, 2, 3))],
    ),
    Case(
        "before full",
        Options(max_batch_size=4, max_queue_delay=50, preferred_batch_sizes=(3,)),
        [A(0)] * 5,
        [(0, "preferred", (0, 1, 2)), (100, "delay", (3, 4))],
    ),
    Case(
        "not once the delay is over",
        Options(max_batch_size=8, max_queue_delay=50, preferred_batch_sizes=(2, 4)),
        [A(0), A(60), A(61), A(62)],
        [(50, "delay", (0,)), (150, "delay", (1, 2, 3))],
    ),
    Case(
        "as long as the delay is not over",
        Options(max_batch_size=8, max_queue_delay=50, preferred_batch_sizes=(2, 4)),
        [A(0), A(101), A(102), A(103)],
        [(50, "delay", (0,)), (150, "preferred", (1, 2)), (250, "delay", (3,))],
    ),
    Case(
        "without a delay",
        Options(preferred_batch_sizes=(2, 4)),
        [A(0)] * 3,
        [(0, "preferred", (0, 1)), (100, "idle", (2,))],
    ),
    Case(
        "as many rows as the largest, and the delay over",
        Options(max_batch_size=8, max_queue_delay=50, preferred_batch_sizes=(2,)),
        [A(0), A(60), A(61)],
        [(50, "delay", (0,)), (150, "delay", (1, 2))],
    ),
    Case(
        "more rows than the largest: the whole candidate",
        Options(max_batch_size=8, max_queue_delay=50, preferred_batch_sizes=(4,)),
        [A(0, rows=3), A(10, rows=3), A(20)],
        [(10, "preferred", (0, 1)), (70, "delay", (2,))],
        cost=5,
    ),
    Case(
        "more rows than the largest, and the delay over",
        Options(max_batch_size=8, max_queue_delay=50, preferred_batch_sizes=(2,)),
        [A(0), A(60), A(61), A(62)],
        [(50, "delay", (0,)), (150, "preferred", (1, 2, 3))],
    ),
    Case(
        "a single one with more rows than the largest",
        Options(max_batch_size=8, max_queue_delay=50, preferred_batch_sizes=(4,)),
        [A(0, rows=5)],
        [(0, "preferred", (0,))],
    ),
    Case(
        "full comes before more rows than the largest",
        Options(max_batch_size=8, max_queue_delay=50, preferred_batch_sizes=(4,)),
        [A(0, rows=3)] * 3,
        [(0, "full", (0, 1)), (100, "delay", (2,))],
    ),
    Case(
        "a cancellation can make a beginning fit, and then nobody waits for the next arrival",
        Options(max_batch_size=8, max_queue_delay=50, preferred_batch_sizes=(2, 6)),
        [A(0, rows=1, cancel_at=20), A(0, rows=2)],
        [(20, "preferred", (1,))],
        {0: ("cancelled", 20)},
    ),
]

SHAPE = [
    Case(
        "another group waits",
        Options(max_queue_delay=50),
        [A(0), A(10, group=1)],
        [(10, "shape", (0,)), (60, "delay", (1,))],
        cost=5,
    ),
    Case(
        "one group is gathered across others",
        Options(max_queue_delay=50),
        [A(0), A(0, group=1), A(0)],
        [(0, "shape", (0, 2)), (100, "delay", (1,))],
    ),
    Case(
        "the last group is alone, also beside a free instance",
        Options(max_queue_delay=50),
        [A(0), A(0, group=1)],
        [(0, "shape", (0,)), (50, "delay", (1,))],
        instances=2,
    ),
    Case(
        "a group whose other one is cancelled is alone",
        Options(max_queue_delay=50),
        [A(0), A(60), A(70, group=1, cancel_at=80), A(149)],
        [(50, "delay", (0,)), (150, "delay", (1, 3))],
        {2: ("cancelled", 80)},
    ),
    Case(
        "comes before idle",
        Options(),
        [A(0), A(0, group=1)],
        [(0, "shape", (0,)), (100, "idle", (1,))],
    ),
    Case(
        "without padding other lengths are other shapes",
        Options(max_queue_delay=50),
        [A(0, length=1), A(0, length=2)],
        [(0, "shape", (0,)), (100, "delay", (1,))],
    ),
    Case(
        "with padding they are not",
        Options(max_queue_delay=50, padding=True),
        [A(0, length=1), A(0, length=2)],
        [(50, "delay", (0, 1))],
    ),
    Case(
        "with buckets every group waits for its own company",
        Options(max_queue_delay=50, padding=True, buckets=(2, 5)),
        [A(0, length=1), A(10, length=4), A(20, length=2)],
        [(50, "delay", (0, 2)), (60, "delay", (1,))],
        cost=5,
    ),
    Case(
        "a length belongs to the first bucket that is not smaller",
        Options(max_queue_delay=50, padding=True, buckets=(2, 5)),
        [A(0, length=length) for length in (2, 3, 5, 6, 9)],
        [(50, "delay", (0,)), (50, "delay", (1, 2)), (50, "delay", (3, 4))],
        instances=3,
    ),
]

DRAIN = [
    Case(
        "waits for nobody and takes nobody",
        Options(max_queue_delay=50),
        [A(0), A(20), A(30)],
        [(20, "drain", (0,))],
        {1: ("shutdown", 20), 2: ("shutdown", 30)},
        drain_at=20,
    ),
    Case(
        "finishes what was accepted",
        Options(max_batch_size=2, max_queue_delay=50),
        [A(0), A(0), A(0), A(0), A(10)],
        [(0, "full", (0, 1)), (100, "full", (2, 3)), (200, "drain", (4,))],
        drain_at=150,
    ),
]

UNMERGED = [
    Case(
        "every request by itself, in the order of the queue",
        Options(merge_requests=False, max_batch_size=4, priority_levels=2),
        [A(0, rows=2), A(10, priority=2), A(20, rows=4, priority=1), A(30, group=1)],
        [(0, "idle", (0,)), (100, "idle", (2,)), (200, "idle", (3,)), (300, "idle", (1,))],
    ),
    Case(
        "several rows do not keep others from a free instance",
        Options(merge_requests=False, max_batch_size=4),
        [A(0, rows=4)] * 3,
        [(0, "idle", (0,)), (0, "idle", (1,)), (100, "idle", (2,))],
        instances=2,
    ),
    Case(
        "a timeout counts the time in the queue",
        Options(merge_requests=False, max_queue_size=2),
        [A(0, rows=2), A(0, rows=2, timeout=50), A(10), A(20)],
        [(0, "idle", (0,)), (100, "idle", (2,))],
        {1: ("timeout", 50), 3: ("rejected", 20)},
    ),
]

INSTANCES = [
    Case(
        "the lowest free one first",
        Options(max_batch_size=4),
        [A(0, rows=4), A(1), A(2), A(3)],
        [(0, "full", (0,)), (1, "idle", (1,)), (11, "idle", (2, 3))],
        cost=0,
        row_cost=10,
        instances=2,
    ),
    Case(
        "one instant may start several batches",
        Options(max_batch_size=1),
        [A(0)] * 3,
        [(0, "full", (0,)), (0, "full", (1,)), (100, "full", (2,))],
        instances=2,
    ),
    Case(
        "a batch that takes no time frees its instance at once",
        Options(max_batch_size=1),
        [A(0)] * 3,
        [(0, "full", (0,)), (0, "full", (1,)), (0, "full", (2,))],
        cost=0,
        instances=2,
    ),
    Case(
        "what comes as a batch ends goes with those that waited",
        Options(),
        [A(0), A(10), A(100)],
        [(0, "idle", (0,)), (100, "idle", (1, 2))],
    ),
]


@pytest.mark.parametrize(
    "case",
    IDLE + FULL + DELAY + PREFERRED + SHAPE + DRAIN + UNMERGED + INSTANCES,
    ids=lambda case: case.title,
)
def test_releases(case: Case) -> None:
    case.check()


def test_instances_are_numbered_from_the_lowest_free_one() -> None:
    history = INSTANCES[0].history()
    assert [(batch.instance, batch.start, batch.end) for batch in history.batches] == [
        (0, 0, 40),
        (1, 1, 11),
        (1, 11, 31),
    ]
    free = INSTANCES[2].history()
    assert [batch.instance for batch in free.batches] == [0, 1, 0]
