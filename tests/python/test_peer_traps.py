"""Traps that batching servers fell into, one test each: what waits, and for how long.

Named after the trap and the server that it was seen in. What metrics measure is in
test_peer_traps_metrics.py, which of them there are in test_peer_traps_exposition.py. Of the sixteen
known traps none is left out; three are not the engine's own but apply to what it is shown by: the
Content-Type, labels of paths (no metric of ours has one: that is what is tested), and alert rules.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np
import pytest
from engine_parts.idle import context_switches

import inferometer as im
from gated_model import PATIENCE_SECONDS, GatedModel
from inferometer import _core
from polling import wait_until
from thread_states import thread_states
from workloads import TINY

X = np.ones((1, 2), np.float32)
HOUR = 3600.0
# Over as soon as anybody looks.
SOON = 0.001


def rows(count: int, value: float = 1.0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.full((count, 2), value, np.float32)


# Deadlines.


def test_first_job_of_a_batch_skips_its_timeout_torchserve(
    registry: im.Registry, model: GatedModel
) -> None:
    with im.Engine(model, name="m", registry=registry) as engine:
        engine.submit(X)
        model.wait_entered(1)
        first = engine.submit(X, timeout=SOON)  # the first of the next batch
        others = [engine.submit(X) for _ in range(2)]
        assert isinstance(first.exception(PATIENCE_SECONDS), im.DeadlineExceededError)
        model.release(2)
        for request in others:
            request.result(PATIENCE_SECONDS)
        assert model.batches == [1, 2]


def test_first_job_of_a_batch_that_gathers_skips_its_timeout_torchserve(
    registry: im.Registry, model: GatedModel
) -> None:
    # TorchServe polls for the first job without a limit, and only then looks at the time.
    batching = im.Batching(max_queue_delay=HOUR)
    with im.Engine(model, name="m", batching=batching, registry=registry) as engine:
        first = engine.submit(X, timeout=SOON)
        assert isinstance(first.exception(PATIENCE_SECONDS), im.DeadlineExceededError)
        assert model.batches == []


def test_timeout_noticed_only_when_a_slot_frees_triton(
    registry: im.Registry, model: GatedModel
) -> None:
    with im.Engine(model, name="m", registry=registry) as engine:
        running = engine.submit(X)
        model.wait_entered(1)
        late = engine.submit(X, timeout=SOON)
        assert isinstance(late.exception(PATIENCE_SECONDS), im.DeadlineExceededError)
        assert running.running()  # nothing was freed meanwhile
        labels = {"model_name": "m", "status": "timeout"}
        assert registry.sample_value("inference_requests_total", labels) == 1
        model.release()


# How long to wait for company.


def test_wait_clock_from_first_dequeue_not_arrival_mosec_ray(
    registry: im.Registry, model: GatedModel
) -> None:
    # The delay is over while the model is busy: the request goes when the model returns. Counted
    # from then, it would wait as long again. (Time can only be told from time here: this fails by
    # mistake where the worker gets no processor for a whole delay.)
    delay = 1.0
    batching = im.Batching(max_batch_size=2, max_queue_delay=delay)
    with im.Engine(model, name="m", batching=batching, registry=registry) as engine:
        engine.submit(rows(2))  # full: does not wait
        model.wait_entered(1)
        waiting = engine.submit(X)
        age = wait_until(
            lambda: registry.sample_value("inference_oldest_request_seconds", {"model_name": "m"}),
            lambda seconds: seconds is not None and seconds > delay,
            "the oldest request's age",
            PATIENCE_SECONDS,
        )
        assert age is not None
        model.release(2)
        waiting.result(PATIENCE_SECONDS)
        assert waiting.timing.reason == "delay"
        assert waiting.timing.queue < age + delay


def test_subtracting_elapsed_time_twice_mlserver(registry: im.Registry, model: GatedModel) -> None:
    # Each arrival made MLServer's remaining time shorter by all that had passed since the first.
    delay = 0.2
    batching = im.Batching(max_queue_delay=delay)
    with im.Engine(model, name="m", batching=batching, registry=registry) as engine:
        requests = [engine.submit(X)]
        arrived = time.monotonic()
        while time.monotonic() < arrived + delay / 2:  # a load, not a wait for something
            requests.append(engine.submit(X))
            time.sleep(delay / 40)
        model.release()
        requests[0].result(PATIENCE_SECONDS)
        timing = requests[0].timing
        assert timing.reason == "delay" and timing.queue >= delay
        # Whoever came within the first half of the delay came in time.
        assert model.batches[0] == timing.batch_size >= len(requests) - 1
        model.release(len(requests))


def test_collecting_nothing_while_a_batch_runs_kserve(
    registry: im.Registry, model: GatedModel
) -> None:
    with im.Engine(model, name="m", registry=registry) as engine:
        engine.submit(X)
        model.wait_entered(1)
        requests = [engine.submit(X) for _ in range(5)]  # would block where nobody collects
        depth = registry.sample_value("inference_queue_depth", {"model_name": "m"})
        assert depth == 5
        model.release(2)
        for request in requests:
            request.result(PATIENCE_SECONDS)
        assert model.batches == [1, 5]


# Order.


def test_oversized_item_sent_to_the_back_of_the_queue_ray(
    registry: im.Registry, model: GatedModel
) -> None:
    batching = im.Batching(max_batch_size=4)
    with im.Engine(model, name="m", batching=batching, registry=registry) as engine:
        engine.submit(X)
        model.wait_entered(1)
        first = engine.submit(rows(3))
        oversized = engine.submit(rows(3))  # does not fit beside the first
        small = engine.submit(rows(1))  # would fit, but came later
        model.release(3)
        for request in (first, oversized, small):
            request.result(PATIENCE_SECONDS)
        assert model.batches == [1, 3, 4]
        assert first.timing.batch_size == 3 and first.timing.reason == "full"
        assert oversized.timing.batch_size == small.timing.batch_size == 4


def test_an_item_that_fits_no_batch_is_refused_at_the_door_ray(
    registry: im.Registry, model: GatedModel
) -> None:
    # Rather than going to the back of the queue for ever.
    batching = im.Batching(max_batch_size=4)
    with (
        im.Engine(model, name="m", batching=batching, registry=registry) as engine,
        pytest.raises(im.ShapeError, match="got 5 rows, want 1 to 4"),
    ):
        engine.submit(rows(5))


# Idleness.


@pytest.mark.parametrize("kind", ["native", "numpy", "batched", "native, delay", "after a timeout"])
def test_busy_loop_at_default_settings_litserve(kind: str, registry: im.Registry) -> None:
    others = set(thread_states())
    with made(kind, registry):
        own = set(thread_states()) - others

        def all_asleep() -> bool:
            return all(thread_states().get(thread) == "S" for thread in own)

        # A thread that spins never sleeps; one that ticks wakes up again.
        wait_until(all_asleep, bool, "all threads of the engine sleep", PATIENCE_SECONDS)
        before = {name: n for name, n in switches().items() if name in own}
        assert before, "the engine has no thread of its own to look at"
        time.sleep(0.3)  # long enough to see a tick: theirs are of 0.1 to 5 ms
        after = {name: n for name, n in switches().items() if name in own}
        assert after == before and all_asleep()


def made(kind: str, registry: im.Registry) -> im.Engine | Closing:
    """An engine whose own threads have served something and have nothing to do."""
    if kind == "batched":

        @im.batched(name="m", registry=registry)
        def double(items: list[int]) -> list[int]:
            return [2 * item for item in items]

        wait_done(double.submit(4))
        return Closing(double.close)
    native = kind.startswith("native")
    batching = im.Batching(max_queue_delay=SOON) if kind.endswith("delay") else None
    engine = im.Engine(
        TINY.native() if native else TINY, name="m", batching=batching, registry=registry
    )
    # With a timeout the thread that minds deadlines has started too.
    wait_done(engine.submit(TINY.rows(1), timeout=HOUR if kind == "after a timeout" else None))
    return engine


def wait_done(request: _core.Request) -> None:
    """Without `result()`, whose caller might run the model itself."""
    wait_until(request.done, bool, "a thread of the engine serves it", PATIENCE_SECONDS, SOON)


class Closing:
    """What `with` closes, for what is no context manager."""

    def __init__(self, close: Callable[[], object]) -> None:
        self._close = close

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._close()


def switches() -> dict[str, int]:
    """Context switches of each of our threads, by its id."""
    counts = context_switches(os.getpid())
    return {name.partition(" ")[0]: count for name, count in counts.items()}
