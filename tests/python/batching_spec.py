"""What docs/batching.md says, as a program: a small world of integer nanoseconds.

It is written to be read beside that page and shares nothing with the implementation. Slow and plain
on purpose: every instant it looks at everything.

Events at one instant happen in this order, each kind in the order of arrival:

1. batches end, and free their instances
2. deadlines, then timeouts of queue policies, then cancellations
3. arrivals, in the order given; what is due for them at once (2.) follows
4. releases, as long as there is one, each on the lowest free instance

A batch that takes no time ends after all releases of its instant, which is then gone through again.

Where the page leaves a choice, this is what was read:

- The order of arrival behind all levels also says where a group comes whose requests are all there.
  They still count in their own level.
- A request's own timeout that took the place of a policy's "delay" leaves it without a deadline,
  also where there is a `default_timeout`; a `default_timeout` never overrides a policy's.
- A cancellation ends a running request too, as cancelling an await does; the batch goes on.
- Without padding the length is part of the shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from batching_history import NEVER, Arrival, Batch, Ending, Group, History, Options, Outcome, Reason


@dataclass(eq=False)
class Request:
    """An accepted request that has not ended."""

    id: int
    arrival: Arrival
    options: Options
    behind: bool = False
    batch: int | None = None

    @property
    def group(self) -> Group:
        return self.options.group_of(self.arrival)

    @property
    def order(self) -> tuple[int, int, int]:
        """Where it stands in the queue."""
        level = NEVER if self.behind else self.options.level_of(self.arrival)
        return level, self.arrival.at, self.id


def rows_of(requests: Iterable[Request]) -> int:
    return sum(request.arrival.rows for request in requests)


def beginning(queue: Sequence[Request], rows: int) -> list[Request]:
    """The longest beginning of `queue` with at most `rows` rows; at least one request."""
    taken = [queue[0]]
    for request in queue[1:]:
        if rows_of(taken) + request.arrival.rows > rows:
            break
        taken.append(request)
    return taken


Release = tuple[list[Request], Reason]


def decide(
    waiting: Sequence[Request], options: Options, now: int, draining: bool
) -> Release | None:
    """What goes to an instance that is free now: the first group whose candidate is released."""
    queue = sorted(waiting, key=lambda request: request.order)
    for group in dict.fromkeys(request.group for request in queue):
        mine = [request for request in queue if request.group == group]
        if release := decide_group(mine, len(mine) < len(queue), options, now, draining):
            return release
    return None


def decide_group(
    mine: Sequence[Request], others_wait: bool, options: Options, now: int, draining: bool
) -> Release | None:
    """The rules of "When a candidate is released", numbered as there."""
    if not options.merge_requests:
        return [mine[0]], "idle"
    candidate = beginning(mine, options.max_batch_size)
    rows = rows_of(candidate)
    delay = options.max_queue_delay
    delay_is_over = now >= min(request.arrival.at for request in mine) + delay
    sizes = options.preferred_batch_sizes

    if delay == 0 or not delay_is_over:  # 1
        for length in range(len(candidate), 0, -1):
            if (size := rows_of(candidate[:length])) in sizes:
                return candidate[:length], "full" if size == options.max_batch_size else "preferred"
    if rows >= options.max_batch_size or len(candidate) < len(mine):  # 2
        return candidate, "full"
    if sizes and rows > max(sizes):  # 3
        return candidate, "preferred"
    if others_wait and not options.buckets:  # 4
        return candidate, "shape"
    if draining:  # 5
        return candidate, "drain"
    if delay == 0:  # 6
        return candidate, "idle"
    if delay_is_over:  # 7
        return candidate, "delay"
    return None


class World:
    """Requests, a queue and instances from the first arrival until nothing is left.

    Args:
        options: The rules' numbers.
        arrivals: By time, those of one instant in their order.
        cost: ns that a batch of so many rows takes.
        instances: How many batches may run at once.
        drain_at: From then on the engine drains: it takes nothing more and waits for nobody.
    """

    def __init__(
        self,
        options: Options,
        arrivals: Sequence[Arrival],
        cost: Callable[[int], int],
        instances: int = 1,
        drain_at: int = NEVER,
    ) -> None:
        self.options = options
        self.arrivals = arrivals
        self.cost = cost
        self.instances = instances
        self.drain_at = drain_at
        self.now = -1
        self.coming = [Request(i, arrival, options) for i, arrival in enumerate(arrivals)]
        self.waiting: list[Request] = []
        self.with_model: list[Request] = []  # until they end, which may be before their batch does
        self.busy: dict[int, Batch] = {}  # by instance
        self.batches: list[Batch] = []
        self.endings: dict[int, Ending] = {}

    def run(self) -> History:
        while (instant := self._next_instant()) < NEVER:
            self.now = instant
            self._end_batches()
            self._end_what_is_due()
            self._let_in()
            self._end_what_is_due()
            self._release()
        endings = [self.endings[i] for i in range(len(self.arrivals))]
        return History(
            self.options, self.arrivals, self.instances, endings, self.batches, self.drain_at
        )

    def _next_instant(self) -> int:
        instants = {request.arrival.at for request in self.coming}
        for request in self.waiting + self.with_model:
            instants |= {self.options.deadline_of(request.arrival), request.arrival.given_up}
        for request in self.waiting:
            instants.add(self.options.waits_until(request.arrival))
            instants.add(request.arrival.at + self.options.max_queue_delay)
        if self.coming or self.waiting:
            instants.add(self.drain_at)
        ends = {batch.end for batch in self.busy.values()}
        return min({instant for instant in instants if instant > self.now} | ends, default=NEVER)

    def _end_batches(self) -> None:
        self.busy = {i: batch for i, batch in self.busy.items() if batch.end > self.now}
        for request in list(self.with_model):
            assert request.batch is not None
            if self.batches[request.batch].end <= self.now:
                self._end(request, "success")

    def _end_what_is_due(self) -> None:
        for request in self.waiting + self.with_model:
            if self.options.deadline_of(request.arrival) <= self.now:
                self._end(request, "timeout")
        for request in list(self.waiting):
            until = self.options.waits_until(request.arrival)
            if until <= self.now and not request.behind:
                if self.options.goes_behind(request.arrival):
                    request.behind = True
                else:
                    self._end(request, "timeout")
        for request in self.waiting + self.with_model:
            if request.arrival.given_up <= self.now:
                self._end(request, "cancelled")

    def _let_in(self) -> None:
        while self.coming and self.coming[0].arrival.at <= self.now:
            request = self.coming.pop(0)
            if self.now >= self.drain_at:
                self._end(request, "shutdown")
            elif not self._has_room_for(request.arrival):
                self._end(request, "rejected")
            else:
                self.waiting.append(request)

    def _has_room_for(self, arrival: Arrival) -> bool:
        options = self.options
        waiting = [request.arrival for request in self.waiting]
        level = [other for other in waiting if options.level_of(other) == options.level_of(arrival)]
        level_limit = options.policy_of(arrival).max_queue_size
        nbytes = arrival.nbytes + sum(other.nbytes for other in waiting)
        return (
            (level_limit is None or len(level) < level_limit)
            and len(waiting) < options.max_queue_size
            and (options.max_queue_bytes is None or nbytes <= options.max_queue_bytes)
        )

    def _release(self) -> None:
        draining = self.now >= self.drain_at
        while len(self.busy) < self.instances:
            release = decide(self.waiting, self.options, self.now, draining)
            if release is None:
                return
            members, reason = release
            rows, ids = rows_of(members), tuple(request.id for request in members)
            instance = min(set(range(self.instances)) - set(self.busy))
            end = self.now + self.cost(rows)
            self.busy[instance] = Batch(self.now, end, instance, reason, rows, ids)
            for request in members:
                request.batch = len(self.batches)
                self.waiting.remove(request)
                self.with_model.append(request)
            self.batches.append(self.busy[instance])

    def _end(self, request: Request, outcome: Outcome) -> None:
        assert request.id not in self.endings
        self.endings[request.id] = Ending(request.id, outcome, self.now, request.batch)
        for place in (self.waiting, self.with_model):
            if request in place:
                place.remove(request)
