"""`im.simulate`: what it takes, what it refuses, how its clock goes. Rules are tested elsewhere."""

from __future__ import annotations

import itertools
import math
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inferometer as im
from test_prometheus_scrape import check_metrics

MS = 1e-3
ONE_BY_ONE = im.Batching(max_batch_size=1)


def simulate(arrivals: Any, cost: Any = MS, **options: Any) -> im.Simulation:
    """Batches of any size that take 1 ms, traced."""
    cost = cost if not isinstance(cost, float) else (cost, 0.0)
    options.setdefault("batching", im.Batching())
    return im.simulate(options.pop("batching"), arrivals, cost, trace=True, **options)


def every(seconds: float) -> Iterator[float]:
    return (seconds * i for i in itertools.count())


# -- arrivals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arrivals",
    [
        pytest.param([0, 0.5, 1.0], id="numbers"),
        pytest.param([(0.0,), (0.5, 1), (1.0, 1, 0)], id="tuples"),
        pytest.param(iter([im.Arrival(0), im.Arrival(0.5), im.Arrival(1)]), id="arrivals"),
        pytest.param(np.array([0, 0.5, 1]), id="array"),
        pytest.param(np.array([0, 9, 0.5, 9, 1, 9])[::2], id="array with gaps"),
        pytest.param(np.array([0, 0.5, 1], np.float32), id="array of float32"),
        pytest.param(np.array([[0, 1], [0.5, 1], [1, 1]]), id="array with rows"),
        pytest.param(np.array([0, 0.5, 1], object), id="array of objects"),
        pytest.param([np.float64(0), np.float32(0.5), np.int64(1)], id="numpy's numbers"),
    ],
)
def test_forms_of_arrivals(arrivals: Any) -> None:
    sim = simulate(arrivals)
    sim.run()
    assert [batch[0] for batch in sim.batches] == [0, 500_000_000, 1_000_000_000]


def test_rows_of_an_array() -> None:
    sim = simulate(np.array([[0, 3], [0, 4]]))
    sim.run()
    assert [batch[4] for batch in sim.batches] == [7]


def test_seconds_are_rounded_to_nanoseconds() -> None:
    sim = simulate([1e-9 * 1.4, 1e-9 * 2.6], 0.0)
    sim.run()
    assert [batch[0] for batch in sim.batches] == [1, 3]


@pytest.mark.parametrize(
    ("arrivals", "text"),
    [
        ([0.2, 0.1], "arrival 1: got 0.100000 s after 0.200000 s, want arrivals in the order of"),
        ([-1.0], "arrival 0: got -1.000000 s, want 0 or more"),
        ([0, 1e18], "arrival 1: got .* want at most 46116860"),
        ([0, math.nan], "arrival 1: got nan, want seconds, .seconds, rows. or inferometer.Arrival"),
        ([math.inf], "arrival 0: got inf, want seconds"),
        (["x"], "arrival 0: got 'x', want seconds"),
        ([None], "arrival 0: got None, want seconds"),
        ([()], r"arrival 0: got \(\), want seconds"),
        ([(0,) * 9], "arrival 0: got .* want seconds"),
        ([(0, 1.5)], r"arrival 0: got \(0, 1.5\), want seconds"),
        ([(0, 0)], "arrival 0: got rows 0, want 1 to 64"),
        ([(0, 65)], "arrival 0: got rows 65, want 1 to 64"),
        ([im.Arrival(0, priority=1)], "arrival 0: got priority 1, want 0 to 0"),
        ([im.Arrival(0, group=-1)], "arrival 0: got group -1, want 0 to"),
        ([im.Arrival(0, nbytes=-1)], "arrival 0: got nbytes -1, want 0 to"),
        ([im.Arrival(0, length=-1)], "arrival 0: got .*length=-1.*, want seconds"),
        ([im.Arrival(0, length=2**31)], "arrival 0: got length 2147483648, want 0 to"),
        ([im.Arrival(0, timeout=math.nan)], "arrival 0: got .*, want seconds"),
        (np.array([0, math.nan]), "arrival 1: got seconds nan, want a finite number"),
        (np.array([[0, 1.5]]), "arrival 0: got rows 1.5.*, want a whole number"),
        (np.array([[0, 1e300]]), "arrival 0: got rows 1.*, want a whole number"),
        (np.array([0.2, 0.1]), "arrival 1: got 0.100000 s after 0.200000 s"),
        (np.zeros((2, 3)), "arrival 0: got array.*, want seconds"),
    ],
)
def test_wrong_arrivals(arrivals: Any, text: str) -> None:
    sim = simulate(arrivals)
    with pytest.raises(im.ConfigError, match=text):
        sim.run()


def test_what_the_arrivals_raise() -> None:
    def arrivals() -> Iterator[float]:
        yield 0.0
        raise KeyError("mine")

    sim = simulate(arrivals())
    with pytest.raises(KeyError, match="mine"):
        sim.run()
    for call in (sim.run, lambda: sim.advance(1)):
        with pytest.raises(im.ClosedError, match=r"ended with an error at 0.0* s: make a new one"):
            call()
    assert sim.stats()["recording"]


def test_arrivals_that_use_their_simulation() -> None:
    caught: list[tuple[float, int]] = []

    def arrivals() -> Iterator[float]:
        with pytest.raises(im.ClosedError, match="got a call during another one"):
            sim.advance(1)
        with pytest.raises(im.ClosedError, match="got a call during another one"):
            sim.requests  # noqa: B018
        caught.append((sim.now, sim.stats()["queue_depth"]))
        yield 0.0

    sim = simulate(arrivals())
    sim.run()
    assert caught == [(0.0, 0)]
    assert sim.stats()["requests"]["success"] == 1


def test_ctrl_c_ends_an_endless_run() -> None:
    def arrivals() -> Iterator[float]:
        for at in every(MS):
            if at > 10:
                signal.raise_signal(signal.SIGINT)
            yield at

    with pytest.raises(KeyboardInterrupt):
        simulate(arrivals()).run()


# -- cost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cost",
    [
        pytest.param(lambda rows: 1 + 2 * rows, id="callable"),
        pytest.param((1, 2), id="seconds and seconds a row"),
        pytest.param([math.nan, 3, 5], id="list by rows"),
        pytest.param(np.array([math.nan, 3, 5], np.float32), id="array by rows"),
    ],
)
def test_forms_of_cost(cost: Any) -> None:
    sim = simulate([(0, 1), (10, 2)], cost)
    sim.run()
    assert [batch[1] for batch in sim.batches] == [3_000_000_000, 15_000_000_000]


def test_the_cost_is_asked_once_for_each_number_of_rows() -> None:
    asked: list[int] = []

    def cost(rows: int) -> float:
        asked.append(rows)
        return MS

    sim = simulate([(i * 1.0, 1 + i % 3) for i in range(100)], cost)
    sim.run()
    assert asked == [1, 2, 3]


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (lambda rows: -1, "cost of 1 rows: got -1, want seconds, 0 or more"),
        (lambda rows: math.nan, "cost of 1 rows: got nan, want seconds, 0 or more"),
        (lambda rows: None, "cost of 1 rows: got None, want seconds, 0 or more"),
        ([0], "cost: got 1 numbers, want one for 1 rows: more"),
    ],
)
def test_wrong_costs(cost: Any, text: str) -> None:
    sim = simulate([0], cost)
    with pytest.raises(im.ConfigError, match=text):
        sim.run()
    with pytest.raises(im.ClosedError, match="ended with an error"):
        sim.run()


def test_what_the_cost_raises() -> None:
    def cost(rows: int) -> float:
        raise KeyError(rows)

    with pytest.raises(KeyError, match="1"):
        simulate([0], cost).run()


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batching": None}, "batching: got NoneType, want Batching"),
        ({"batching": im.Batching(max_batch_size=0)}, "max_batch_size: got 0"),
        ({"arrivals": 3}, "arrivals: got int, want an iterable"),
        ({"cost": None}, "cost: got NoneType, want a callable"),
        ({"cost": (1,)}, "cost: got a tuple of 1, want .seconds, seconds_per_row."),
        ({"cost": (1, "x")}, "cost: got 'x', want seconds"),
        ({"instances": 0}, "instances: got 0, want 1"),
        ({"instances": 70_000}, "instances: got 70000, want 1 to 65536"),
        ({"instances": 1.0}, "instances: got 1.0, want an int"),
        ({"trace": 1}, "trace: got 1, want True or False"),
        ({"name": ""}, "name: got an empty name"),
        ({"name": 3}, "name: got 3, want a str"),
        ({"latency_objective": 0}, "latency_objective: got 0 ns"),
        ({"latency_objective": "1"}, "latency_objective: got '1', want seconds or None"),
        ({"until": math.nan}, "until: got nan, want seconds"),
    ],
)
def test_wrong_options(options: dict[str, Any], text: str) -> None:
    good: dict[str, Any] = {"batching": im.Batching(), "arrivals": [], "cost": (0, 0)}
    with pytest.raises(im.ConfigError, match=text):
        im.simulate(**(good | options))


# -- the clock ------------------------------------------------------------------------------------


def test_the_clock() -> None:
    sim = simulate([0.25, 1.0])
    assert sim.now == 0
    assert math.isnan(sim.stats()["throughput"])
    sim.advance(0.25)
    assert (sim.now, sim.stats()["in_flight"]) == (0.25, 1)
    sim.advance(0.5)
    assert (sim.now, sim.stats()["throughput"]) == (0.75, pytest.approx(1 / 0.75))
    sim.run()
    assert sim.now == 1.001
    assert repr(sim) == "<inferometer.Simulation at 1.001 s>"
    for wrong in (-1, math.nan, "1"):
        with pytest.raises(im.ConfigError, match="advance: got"):
            sim.advance(wrong)  # type: ignore[arg-type]
    sim.advance(1)
    assert sim.now == 2.001


def test_endless_arrivals() -> None:
    sim = simulate(every(MS), batching=ONE_BY_ONE)
    sim.advance(2)
    assert sim.stats()["requests"]["success"] == 2000
    sim.advance(1)
    assert sim.stats()["requests"]["success"] == 3000


def test_nothing_arrives_from_until_on() -> None:
    sim = simulate(every(0.5), until=2.0)
    sim.run()
    assert len(sim.requests) == 4  # at 0, 0.5, 1 and 1.5
    assert sim.now == 1.501


def test_without_trace_nothing_is_kept() -> None:
    sim = im.simulate(im.Batching(), [0.0], (MS, 0))
    sim.run()
    assert (sim.requests, sim.batches) == ([], [])
    assert sim.stats()["requests"]["success"] == 1


# -- metrics --------------------------------------------------------------------------------------


def busy_simulation() -> im.Simulation:
    """One of everything, stopped while something waits and runs."""
    batching = im.Batching(
        max_batch_size=4, max_queue_delay=MS, max_queue_size=6, padding=im.Padding()
    )
    arrivals = (
        im.Arrival(i * 0.4 * MS, timeout=0.01, cancel_at=0.02 if i == 10 else None, length=i % 3)
        for i in range(100)
    )
    sim = im.simulate(batching, arrivals, (4 * MS, 0), name="what-if", latency_objective=8 * MS)
    sim.advance(0.03)
    return sim


def test_stats_are_those_of_an_engine() -> None:
    registry = im.Registry()
    with im.Engine(lambda x: x, name="m", registry=registry) as engine:
        expected = engine.stats()
    got = busy_simulation().stats()
    assert list(got) == [*expected, "throughput"]
    assert all(list(got[key]) == list(expected[key]) for key in ("requests", "batches", "latency"))
    assert got["recording"]


def test_metrics_are_those_of_an_engine(prometheus_tools: Path) -> None:
    sim = busy_simulation()
    text = im.render_metrics(sim.registry)[0].decode()
    ours = [line for line in text.splitlines(keepends=True) if "nv_" not in line]
    assert check_metrics(prometheus_tools, "".join(ours)) == (0, set())

    def sample(name: str, **labels: str) -> float | None:
        return sim.registry.sample_value(name, {"model_name": "what-if", **labels})

    stats = sim.stats()
    assert sample("inference_queue_depth") == stats["queue_depth"] > 0
    assert sample("inference_in_flight") == stats["in_flight"] > 0
    assert (sample("inference_oldest_request_seconds") or 0) > 0
    assert sample("inference_queue_limit") == 6
    assert sample("inference_latency_objective_seconds") == 8 * MS
    assert (sample("inference_requests_within_objective_total") or 0) > 0
    assert stats["requests"]["rejected"] > 0


def test_two_simulations_do_not_meet() -> None:
    both = [simulate([0.0]), simulate([0.0, 1.0])]
    for sim in both:
        sim.run()
    assert [sim.stats()["requests"]["success"] for sim in both] == [1, 2]


@pytest.mark.parametrize(
    "arrivals",
    [lambda: np.arange(5) * MS, lambda: [i * MS for i in range(5)]],
    ids=("array", "list"),
)
def test_arrivals_live_as_long_as_the_simulation(arrivals: Callable[[], Any]) -> None:
    sim = simulate(arrivals())
    sim.run()
    assert sim.stats()["requests"]["success"] == 5


def test_a_simulation_that_was_never_initialised() -> None:
    from inferometer import _core

    core = _core.Simulation.__new__(_core.Simulation)
    with pytest.raises(TypeError, match="never initialised"):
        core.run()
