"""`Batching`, `QueuePolicy` and `Padding`: which values they refuse, and which the core refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import inferometer as im


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"preferred_batch_sizes": 4}, "preferred_batch_sizes: got 4, want ints"),
        ({"preferred_batch_sizes": (1, 2.0)}, "preferred_batch_sizes: got 2.0, want ints"),
        ({"max_queue_bytes": 1.5}, "max_queue_bytes: got 1.5, want an int or None"),
        ({"priority_levels": "2"}, "priority_levels: got '2', want an int"),
        ({"default_priority_level": None}, "default_priority_level: got None, want an int"),
        ({"default_queue_policy": None}, "default_queue_policy: got None, want inferometer.Queue"),
        (
            {"priority_queue_policy": [im.QueuePolicy()]},
            "priority_queue_policy: got .* want a dict",
        ),
        ({"priority_queue_policy": {"1": im.QueuePolicy()}}, "level: got '1', want an int"),
        (
            {"priority_queue_policy": {1: 2}},
            r"priority_queue_policy\[1\]: got 2, want inferometer.Q",
        ),
        ({"max_queue_delay": 1 << 2000}, "max_queue_delay: got an int that no float can hold"),
        ({"default_timeout": np.ones(2)}, r"default_timeout: got array\(.*, want seconds or None"),
        ({"merge_requests": 0}, "merge_requests: got 0, want True or False"),
        ({"padding": 1}, "padding: got 1, want inferometer.Padding or None"),
    ],
)
def test_wrong_types_of_batching(options: dict[str, Any], text: str) -> None:
    with pytest.raises(im.ConfigError, match=text):
        im.Batching(**options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_queue_size": 1.0}, "max_queue_size: got 1.0, want an int or None"),
        ({"timeout": "1"}, "timeout: got '1', want seconds or None"),
        ({"timeout_action": "drop"}, "timeout_action: got 'drop', want 'reject' or 'delay'"),
        ({"allow_timeout_override": 1}, "allow_timeout_override: got 1, want True or False"),
    ],
)
def test_wrong_types_of_queue_policies(options: dict[str, Any], text: str) -> None:
    with pytest.raises(im.ConfigError, match=text):
        im.QueuePolicy(**options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"axis": None}, "axis: got None, want an int"),
        ({"value": "x"}, "value: got 'x', want a number"),
        ({"buckets": 3}, "buckets: got 3, want ints"),
        ({"trim_outputs": 0}, "trim_outputs: got 0, want True or False"),
    ],
)
def test_wrong_types_of_padding(options: dict[str, Any], text: str) -> None:
    with pytest.raises(im.ConfigError, match=text):
        im.Padding(**options)


HUGE = 1 << 70


@pytest.mark.parametrize(
    ("batching", "text"),
    [
        (im.Batching(max_batch_size=0), "max_batch_size: got 0, want 1 to"),
        (im.Batching(max_batch_size=HUGE), "max_batch_size: got an int beyond 64 bits"),
        (im.Batching(max_queue_delay=-1), "max_queue_delay in nanoseconds: got -1000000000"),
        (im.Batching(max_queue_delay=float("nan")), "max_queue_delay: got nan, want seconds"),
        (im.Batching(preferred_batch_sizes=(4, 2)), "preferred_batch_sizes: got 2 after 4"),
        (im.Batching(preferred_batch_sizes=(HUGE,)), "preferred_batch_sizes: got an int beyond"),
        (im.Batching(max_queue_size=0), "max_queue_size: got 0"),
        (im.Batching(max_queue_bytes=0), "max_queue_bytes: got 0"),
        (im.Batching(default_timeout=0), "default_timeout: got 0 ns, want more than 0"),
        (im.Batching(priority_levels=-1), "priority_levels: got -1"),
        (im.Batching(default_priority_level=1), "default_priority_level: got 1, want 0 to 0"),
        (
            im.Batching(default_queue_policy=im.QueuePolicy(max_queue_size=0)),
            "default_queue_policy.max_queue_size: got 0",
        ),
        (
            im.Batching(default_queue_policy=im.QueuePolicy(timeout=float("nan"))),
            "default_queue_policy.timeout: got nan",
        ),
        (
            im.Batching(priority_levels=2, priority_queue_policy={3: im.QueuePolicy()}),
            "priority_queue_policy: level: got 3, want 1 to 2",
        ),
        (
            im.Batching(priority_queue_policy={1: im.QueuePolicy(timeout=0)}),
            r"priority_queue_policy\[1\].timeout: got 0 ns",
        ),
        (
            im.Batching(merge_requests=False, max_queue_delay=0.1),
            "max_queue_delay: got 100000000 ns, want 0 with merge_requests off",
        ),
        (im.Batching(padding=im.Padding(axis=0)), "padding.axis: got 0, want 1 to"),
        (im.Batching(padding=im.Padding(buckets=(3, 3))), "padding.buckets: got 3 after 3"),
    ],
)
def test_numbers_that_the_core_refuses(batching: im.Batching, text: str) -> None:
    with pytest.raises(im.ConfigError, match=text):
        im.simulate(batching, [], (0, 0))


def test_iterables_and_dicts_are_kept_as_ones_own() -> None:
    policies = {1: im.QueuePolicy(timeout=1)}
    batching = im.Batching(
        preferred_batch_sizes=range(2, 5),  # type: ignore[arg-type]
        priority_queue_policy=policies,
        padding=im.Padding(buckets=[8, 16]),  # type: ignore[arg-type]
    )
    policies.clear()
    assert batching.preferred_batch_sizes == (2, 3, 4)
    assert batching.priority_queue_policy == {1: im.QueuePolicy(timeout=1)}
    assert batching.padding == im.Padding(buckets=(8, 16))


def test_equal_options_are_equal_and_hash_so() -> None:
    one = im.Batching(priority_queue_policy={1: im.QueuePolicy()}, padding=im.Padding())
    other = im.Batching(priority_queue_policy={1: im.QueuePolicy()}, padding=im.Padding())
    assert one == other
    assert hash(one) == hash(other)
    assert one != im.Batching()
