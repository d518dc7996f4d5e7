"""The words of docs/batching.md's specification: what is asked of a batcher, and what it did.

Times are integer nanoseconds. A `History` may come from the specification, from the simulator or
from an engine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["success", "rejected", "timeout", "cancelled", "shutdown"]
Reason = Literal["preferred", "full", "shape", "drain", "idle", "delay"]
Group = tuple[int, int | None]

NEVER = 1 << 62


@dataclass(frozen=True)
class Policy:
    """im.QueuePolicy; the timeout in ns."""

    max_queue_size: int | None = None
    timeout: int | None = None
    timeout_action: Literal["reject", "delay"] = "reject"
    allow_timeout_override: bool = False


@dataclass(frozen=True)
class Options:
    """im.Batching, times in ns; of the padding only what decides who shares a batch."""

    max_batch_size: int = 64
    max_queue_delay: int = 0
    preferred_batch_sizes: tuple[int, ...] = ()
    max_queue_size: int = 1024
    max_queue_bytes: int | None = None
    default_timeout: int | None = None
    priority_levels: int = 0
    default_priority_level: int = 1
    default_queue_policy: Policy = Policy()
    priority_queue_policy: Mapping[int, Policy] = field(default_factory=dict)
    padding: bool = False
    buckets: tuple[int, ...] = ()
    merge_requests: bool = True

    def level_of(self, arrival: Arrival) -> int:
        return arrival.priority or (self.default_priority_level if self.priority_levels else 1)

    def policy_of(self, arrival: Arrival) -> Policy:
        return self.priority_queue_policy.get(self.level_of(arrival), self.default_queue_policy)

    def group_of(self, arrival: Arrival) -> Group:
        if not self.padding:
            return arrival.group, arrival.length
        return arrival.group, bisect_left(self.buckets, arrival.length or 0)

    def overrides(self, arrival: Arrival) -> bool:
        """Whether the request's own timeout takes the place of its policy's."""
        policy, own = self.policy_of(arrival), arrival.timeout
        smaller = own is not None and (policy.timeout is None or own < policy.timeout)
        return policy.allow_timeout_override and smaller

    def deadline_of(self, arrival: Arrival) -> int:
        """When the request ends with `timeout`, wherever it is."""
        if self.overrides(arrival) and self.goes_behind(arrival):
            return NEVER
        timeout = self.default_timeout if arrival.timeout is None else arrival.timeout
        return NEVER if timeout is None else arrival.at + timeout

    def waits_until(self, arrival: Arrival) -> int:
        """When the queue policy acts, if the request still waits."""
        policy = self.policy_of(arrival)
        timeout = arrival.timeout if self.overrides(arrival) else policy.timeout
        return NEVER if timeout is None else arrival.at + timeout

    def goes_behind(self, arrival: Arrival) -> bool:
        """Whether the queue policy then puts the request behind all levels; else it ends it."""
        return self.policy_of(arrival).timeout_action == "delay"


@dataclass(frozen=True)
class Arrival:
    """A request as its caller makes it; `timeout` counts from `at`, `cancel_at` is an instant."""

    at: int
    rows: int = 1
    priority: int = 0
    group: int = 0
    timeout: int | None = None
    cancel_at: int | None = None
    nbytes: int = 0
    length: int | None = None

    @property
    def given_up(self) -> int:
        """When the caller cancels; not before there is something to cancel."""
        return NEVER if self.cancel_at is None else max(self.at, self.cancel_at)


@dataclass(frozen=True)
class Ending:
    """How a request ended; `batch` is the index of the batch that it was in, also if it left it."""

    id: int
    outcome: Outcome
    ended: int
    batch: int | None = None


@dataclass(frozen=True)
class Batch:
    """A batch, its requests in the order of their rows."""

    start: int
    end: int
    instance: int
    reason: Reason
    rows: int
    members: tuple[int, ...]


@dataclass(frozen=True)
class History:
    """What was asked, and what happened: endings by id, batches in the order of their release."""

    options: Options
    arrivals: Sequence[Arrival]
    instances: int
    requests: Sequence[Ending]
    batches: Sequence[Batch]
    drain_at: int = NEVER

    def accepted(self) -> list[Ending]:
        return [
            ending for ending in self.requests if ending.outcome not in ("rejected", "shutdown")
        ]

    def left_queue(self, ending: Ending) -> int:
        return ending.ended if ending.batch is None else self.batches[ending.batch].start

    def is_behind(self, request: int, now: int) -> bool:
        """Whether a request that waits at `now`, or starts then, has been put behind all levels."""
        arrival = self.arrivals[request]
        return self.options.goes_behind(arrival) and self.options.waits_until(arrival) <= now
