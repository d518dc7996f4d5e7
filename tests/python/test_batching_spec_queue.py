"""The specification of batching against answers worked out by hand: what waits, in which order.

Levels, limits, deadlines and cancellations, rule by rule of docs/batching.md.
"""

from __future__ import annotations

import pytest

from batching_case import Case
from batching_history import Arrival as A
from batching_history import Options, Policy

LEVELS = [
    Case(
        "the lowest level first",
        Options(max_batch_size=1, priority_levels=2),
        [A(0, priority=2), A(10, priority=2), A(20, priority=1)],
        [(0, "full", (0,)), (100, "full", (2,)), (200, "full", (1,))],
    ),
    Case(
        "a batch may mix levels",
        Options(priority_levels=2),
        [A(0, priority=2), A(10, priority=2), A(20, priority=1)],
        [(0, "idle", (0,)), (100, "idle", (2, 1))],
    ),
    Case(
        "who has none gets the default",
        Options(priority_levels=3, default_priority_level=2),
        [A(0, priority=1), A(10, priority=3), A(20), A(30, priority=1), A(40, priority=2)],
        [(0, "idle", (0,)), (100, "idle", (3, 2, 4, 1))],
    ),
    Case(
        "the group with the most urgent request first",
        Options(priority_levels=2),
        [A(0, priority=2), A(10, priority=2), A(20, 1, 1, group=1), A(30, 1, 1, group=0)],
        [(0, "idle", (0,)), (100, "shape", (2,)), (200, "idle", (3, 1))],
    ),
    Case(
        "the delay counts from the oldest of all levels",
        Options(max_queue_delay=50, priority_levels=2),
        [A(0, priority=2), A(40, priority=1)],
        [(50, "delay", (1, 0))],
    ),
    Case(
        "also from one that is not in the candidate",
        Options(
            max_batch_size=4, max_queue_delay=50, preferred_batch_sizes=(2,), priority_levels=2
        ),
        [A(0, rows=4), A(10, rows=3, priority=2), A(90, rows=2, priority=1)],
        [(0, "full", (0,)), (100, "full", (2,)), (200, "preferred", (1,))],
    ),
]

LIMITS = [
    Case(
        "max_queue_size counts what waits, not what is with the model",
        Options(max_queue_size=2),
        [A(0), A(10), A(20), A(30), A(100)],
        [(0, "idle", (0,)), (100, "idle", (1, 2))],
        {3: ("rejected", 30), 4: ("rejected", 100)},
    ),
    Case(
        "a level's own limit",
        Options(priority_levels=2, priority_queue_policy={2: Policy(max_queue_size=1)}),
        [A(0), A(10, priority=2), A(20, priority=2), A(30, priority=1), A(40, priority=1)],
        [(0, "idle", (0,)), (100, "idle", (3, 4, 1))],
        {2: ("rejected", 20)},
    ),
    Case(
        "also for those who have it by default",
        Options(
            priority_levels=2,
            default_priority_level=2,
            priority_queue_policy={2: Policy(max_queue_size=1)},
        ),
        [A(0), A(10), A(20), A(30, priority=1)],
        [(0, "idle", (0,)), (100, "idle", (3, 1))],
        {2: ("rejected", 20)},
    ),
    Case(
        "the default policy's limit is that of each level without a policy",
        Options(
            priority_levels=3,
            default_queue_policy=Policy(max_queue_size=1),
            priority_queue_policy={3: Policy()},
        ),
        [A(0), *(A(10 + i, priority=1 + i // 2) for i in range(6))],
        [(0, "idle", (0,)), (100, "idle", (1, 3, 5, 6))],
        {2: ("rejected", 11), 4: ("rejected", 13)},
    ),
    Case(
        "bytes",
        Options(max_queue_bytes=10),
        [A(0, nbytes=10), A(1, nbytes=6), A(2, nbytes=5), A(3, nbytes=4), A(4), A(5, nbytes=1)],
        [(0, "idle", (0,)), (100, "idle", (1, 3, 4))],
        {2: ("rejected", 2), 5: ("rejected", 5)},
    ),
    Case(
        "what is larger than the limit never fits",
        Options(max_queue_bytes=10),
        [A(0, nbytes=11)],
        [],
        {0: ("rejected", 0)},
    ),
    Case(
        "expiry makes room at its instant",
        Options(max_queue_size=1),
        [A(0), A(10, timeout=20), A(30), A(31)],
        [(0, "idle", (0,)), (100, "idle", (2,))],
        {1: ("timeout", 30), 3: ("rejected", 31)},
    ),
    Case(
        "a release makes none for what comes at its instant",
        Options(max_queue_size=1),
        [A(0), A(0), A(10), A(100), A(101)],
        [(0, "idle", (0,)), (100, "idle", (2,)), (200, "idle", (4,))],
        {1: ("rejected", 0), 3: ("rejected", 100)},
    ),
    Case(
        "who was put behind counts in its level",
        Options(
            priority_levels=2,
            priority_queue_policy={2: Policy(max_queue_size=1, timeout=20, timeout_action="delay")},
        ),
        [A(0), A(10, priority=2), A(50, priority=2)],
        [(0, "idle", (0,)), (100, "idle", (1,))],
        {2: ("rejected", 50)},
    ),
]

DEADLINES = [
    Case(
        "in the queue, while all instances are busy",
        Options(),
        [A(0), A(10, timeout=20)],
        [(0, "idle", (0,))],
        {1: ("timeout", 30)},
    ),
    Case(
        "with the model, whose batch goes on",
        Options(),
        [A(0, timeout=50), A(60)],
        [(0, "idle", (0,)), (100, "idle", (1,))],
        {0: ("timeout", 50)},
    ),
    Case(
        "before a release of the same instant",
        Options(),
        [A(0), A(10, timeout=90)],
        [(0, "idle", (0,))],
        {1: ("timeout", 100)},
    ),
    Case(
        "as the delay ends",
        Options(max_queue_delay=50),
        [A(0, timeout=50)],
        [],
        {0: ("timeout", 50)},
    ),
    Case(
        "after a batch that ends at the same instant",
        Options(),
        [A(0, timeout=100)],
        [(0, "idle", (0,))],
    ),
    Case("at once", Options(), [A(0, timeout=0)], [], {0: ("timeout", 0)}),
    Case(
        "the default is for who has none",
        Options(default_timeout=20),
        [A(0, timeout=100), A(10), A(20, timeout=30), A(30, timeout=500)],
        [(0, "idle", (0,)), (100, "idle", (3,))],
        {1: ("timeout", 30), 2: ("timeout", 50)},
    ),
]

CANCELLATIONS = [
    Case(
        "in the queue and with the model, whose batch goes on",
        Options(),
        [A(0, cancel_at=50), A(10, cancel_at=20), A(60)],
        [(0, "idle", (0,)), (100, "idle", (2,))],
        {0: ("cancelled", 50), 1: ("cancelled", 20)},
    ),
    Case(
        "before a release of the same instant, after a batch that ends then",
        Options(),
        [A(0, cancel_at=100), A(10, cancel_at=100), A(100, cancel_at=100), A(100, cancel_at=7)],
        [(0, "idle", (0,))],
        {1: ("cancelled", 100), 2: ("cancelled", 100), 3: ("cancelled", 100)},
    ),
    Case(
        "after a deadline of the same instant",
        Options(),
        [A(0, timeout=50, cancel_at=50)],
        [(0, "idle", (0,))],
        {0: ("timeout", 50)},
    ),
    Case(
        "of what was refused does nothing",
        Options(max_queue_size=1),
        [A(0), A(0, cancel_at=50)],
        [(0, "idle", (0,))],
        {1: ("rejected", 0)},
    ),
]


@pytest.mark.parametrize(
    "case",
    LEVELS + LIMITS + DEADLINES + CANCELLATIONS,
    ids=lambda case: case.title,
)
def test_queue(case: Case) -> None:
    case.check()
