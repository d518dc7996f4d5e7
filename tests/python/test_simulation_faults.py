"""Faults, phases and several models in `im.simulate`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import inferometer as im

ONE_BY_ONE = im.Batching(max_batch_size=1)


def simulate(arrivals: Any, **options: Any) -> im.Simulation:
    """One request a batch; each takes 10 ms."""
    return im.simulate(ONE_BY_ONE, arrivals, (0.01, 0.0), **options)


def every(seconds: float, count: int, start: float = 0.0) -> list[float]:
    return [start + seconds * i for i in range(count)]


def test_a_delay_while_it_is_in_effect() -> None:
    sim = simulate(every(10, 10), trace=True)
    sim.faults.add("delay", seconds=2.5, start_after=30, duration=30)
    sim.run()
    total = [request[3] for request in sim.requests]
    assert total == [10_000_000] * 3 + [2_510_000_000] * 3 + [10_000_000] * 4
    assert sim.faults.injected() == {"delay": 3, "error": 0, "stall": 0, "partial": 0}


@pytest.mark.parametrize("kind", ["error", "partial"])
def test_failures_are_counted_as_an_engine_counts_them(kind: Any) -> None:
    sim = simulate(every(1, 1000))
    sim.faults.add(kind, ratio=0.2)
    sim.run()
    counted = sim.stats()["requests"]
    assert counted["failure"] == sim.faults.injected()[kind]
    assert counted["success"] == 1000 - counted["failure"]
    assert 150 < counted["failure"] < 250
    shown = sim.registry.sample_value(
        "inference_requests_total", {"model_name": "simulated", "status": "failure"}
    )
    assert shown == counted["failure"]


def test_a_stall_shows_in_the_queue() -> None:
    sim = simulate(every(1, 100))
    sim.faults.add("stall", duration=50)
    sim.advance(40)
    labels = {"model_name": "simulated"}
    assert sim.registry.sample_value("inference_queue_depth", labels) == 40
    assert sim.registry.sample_value("inference_oldest_request_seconds", labels) == 39
    sim.run()
    assert sim.stats()["requests"]["success"] == 100


def test_faults_come_and_go_between_phases() -> None:
    sim = simulate([])
    for phase, fault in enumerate([None, 1.0, None]):
        sim.faults.clear()
        if fault is not None:
            sim.faults.add("error", ratio=fault)
        sim.extend(np.arange(10) + phase * 10.0)
        sim.advance(10)
    assert sim.stats()["requests"] | {"failure": 10, "success": 20} == sim.stats()["requests"]


def test_the_same_seed_fails_the_same_requests() -> None:
    def failed(**options: Any) -> list[int]:
        sim = simulate(every(1, 200), trace=True, **options)
        sim.faults.add("error", ratio=0.5)
        sim.run()
        return [request[0] for request in sim.requests if request[1] == "failure"]

    assert failed() == failed() == failed(seed=0)
    assert failed() != failed(seed=1)


def test_several_models_in_one_exposition() -> None:
    registry = im.Registry()
    sims = [simulate(every(1, 5), name=name, registry=registry) for name in ("a", "b")]
    for sim in sims:
        sim.run()
        assert sim.registry is registry
    text = im.render_metrics(registry)[0].decode()
    for name in ("a", "b"):
        assert f'inference_requests_total{{model_name="{name}",status="success"}} 5\n' in text
    with pytest.raises(im.ConfigError, match="a"):
        simulate([], name="a", registry=registry)


def test_what_recording_is_to_cost() -> None:
    sim = simulate(every(1, 100), recording=2e-6)
    sim.run()
    assert sim.stats()["telemetry_seconds"] == pytest.approx(200e-6)


def test_more_arrivals_are_not_in_the_past() -> None:
    sim = simulate(every(1, 3))
    sim.advance(10)
    sim.extend([9.0])
    with pytest.raises(im.ConfigError, match=r"arrival 3: got 9.0* s after 10.0* s"):
        sim.advance(1)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"registry": "mine"}, "registry: got str, want a Registry or None"),
        ({"recording": "much"}, "recording: got 'much', want seconds"),
        ({"recording": math.nan}, "recording: got nan, want seconds"),
        ({"recording": -1.0}, "recording: got -1000000000 ns, want 0 or more"),
        ({"seed": -1}, "seed: got -1, want an int from 0 to"),
        ({"seed": 1.5}, "seed: got 1.5, want an int from 0 to"),
    ],
)
def test_wrong_options(options: dict[str, Any], text: str) -> None:
    with pytest.raises(im.ConfigError, match=text):
        simulate([], **options)


def test_what_is_no_iterable() -> None:
    with pytest.raises(im.ConfigError, match="arrivals: got int, want an iterable"):
        simulate([]).extend(5)  # type: ignore[arg-type]
