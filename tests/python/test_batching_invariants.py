"""The invariants of batching notice a history that was changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

import batching_exact_invariants as exact
import batching_invariants as always
from batching_history import Arrival as A
from batching_history import Batch, Ending, History, Options, Policy
from batching_spec import World


def history(options: Options, arrivals: Sequence[A], instances: int = 1) -> History:
    """What happens if every batch takes 100 ns."""
    return World(options, arrivals, lambda rows: 100, instances).run()


def with_options(h: History, **changes: Any) -> History:
    return replace(h, options=replace(h.options, **changes))


def with_arrival(h: History, request: int, **changes: Any) -> History:
    arrivals = list(h.arrivals)
    arrivals[request] = replace(arrivals[request], **changes)
    return replace(h, arrivals=arrivals)


def with_ending(h: History, request: int, **changes: Any) -> History:
    requests = list(h.requests)
    requests[request] = replace(requests[request], **changes)
    return replace(h, requests=requests)


def with_batch(h: History, batch: int, **changes: Any) -> History:
    batches = list(h.batches)
    batches[batch] = replace(batches[batch], **changes)
    return replace(h, batches=batches)


def with_batches(h: History, *members: tuple[int, ...], reason: str = "full") -> History:
    """Batches of these members back to back, who all are answered by them."""
    endings = list(h.requests)
    batches = []
    for i, ids in enumerate(members):
        rows = sum(h.arrivals[request].rows for request in ids)
        kept: Any = h.batches[i].reason if i < len(h.batches) else reason
        batches.append(Batch(100 * i, 100 * i + 100, 0, kept, rows, ids))
        for request in ids:
            endings[request] = Ending(request, "success", 100 * i + 100, i)
    return replace(h, requests=endings, batches=batches)


# Batches 0, 1 2 and 3, at 0, 100 and 200.
PLAIN = history(Options(max_batch_size=2), [A(0), A(10), A(20), A(30)])
# 0 runs, 1 is late at 30, 2 is given up at 40.
LATE = history(Options(), [A(0), A(10, timeout=20), A(10, cancel_at=40)])
# 0 runs for itself; then 1 2 3 at 50, of a preferred size.
PREFERRED = history(Options(preferred_batch_sizes=(1, 3)), [A(0), A(10), A(20), A(30)])
# 0 runs, then 1, then 2.
GROUPS = history(Options(), [A(0), A(10, group=1), A(20, group=2)])
PAIR = history(Options(max_batch_size=2, max_queue_delay=50), [A(0), A(0)])
UNMERGED = history(Options(merge_requests=False, max_batch_size=4), [A(0), A(10), A(20)])
REFUSED = history(Options(max_queue_size=1), [A(0), A(10), A(20)])

TAMPERED: list[tuple[Callable[[History], None], str, History]] = [
    (
        always.every_request_ends_exactly_once,
        "lost",
        replace(PLAIN, requests=PLAIN.requests[:-1]),
    ),
    (
        always.every_request_ends_exactly_once,
        "answered twice",
        replace(PLAIN, requests=[*PLAIN.requests, PLAIN.requests[0]]),
    ),
    (
        always.every_request_ends_exactly_once,
        "served twice",
        with_batch(PLAIN, 2, members=(2, 3)),
    ),
    (
        always.every_request_ends_exactly_once,
        "answered by nobody",
        with_batch(PLAIN, 1, members=(1,)),
    ),
    (
        always.every_request_ends_exactly_once,
        "refused and served",
        with_ending(PLAIN, 3, outcome="rejected"),
    ),
    (
        always.every_request_ends_exactly_once,
        "before its batch ended",
        with_ending(PLAIN, 3, ended=299),
    ),
    (
        always.every_request_ends_exactly_once,
        "before it came",
        with_ending(LATE, 1, ended=9),
    ),
    (
        always.nothing_starts_before_it_came,
        "a member came later",
        with_arrival(PLAIN, 2, at=101),
    ),
    (
        always.instances_run_one_batch_at_a_time,
        "two at once",
        with_batch(PLAIN, 1, start=99),
    ),
    (
        always.instances_run_one_batch_at_a_time,
        "on none that there is",
        with_batch(PLAIN, 1, instance=1),
    ),
    (always.batches_keep_to_their_size, "wrong rows", with_batch(PLAIN, 1, rows=1)),
    (always.batches_keep_to_their_size, "too large", with_options(PLAIN, max_batch_size=1)),
    (always.batches_keep_to_their_size, "merged", with_options(PLAIN, merge_requests=False)),
    (always.batches_keep_to_their_size, "empty", with_batch(PLAIN, 0, members=(), rows=0)),
    (always.batches_hold_one_group, "two groups", with_arrival(PLAIN, 2, group=1)),
    (
        always.served_in_order_of_arrival,
        "in a batch",
        with_batch(PLAIN, 1, members=(2, 1)),
    ),
    (
        always.served_in_order_of_arrival,
        "among batches",
        with_batches(PLAIN, (0,), (1, 3), (2,)),
    ),
    (always.everything_ends_on_time, "expiry noticed late", with_ending(LATE, 1, ended=31)),
    (always.everything_ends_on_time, "expired too early", with_ending(LATE, 1, ended=29)),
    (always.everything_ends_on_time, "gave up late", with_ending(LATE, 2, ended=41)),
    (always.everything_ends_on_time, "answered too late", with_arrival(PLAIN, 2, timeout=179)),
    (
        always.everything_ends_on_time,
        "a policy's timeout noticed late",
        with_options(LATE, default_queue_policy=Policy(timeout=15)),
    ),
    (always.the_late_never_reach_the_model, "expired", with_arrival(PLAIN, 2, timeout=80)),
    (always.the_late_never_reach_the_model, "given up", with_arrival(PLAIN, 2, cancel_at=100)),
    (
        always.the_late_never_reach_the_model,
        "a policy's timeout",
        with_options(PLAIN, default_queue_policy=Policy(timeout=80)),
    ),
    (
        always.nobody_waits_beside_a_free_instance,
        "started late",
        with_batch(PLAIN, 2, start=201),
    ),
    (
        always.nobody_waits_beside_a_free_instance,
        "a second instance was free",
        replace(PLAIN, instances=2),
    ),
    (
        always.nobody_waits_beyond_the_largest_preferred_size,
        "two",
        with_options(with_batch(PLAIN, 1, reason="idle"), preferred_batch_sizes=(1,)),
    ),
    (always.reasons_fit_the_options, "no delay", with_batch(PLAIN, 0, reason="delay")),
    (always.reasons_fit_the_options, "a delay", with_options(PLAIN, max_queue_delay=50)),
    (always.reasons_fit_the_options, "no drain", with_batch(PLAIN, 0, reason="drain")),
    (always.reasons_fit_the_options, "no sizes", with_batch(PLAIN, 0, reason="preferred")),
    (always.reasons_fit_the_options, "buckets", with_options(GROUPS, padding=True, buckets=(3,))),
    (always.reasons_fit_the_options, "full", with_batch(PLAIN, 1, reason="idle")),
    (
        exact.batches_are_the_beginning_of_their_group,
        "another one",
        with_batches(PLAIN, (0,), (1, 3), (2,)),
    ),
    (
        exact.batches_are_the_beginning_of_their_group,
        "not all of it",
        with_batches(PLAIN, (0,), (1,), (2, 3)),
    ),
    (
        exact.no_longer_preferred_beginning_waited,
        "one of three",
        with_batches(PREFERRED, (0,), (1,), (2, 3)),
    ),
    (exact.reasons_fit_what_waited, "not full", with_batch(PLAIN, 0, reason="full")),
    (exact.reasons_fit_what_waited, "not merged", with_batch(UNMERGED, 0, reason="full")),
    (exact.reasons_fit_what_waited, "alone", with_batch(PLAIN, 0, reason="shape")),
    (exact.reasons_fit_what_waited, "preferred", with_batch(PREFERRED, 1, reason="idle")),
    (exact.reasons_fit_what_waited, "not alone", with_batch(GROUPS, 1, reason="idle")),
    (
        exact.reasons_fit_what_waited,
        "drains",
        replace(PLAIN, drain_at=200),
    ),
    (exact.urgent_groups_go_first, "the other one", with_batches(GROUPS, (0,), (2,), (1,))),
    (
        exact.no_instance_idles_while_something_could_go,
        "before the delay is over",
        with_ending(with_batch(PAIR, 0, start=1, end=101), 0, ended=101),
    ),
    (
        exact.the_lowest_free_instance_is_taken,
        "the second",
        with_batch(replace(PLAIN, instances=2), 0, instance=1),
    ),
    (
        exact.only_a_full_queue_refuses,
        "there was room",
        with_options(REFUSED, max_queue_size=2),
    ),
    (
        exact.only_a_full_queue_refuses,
        "there was none",
        with_options(PLAIN, max_queue_size=1),
    ),
    (
        exact.only_a_full_queue_refuses,
        "none in its level",
        with_options(PLAIN, default_queue_policy=Policy(max_queue_size=1)),
    ),
    (
        exact.only_a_full_queue_refuses,
        "not for its bytes",
        with_options(with_arrival(PLAIN, 2, nbytes=9), max_queue_bytes=8),
    ),
    (exact.only_a_full_queue_refuses, "refused late", with_ending(REFUSED, 2, ended=21)),
]


@pytest.mark.parametrize(
    ("invariant", "tampered"),
    [
        pytest.param(invariant, tampered, id=f"{invariant.__name__}: {what}")
        for invariant, what, tampered in TAMPERED
    ],
)
def test_a_changed_history_is_noticed(
    invariant: Callable[[History], None], tampered: History
) -> None:
    with pytest.raises(AssertionError):
        invariant(tampered)


def test_each_invariant_is_seen_to_fail() -> None:
    assert {invariant for invariant, _, _ in TAMPERED} == {*always.ALWAYS, *exact.EXACT}


@pytest.mark.parametrize("h", [PLAIN, LATE, PREFERRED, GROUPS, PAIR, UNMERGED, REFUSED])
def test_unchanged_they_hold(h: History) -> None:
    exact.check(h)


def test_slack_is_what_an_engine_may_be_late() -> None:
    always.everything_ends_on_time(with_ending(LATE, 1, ended=31), slack=1)
    always.the_late_never_reach_the_model(with_arrival(PLAIN, 2, timeout=80), slack=1)
    always.nobody_waits_beside_a_free_instance(with_batch(PLAIN, 2, start=201), slack=1)
    with pytest.raises(AssertionError):
        always.everything_ends_on_time(with_ending(LATE, 1, ended=32), slack=1)
