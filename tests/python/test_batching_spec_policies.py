"""The specification of batching against answers worked out by hand: queue policies."""

from __future__ import annotations

import pytest

from batching_case import Case
from batching_history import Arrival as A
from batching_history import Options, Policy

BEHIND = Policy(timeout=20, timeout_action="delay")


def override(policy: Policy) -> Policy:
    return Policy(policy.max_queue_size, policy.timeout, policy.timeout_action, True)


POLICIES = [
    Case(
        "reject: what waits, not what is with the model",
        Options(default_queue_policy=Policy(timeout=20)),
        [A(0), A(10), A(85)],
        [(0, "idle", (0,)), (100, "idle", (2,))],
        {1: ("timeout", 30)},
    ),
    Case(
        "delay: behind those that came later",
        Options(max_batch_size=1, default_queue_policy=BEHIND),
        [A(0), A(10), A(95)],
        [(0, "full", (0,)), (100, "full", (2,)), (200, "full", (1,))],
    ),
    Case(
        "delay: behind all levels",
        Options(max_batch_size=1, priority_levels=2, priority_queue_policy={1: BEHIND}),
        [A(0), A(10, priority=1), A(95, priority=2)],
        [(0, "full", (0,)), (100, "full", (2,)), (200, "full", (1,))],
    ),
    Case(
        "delay: last in a batch with others",
        Options(default_queue_policy=BEHIND),
        [A(0), A(10), A(95)],
        [(0, "idle", (0,)), (100, "idle", (2, 1))],
    ),
    Case(
        "delay: in the order of arrival, whenever they were put there",
        Options(
            max_batch_size=1,
            priority_levels=2,
            default_queue_policy=Policy(timeout=60, timeout_action="delay"),
            priority_queue_policy={2: BEHIND},
        ),
        [A(0), A(10, priority=1), A(20, priority=2), A(30, priority=2)],
        [(0, "full", (0,)), (100, "full", (1,)), (200, "full", (2,)), (300, "full", (3,))],
    ),
    Case(
        "delay: put there at one instant, in the order of arrival",
        Options(
            max_batch_size=1,
            priority_levels=2,
            default_queue_policy=Policy(timeout=10, timeout_action="delay"),
            priority_queue_policy={2: BEHIND},
        ),
        [A(0), A(10, priority=2), A(20, priority=1)],
        [(0, "full", (0,)), (100, "full", (1,)), (200, "full", (2,))],
    ),
    Case(
        "delay: a group of only such requests comes after the others",
        Options(default_queue_policy=BEHIND),
        [A(0), A(10, group=1), A(95, group=2)],
        [(0, "idle", (0,)), (100, "shape", (2,)), (200, "idle", (1,))],
    ),
    Case(
        "delay: the arrival time stays",
        Options(max_queue_delay=50, default_queue_policy=BEHIND),
        [A(0), A(30)],
        [(50, "delay", (0, 1))],
    ),
    Case(
        "a policy's timeout and a deadline, whichever comes first",
        Options(default_queue_policy=Policy(timeout=20)),
        [A(0), A(10, timeout=10), A(10, timeout=30), A(85, timeout=50)],
        [(0, "idle", (0,)), (100, "idle", (3,))],
        {1: ("timeout", 20), 2: ("timeout", 30), 3: ("timeout", 135)},
    ),
    Case(
        "delay: the deadline stays",
        Options(default_queue_policy=BEHIND),
        [A(0), A(10, timeout=50), A(10)],
        [(0, "idle", (0,)), (100, "idle", (2,))],
        {1: ("timeout", 60)},
    ),
]

OVERRIDES = [
    Case(
        "only where it is allowed",
        Options(default_queue_policy=BEHIND),
        [A(0), A(10, timeout=10)],
        [(0, "idle", (0,))],
        {1: ("timeout", 20)},
    ),
    Case(
        "a smaller timeout takes the place of the policy's and is no deadline",
        Options(max_batch_size=1, default_timeout=60, default_queue_policy=override(BEHIND)),
        [A(0, timeout=500), A(70, timeout=10), A(75, timeout=500)],
        [(0, "full", (0,)), (100, "full", (1,)), (200, "full", (2,))],
    ),
    Case(
        "and puts it behind",
        Options(max_batch_size=1, default_queue_policy=override(BEHIND)),
        [A(0, timeout=500), A(85, timeout=10), A(90), A(95, timeout=500)],
        [(0, "full", (0,)), (100, "full", (2,)), (200, "full", (1,)), (300, "full", (3,))],
    ),
    Case(
        "a larger one is a deadline",
        Options(default_queue_policy=override(BEHIND)),
        [A(0), A(10, timeout=30)],
        [(0, "idle", (0,))],
        {1: ("timeout", 40)},
    ),
    Case(
        "an equal one too",
        Options(default_queue_policy=override(BEHIND)),
        [A(0), A(10, timeout=20)],
        [(0, "idle", (0,))],
        {1: ("timeout", 30)},
    ),
    Case(
        "counts without a policy's timeout",
        Options(max_batch_size=1, default_queue_policy=Policy(None, None, "delay", True)),
        [A(0), A(10, timeout=20), A(50)],
        [(0, "full", (0,)), (100, "full", (2,)), (200, "full", (1,))],
    ),
    Case(
        "with reject it stays a deadline",
        Options(default_queue_policy=override(Policy(timeout=80))),
        [A(0, timeout=60), A(10, timeout=20)],
        [(0, "idle", (0,))],
        {0: ("timeout", 60), 1: ("timeout", 30)},
    ),
    Case(
        "a default_timeout is a deadline and overrides nothing",
        Options(default_timeout=10, default_queue_policy=override(BEHIND)),
        [A(0, timeout=500), A(10)],
        [(0, "idle", (0,))],
        {1: ("timeout", 20)},
    ),
]


@pytest.mark.parametrize("case", POLICIES + OVERRIDES, ids=lambda case: case.title)
def test_policies(case: Case) -> None:
    case.check()
