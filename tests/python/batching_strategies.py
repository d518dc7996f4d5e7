"""Scenarios for hypothesis: options, arrivals, a cost and a number of instances.

Times come from a few numbers whose sums often meet, so that several things happen at one
nanosecond. Each feature is off in a good part of the scenarios: with all of them on, few requests
would live long enough to meet each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st

from batching_history import Arrival, History, Options, Policy
from batching_spec import World

T = TypeVar("T")

GAPS = (0, 0, 0, 1, 499, 500, 999, 1000, 1001, 2500, 5000, 40_000)
DELAYS = (0, 500, 1000, 5000)
TIMEOUTS = (1, 499, 500, 501, 999, 1000, 1001, 2000, 5000, 5001, 20_000)
FIXED_COSTS = (0, 1, 500, 1000, 2000, 10_000)
ROW_COSTS = (0, 0, 1, 250, 1000)
BUCKETS = ((), (3,), (2, 5))


@dataclass(frozen=True)
class Scenario:
    """What the specification or the simulator is given."""

    options: Options
    arrivals: tuple[Arrival, ...]
    fixed_cost: int = 0
    row_cost: int = 0
    instances: int = 1

    def cost(self, rows: int) -> int:
        return self.fixed_cost + rows * self.row_cost

    def expected(self) -> History:
        return World(self.options, self.arrivals, self.cost, self.instances).run()


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    return Policy(
        max_queue_size=draw(st.sampled_from((None, None, 1, 2, 4))),
        timeout=draw(st.none() | st.sampled_from(TIMEOUTS)),
        timeout_action=draw(st.sampled_from(("delay", "reject"))),
        allow_timeout_override=draw(st.booleans()),
    )


@st.composite
def options(draw: st.DrawFn) -> Options:
    """Options of all kinds, each at its default in about half of the cases."""
    max_batch_size = draw(st.sampled_from((1, 2, 3, 4, 4, 8, 8)))
    levels = draw(st.sampled_from((0, 0, 1, 2, 3)))
    sizes = st.sets(st.integers(1, max_batch_size), min_size=1, max_size=3)
    by_level = st.dictionaries(st.integers(1, levels), policies()) if levels else st.just({})
    merge = draw(st.sampled_from((True, True, True, True, False)))
    padding = merge and draw(st.booleans())
    return Options(
        max_batch_size=max_batch_size,
        max_queue_delay=draw(st.sampled_from(DELAYS)) if merge else 0,
        preferred_batch_sizes=tuple(sorted(draw(st.just(set()) | sizes | sizes))) if merge else (),
        max_queue_size=draw(st.sampled_from((1024, 1024, 1, 2, 3, 6, 12))),
        max_queue_bytes=draw(st.sampled_from((None, None, 10, 30))),
        default_timeout=draw(st.sampled_from((None, None, None, 500, 1000, 5001, 20_000))),
        priority_levels=levels,
        default_priority_level=draw(st.integers(1, levels)) if levels else 1,
        default_queue_policy=draw(st.just(Policy()) | policies() | policies()),
        priority_queue_policy=draw(st.just({}) | by_level),
        padding=padding,
        buckets=draw(st.sampled_from(BUCKETS)) if padding else (),
        merge_requests=merge,
    )


@st.composite
def scenarios(draw: st.DrawFn, max_requests: int = 60) -> Scenario:
    rules = draw(options())

    def sometimes(strategy: st.SearchStrategy[T], default: T) -> st.SearchStrategy[T]:
        return strategy if draw(st.sampled_from((False, True, True))) else st.just(default)

    request = st.tuples(
        st.sampled_from(GAPS),
        sometimes(st.integers(1, rules.max_batch_size), 1),
        st.integers(0, rules.priority_levels),
        sometimes(st.sampled_from((0, 1, 2, 0)), 0),
        sometimes(st.sampled_from((None, *TIMEOUTS)), None),
        sometimes(st.sampled_from((None, None, None, 0, *TIMEOUTS)), None),
        st.integers(0, 12) if rules.max_queue_bytes is not None else st.just(0),
        st.integers(0, 7) if rules.padding else st.none(),
    )
    at_least = draw(st.sampled_from((1, max_requests // 6, max_requests // 3)))
    now = 0
    arrivals = []
    for gap, rows, priority, group, timeout, patience, nbytes, length in draw(
        st.lists(request, min_size=at_least, max_size=max_requests)
    ):
        now += gap
        cancel_at = None if patience is None else now + patience
        arrivals.append(Arrival(now, rows, priority, group, timeout, cancel_at, nbytes, length))
    return Scenario(
        options=rules,
        arrivals=tuple(arrivals),
        fixed_cost=draw(st.sampled_from(FIXED_COSTS)),
        row_cost=draw(st.sampled_from(ROW_COSTS)),
        instances=draw(st.sampled_from((1, 2, 3))),
    )
