"""What must be true of a history with exact times, looking at what waited: one rule a function.

Only a simulated world knows what waited at an instant. Each function raises an AssertionError.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from batching_history import NEVER, Batch, Ending, Group, History
from batching_invariants import ALWAYS


def rows_of(h: History, requests: Iterable[int]) -> int:
    return sum(h.arrivals[request].rows for request in requests)


def waiting_before(h: History, batch: int) -> list[int]:
    """The requests among which a batch was chosen, its own too, in the order of the queue."""
    now = h.batches[batch].start

    def waits(ending: Ending) -> bool:
        return ending.ended > now if ending.batch is None else ending.batch >= batch

    came = (ending for ending in h.accepted() if h.arrivals[ending.id].at <= now)
    return in_order(h, now, (ending.id for ending in came if waits(ending)))


def waiting_after(h: History, now: int) -> list[int]:
    """The requests that wait when everything that happens at `now` has happened."""
    came = (ending for ending in h.accepted() if h.arrivals[ending.id].at <= now)
    return in_order(h, now, (ending.id for ending in came if h.left_queue(ending) > now))


def in_order(h: History, now: int, requests: Iterable[int]) -> list[int]:
    def place(request: int) -> tuple[int, int, int]:
        arrival = h.arrivals[request]
        level = NEVER if h.is_behind(request, now) else h.options.level_of(arrival)
        return level, arrival.at, request

    return sorted(requests, key=place)


def by_group(h: History, queue: Sequence[int]) -> dict[Group, list[int]]:
    """The groups in the order of their first requests."""
    groups: dict[Group, list[int]] = {}
    for request in queue:
        groups.setdefault(h.options.group_of(h.arrivals[request]), []).append(request)
    return groups


def candidate_of(h: History, mine: Sequence[int]) -> list[int]:
    if not h.options.merge_requests:
        return [mine[0]]
    fits = [n for n in range(1, len(mine) + 1) if rows_of(h, mine[:n]) <= h.options.max_batch_size]
    return list(mine[: max(fits, default=1)])


def is_overdue(h: History, mine: Sequence[int], now: int) -> bool:
    return now >= min(h.arrivals[request].at for request in mine) + h.options.max_queue_delay


def is_releasable(h: History, groups: dict[Group, list[int]], group: Group, now: int) -> bool:
    """Whether any rule lets something of this group go."""
    mine, sizes = groups[group], h.options.preferred_batch_sizes
    candidate = candidate_of(h, mine)
    rows = rows_of(h, candidate)
    return (
        is_overdue(h, mine, now)
        or now >= h.drain_at
        or rows >= h.options.max_batch_size
        or len(candidate) < len(mine)
        or (len(groups) > 1 and not h.options.buckets)
        or any(rows_of(h, candidate[:n]) in sizes for n in range(1, len(candidate) + 1))
        or rows > max(sizes, default=NEVER)
    )


def group_of(h: History, batch: Batch) -> Group:
    return h.options.group_of(h.arrivals[batch.members[0]])


def batches_are_the_beginning_of_their_group(h: History) -> None:
    """Of the candidate; less than all of it only for the sake of a preferred size."""
    sizes = h.options.preferred_batch_sizes
    for i, batch in enumerate(h.batches):
        candidate = candidate_of(h, by_group(h, waiting_before(h, i))[group_of(h, batch)])
        n = len(batch.members)
        assert list(batch.members) == candidate[:n], f"candidate {candidate}: {batch}"
        if n < len(candidate):
            assert batch.rows in sizes, f"candidate {candidate}, preferred {sizes}: {batch}"


def no_longer_preferred_beginning_waited(h: History) -> None:
    """While the delay is not over, what goes is the longest beginning of a preferred size."""
    sizes, delay = h.options.preferred_batch_sizes, h.options.max_queue_delay
    for i, batch in enumerate(h.batches):
        mine = by_group(h, waiting_before(h, i))[group_of(h, batch)]
        if delay and is_overdue(h, mine, batch.start):
            continue
        candidate = candidate_of(h, mine)
        reached = [rows_of(h, candidate[:n]) for n in range(1, len(candidate) + 1)]
        best = max((rows for rows in reached if rows in sizes), default=batch.rows)
        assert batch.rows == best, f"{best} rows were to be had: {batch}"


def reasons_fit_what_waited(h: History) -> None:
    """Each reason's own condition, and none of those that come before it."""
    sizes, most = h.options.preferred_batch_sizes, h.options.max_batch_size
    no_delay = h.options.max_queue_delay == 0
    for i, batch in enumerate(h.batches):
        if not h.options.merge_requests:
            assert batch.reason == "idle", batch
            continue
        groups = by_group(h, waiting_before(h, i))
        mine = groups[group_of(h, batch)]
        candidate = candidate_of(h, mine)
        rows = rows_of(h, candidate)
        overdue = is_overdue(h, mine, batch.start)
        exact = batch.rows in sizes and (no_delay or not overdue)
        full = rows >= most or len(candidate) < len(mine)
        large = rows > max(sizes, default=NEVER)
        others = len(groups) > 1 and not h.options.buckets
        draining = batch.start >= h.drain_at
        by_itself = not (exact or full or large)
        true_of = {
            "preferred": (exact and batch.rows < most) or (large and not full),
            "full": (full and not exact) or (exact and batch.rows == most),
            "shape": by_itself and others,
            "drain": by_itself and not others and draining,
            "idle": by_itself and not others and not draining and no_delay,
            "delay": by_itself and not others and not draining and overdue and not no_delay,
        }
        assert true_of[batch.reason], f"{batch}, of {rows} rows"


def urgent_groups_go_first(h: History) -> None:
    for i, batch in enumerate(h.batches):
        groups = by_group(h, waiting_before(h, i))
        for group in groups:
            if group == group_of(h, batch):
                break
            assert not is_releasable(h, groups, group, batch.start), f"{group} was first: {batch}"


def no_instance_idles_while_something_could_go(h: History) -> None:
    instants = {h.drain_at} | {batch.end for batch in h.batches}
    instants |= {h.left_queue(ending) for ending in h.requests}
    for arrival in h.arrivals:
        over = arrival.at + h.options.max_queue_delay
        instants |= {arrival.at, over, h.options.waits_until(arrival)}
    starts = sorted(batch.start for batch in h.batches)
    ends = sorted(batch.end for batch in h.batches)
    for now in instants:
        if bisect_right(starts, now) - bisect_right(ends, now) == h.instances:
            continue
        groups = by_group(h, waiting_after(h, now))
        for group in groups:
            assert not is_releasable(h, groups, group, now), f"{groups[group]} could go at {now}"


def the_lowest_free_instance_is_taken(h: History) -> None:
    for i, batch in enumerate(h.batches):
        for lower in range(batch.instance):
            assert any(
                other.instance == lower and (other.end > batch.start or other.start == batch.start)
                for other in h.batches[:i]
            ), f"{lower} was free: {batch}"


def only_a_full_queue_refuses(h: History) -> None:
    """Those with the model do not count, those put behind count in their own level."""
    options = h.options
    for ending, arrival in zip(h.requests, h.arrivals, strict=True):
        here = [
            h.arrivals[other.id]
            for other in h.accepted()
            if other.id < ending.id and waits_when_another_comes(h, other, arrival.at)
        ]
        level = [other for other in here if options.level_of(other) == options.level_of(arrival)]
        limit = options.policy_of(arrival).max_queue_size
        nbytes = arrival.nbytes + sum(other.nbytes for other in here)
        room = (
            len(here) < options.max_queue_size
            and (limit is None or len(level) < limit)
            and (options.max_queue_bytes is None or nbytes <= options.max_queue_bytes)
        )
        expected = room or ending.outcome == "shutdown"
        assert expected == (ending.outcome != "rejected"), f"{len(here)}, {nbytes} B: {ending}"
        if ending.outcome in ("rejected", "shutdown"):
            assert ending.ended == arrival.at, f"refused late: {ending}"
            assert (arrival.at >= h.drain_at) == (ending.outcome == "shutdown"), ending


def waits_when_another_comes(h: History, other: Ending, now: int) -> bool:
    """Releases come after arrivals; expiry before them, except that of what has only just come."""
    if other.batch is not None:
        return h.batches[other.batch].start >= now
    return other.ended > now or h.arrivals[other.id].at == now


EXACT: tuple[Callable[[History], None], ...] = (
    batches_are_the_beginning_of_their_group,
    no_longer_preferred_beginning_waited,
    reasons_fit_what_waited,
    urgent_groups_go_first,
    no_instance_idles_while_something_could_go,
    the_lowest_free_instance_is_taken,
    only_a_full_queue_refuses,
)


def check(h: History) -> None:
    """All of them, for a history with exact times."""
    for invariant in ALWAYS + EXACT:
        invariant(h)
