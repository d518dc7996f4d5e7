"""What must be true of every history, simulated or measured: one rule a function.

Each raises an AssertionError. They look at what happened and know nothing of how it came about.
`slack` is by how many ns an engine may be late; a simulated world never is. What also waited at an
instant is looked at in `batching_exact_invariants`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from batching_history import NEVER, Group, History


def every_request_ends_exactly_once(h: History) -> None:
    ids = [ending.id for ending in h.requests]
    assert ids == list(range(len(h.arrivals))), f"ended: {ids}, asked: {len(h.arrivals)} requests"
    members = [member for batch in h.batches for member in batch.members]
    assert len(set(members)) == len(members), f"served twice: {members}"
    where = {member: i for i, batch in enumerate(h.batches) for member in batch.members}
    for ending, arrival in zip(h.requests, h.arrivals, strict=True):
        assert where.get(ending.id) == ending.batch, f"{ending} is in batch {where.get(ending.id)}"
        assert ending.ended >= arrival.at, f"{ending} came at {arrival.at}"
        if ending.outcome in ("rejected", "shutdown"):
            assert ending.batch is None, f"refused, and served: {ending}"
        if ending.outcome == "success":
            assert ending.batch is not None, f"answered without a batch: {ending}"
            assert ending.ended == h.batches[ending.batch].end, (
                f"not answered by its batch: {ending}"
            )


def nothing_starts_before_it_came(h: History) -> None:
    for batch in h.batches:
        assert batch.end >= batch.start, batch
        for member in batch.members:
            assert h.arrivals[member].at <= batch.start, f"{batch}: {h.arrivals[member]}"


def instances_run_one_batch_at_a_time(h: History) -> None:
    assert {batch.instance for batch in h.batches} <= set(range(h.instances))
    for instance in range(h.instances):
        mine = [batch for batch in h.batches if batch.instance == instance]
        for one, following in pairwise(mine):
            assert one.end <= following.start, f"at once on {instance}: {one}, {following}"


def batches_keep_to_their_size(h: History) -> None:
    for batch in h.batches:
        rows = sum(h.arrivals[member].rows for member in batch.members)
        assert batch.rows == rows > 0, f"{rows} rows: {batch}"
        assert rows <= h.options.max_batch_size or len(batch.members) == 1, f"too large: {batch}"
        assert h.options.merge_requests or len(batch.members) == 1, f"merged: {batch}"


def batches_hold_one_group(h: History) -> None:
    for batch in h.batches:
        groups = {h.options.group_of(h.arrivals[member]) for member in batch.members}
        assert len(groups) == 1, f"{groups}: {batch}"


def served_in_order_of_arrival(h: History) -> None:
    """Within a level and a group, apart from what was put behind."""
    lines: dict[tuple[int, Group], list[int]] = {}
    for batch in h.batches:
        for member in batch.members:
            arrival = h.arrivals[member]
            if not h.is_behind(member, batch.start):
                line = h.options.level_of(arrival), h.options.group_of(arrival)
                lines.setdefault(line, []).append(member)
    for line, members in lines.items():
        assert members == sorted(members), f"level and group {line}: {members}"


def everything_ends_on_time(h: History, slack: int = 0) -> None:
    """What is late or given up ends at its time as that, whichever comes first."""
    for ending in h.accepted():
        arrival = h.arrivals[ending.id]
        limit = h.options.deadline_of(arrival)
        if ending.batch is None and not h.options.goes_behind(arrival):
            limit = min(limit, h.options.waits_until(arrival))
        due = {"timeout": limit, "cancelled": arrival.given_up}.get(ending.outcome, ending.ended)
        assert due <= ending.ended <= due + slack, f"due at {due}: {ending}"
        assert ending.ended <= min(limit, arrival.given_up) + slack, f"{ending}, {arrival}"


def the_late_never_reach_the_model(h: History, slack: int = 0) -> None:
    for batch in h.batches:
        for member in batch.members:
            arrival = h.arrivals[member]
            due = min(h.options.deadline_of(arrival), arrival.given_up)
            if not h.options.goes_behind(arrival):
                due = min(due, h.options.waits_until(arrival))
            assert batch.start < due + slack, f"{member} was due at {due}: {batch}"


def nobody_waits_beside_a_free_instance(h: History, slack: int = 0) -> None:
    """From its arrival plus the delay on a request waits only while all instances are busy."""
    for ending in h.accepted():
        begin = h.arrivals[ending.id].at + h.options.max_queue_delay
        left = h.left_queue(ending)
        for instance in range(h.instances):
            covered = begin
            for batch in h.batches:
                if batch.instance == instance and batch.start <= covered + slack:
                    covered = max(covered, batch.end)
            assert covered + slack >= left, f"{ending} waited; {instance} free at {covered}"


def nobody_waits_beyond_the_largest_preferred_size(h: History) -> None:
    largest = max(h.options.preferred_batch_sizes, default=NEVER)
    for batch in h.batches:
        if batch.rows > largest:
            at_once = batch.reason in ("preferred", "full")
            assert at_once, f"the largest is {largest}: {batch}"


def reasons_fit_the_options(h: History) -> None:
    for batch in h.batches:
        possible = {
            "preferred": h.options.preferred_batch_sizes != (),
            "full": h.options.merge_requests,
            "shape": not h.options.buckets,
            "drain": batch.start >= h.drain_at,
            "idle": h.options.max_queue_delay == 0,
            "delay": h.options.max_queue_delay > 0,
        }
        assert possible[batch.reason], batch
        # Of requests that are not merged "idle" says all there is to say.
        whole = batch.rows >= h.options.max_batch_size and h.options.merge_requests
        assert batch.reason == "full" or not whole, batch


ALWAYS: tuple[Callable[[History], None], ...] = (
    every_request_ends_exactly_once,
    nothing_starts_before_it_came,
    instances_run_one_batch_at_a_time,
    batches_keep_to_their_size,
    batches_hold_one_group,
    served_in_order_of_arrival,
    everything_ends_on_time,
    the_late_never_reach_the_model,
    nobody_waits_beside_a_free_instance,
    nobody_waits_beyond_the_largest_preferred_size,
    reasons_fit_the_options,
)
