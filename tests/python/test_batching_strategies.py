"""The scenarios reach every corner, and the specification keeps the invariants in them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import HealthCheck, given, settings

import batching_exact_invariants
from batching_history import NEVER, History
from batching_strategies import Scenario, scenarios

CORNERS = (
    *("preferred", "full", "shape", "idle", "delay"),
    *("success", "rejected", "timeout", "cancelled"),
    *("timeout with the model", "cancelled with the model"),
    *("several arrivals at once", "several starts at once", "an arrival as a batch ends"),
    *("three instances", "a batch for nothing", "larger than preferred", "put behind"),
    *("several levels in a batch", "several rows", "several lengths in a batch"),
    *("released as the delay ends", "not merged"),
)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_the_specification_keeps_them(scenario: Scenario) -> None:
    batching_exact_invariants.check(scenario.expected())


def corners(h: History) -> set[str]:
    """What of interest happens in a history."""
    seen: set[str] = {*(batch.reason for batch in h.batches)}
    for ending in h.requests:
        seen.add(ending.outcome)
        if ending.batch is not None:
            seen.add(f"{ending.outcome} with the model")
    starts = Counter(batch.start for batch in h.batches)
    ends = {batch.end for batch in h.batches if batch.end > batch.start}
    instants = {arrival.at for arrival in h.arrivals}
    largest = max(h.options.preferred_batch_sizes, default=NEVER)
    levels = h.options.level_of
    happened: dict[str, bool] = {
        "several arrivals at once": len(instants) < len(h.arrivals),
        "several starts at once": max(starts.values(), default=0) > 1,
        "an arrival as a batch ends": bool(instants & ends),
        "three instances": any(batch.instance == 2 for batch in h.batches),
        "a batch for nothing": any(batch.start == batch.end for batch in h.batches),
        "larger than preferred": any(batch.rows > largest for batch in h.batches),
        "put behind": any(
            h.is_behind(member, batch.start) for batch in h.batches for member in batch.members
        ),
        "several levels in a batch": any(
            len({levels(h.arrivals[member]) for member in batch.members}) > 1 for batch in h.batches
        ),
        "several rows": any(
            len(batch.members) > 1 and batch.rows > len(batch.members) for batch in h.batches
        ),
        "several lengths in a batch": h.options.padding
        and any(
            len({h.arrivals[member].length for member in batch.members}) > 1 for batch in h.batches
        ),
        "not merged": any(
            following.start == batch.end and not h.options.merge_requests
            for batch, following in pairwise(h.batches)
        ),
        "released as the delay ends": any(
            batch.start == h.arrivals[batch.members[0]].at + h.options.max_queue_delay
            for batch in h.batches
            if batch.reason == "delay"
        ),
    }
    return seen | {corner for corner, there in happened.items() if there}


def test_the_scenarios_reach_every_corner() -> None:
    seen: Counter[str] = Counter()

    @settings(
        deadline=None,
        derandomize=True,
        max_examples=300,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(scenarios())
    def look(scenario: Scenario) -> None:
        seen.update(corners(scenario.expected()))

    look()
    missed = sorted(corner for corner in CORNERS if not seen[corner])
    assert not missed, f"never reached: {missed}; of {seen}"
