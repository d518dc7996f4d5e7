"""Traps that batching servers fell into, one test each: what metrics measure, and in which type.

Named after the trap and the server that it was seen in. Others are in test_peer_traps.py.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import numpy as np
import pytest

import inferometer as im
from gated_model import PATIENCE_SECONDS, GatedModel
from inferometer import _core

X = np.ones((1, 2), np.float32)
SOON = 0.001


def value(registry: im.Registry, name: str, **labels: str) -> float | None:
    return registry.sample_value(name, {"model_name": "m", **labels})


def test_histogram_with_the_wrong_units_buckets_mlserver(registry: im.Registry) -> None:
    # MLServer counted waiting requests with buckets of seconds: beyond 10 all was +Inf.
    bounds = {name: edges for name, kind, _, edges, *_ in _core.catalogue() if kind == "histogram"}
    for name, edges in bounds.items():
        finite = [float(edge) for edge in edges[:-1]]
        if name.endswith("_seconds"):
            assert finite[0] <= 1e-4 and finite[-1] == 60
        elif name.endswith("_us"):
            assert finite[0] <= 100 and finite[-1] == 60e6
        else:
            assert name == "inference_batch_size"
            assert finite[0] == 1 and all(edge.is_integer() for edge in finite)
    batching = im.Batching(max_batch_size=1024)
    with im.Engine(lambda x: x, name="m", batching=batching, registry=registry) as engine:
        engine.infer(np.ones((1000, 2), np.float32))
        text = im.render_metrics(registry)[0].decode()
    assert 'inference_batch_size_bucket{model_name="m",le="512.0"} 0' in text
    assert 'inference_batch_size_bucket{model_name="m",le="1024.0"} 1' in text


def test_observing_empty_batches_tei(registry: im.Registry, model: GatedModel) -> None:
    with im.Engine(model, name="m", registry=registry) as engine:
        running = engine.submit(X)
        model.wait_entered(1)
        cancelled = [engine.submit(X) for _ in range(3)]
        late = engine.submit(X, timeout=SOON)
        assert all(request.cancel() for request in cancelled)
        assert late.exception(PATIENCE_SECONDS) is not None
        model.release()  # nothing is left of the batch that would have been next
        running.result(PATIENCE_SECONDS)
        last = engine.submit(X)
        model.release()
        last.result(PATIENCE_SECONDS)
        assert model.batches == [1, 1]
        assert value(registry, "inference_batch_size_count") == 2
        assert value(registry, "inference_batch_size_sum") == 2
        assert value(registry, "inference_compute_seconds_count") == 2
        assert value(registry, "inference_batches_total", reason="idle") == 2


def gauges(registry: im.Registry) -> tuple[float | None, float | None]:
    """Waiting requests, as our name and Triton's tell."""
    triton = {"model": "m", "version": "1"}
    return (
        value(registry, "inference_queue_depth"),
        registry.sample_value("nv_inference_pending_request_count", triton),
    )


def run_them(model: GatedModel, engine: im.Engine, waiting: list[_core.Request]) -> None:
    model.release(2)
    for request in waiting:
        request.result(PATIENCE_SECONDS)


def cancel_them(model: GatedModel, engine: im.Engine, waiting: list[_core.Request]) -> None:
    for request in waiting:
        assert request.cancel()


def wait_for_their_deadline(
    model: GatedModel, engine: im.Engine, waiting: list[_core.Request]
) -> None:
    for request in waiting:
        assert request.exception(PATIENCE_SECONDS) is not None


@pytest.mark.parametrize(
    ("leave", "timeout"),
    [(run_them, None), (cancel_them, None), (wait_for_their_deadline, SOON)],
)
def test_gauge_set_only_on_one_side_of_the_queue_tei(
    leave: Callable[[GatedModel, im.Engine, list[_core.Request]], None],
    timeout: float | None,
    registry: im.Registry,
    model: GatedModel,
) -> None:
    # However requests leave the queue, the gauge goes down again without another one arriving.
    with im.Engine(model, name="m", registry=registry) as engine:
        engine.submit(X)
        model.wait_entered(1)
        assert gauges(registry) == (0, 0)
        waiting = [engine.submit(X, timeout=timeout) for _ in range(3)]
        if timeout is None:
            assert gauges(registry) == (3, 3)
        leave(model, engine, waiting)
        assert gauges(registry) == (0, 0)
        assert value(registry, "inference_oldest_request_seconds") == 0
        model.release()


def test_gauge_of_an_engine_that_was_closed_tei(registry: im.Registry, model: GatedModel) -> None:
    engine = im.Engine(model, name="m", registry=registry)
    engine.submit(X)
    model.wait_entered(1)
    waiting = engine.submit(X)
    closing = threading.Thread(target=engine.close)
    closing.start()
    assert isinstance(waiting.exception(PATIENCE_SECONDS), im.ClosedError)
    model.release()
    closing.join()
    assert engine.stats()["queue_depth"] == engine.stats()["in_flight"] == 0
    assert gauges(registry) == (None, None)


def test_last_value_gauge_for_latency_torchserve_djl(registry: im.Registry) -> None:
    # A gauge of durations forgets all but the last request. Those there are tell of the present
    # moment or of the configuration.
    no_latencies = {
        "inference_oldest_request_seconds",
        "inference_latency_objective_seconds",
        "nv_model_load_duration_secs",
        "process_start_time_seconds",
    }
    durations = re.compile("latency|duration|_seconds|_secs|_us$|_time")
    found = {
        name for name, kind, *_ in _core.catalogue() if kind == "gauge" and durations.search(name)
    }
    assert found == no_latencies
    with im.Engine(lambda x: x, name="m", registry=registry) as engine:
        for _ in range(3):
            engine.infer(X)
        for stage in ("latency", "queue", "compute"):
            assert value(registry, f"inference_{stage}_seconds_count") == 3
