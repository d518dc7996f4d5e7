"""The simulator against the specification of batching: the same events at the same nanoseconds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import batching_exact_invariants
import inferometer
import simulation_totals
from batching_history import Arrival, Batch, Ending, History, Options, Policy
from batching_report import side_by_side
from batching_strategies import Scenario, scenarios

im: Any = inferometer

examples = settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


# -- the adapter: all that knows the simulator's interface ---------------------------------------


def seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e9


def queue_policy(policy: Policy) -> Any:
    return im.QueuePolicy(
        max_queue_size=policy.max_queue_size,
        timeout=seconds(policy.timeout),
        timeout_action=policy.timeout_action,
        allow_timeout_override=policy.allow_timeout_override,
    )


def batching(options: Options) -> Any:
    chosen: dict[str, Any] = {}
    if options.priority_levels:
        chosen["default_priority_level"] = options.default_priority_level
    if options.padding:
        chosen["padding"] = im.Padding(axis=1, buckets=options.buckets)
    by_level = options.priority_queue_policy.items()
    return im.Batching(
        max_batch_size=options.max_batch_size,
        max_queue_delay=seconds(options.max_queue_delay),
        preferred_batch_sizes=options.preferred_batch_sizes,
        max_queue_size=options.max_queue_size,
        max_queue_bytes=options.max_queue_bytes,
        default_timeout=seconds(options.default_timeout),
        priority_levels=options.priority_levels,
        default_queue_policy=queue_policy(options.default_queue_policy),
        merge_requests=options.merge_requests,
        priority_queue_policy={level: queue_policy(policy) for level, policy in by_level},
        **chosen,
    )


def request(arrival: Arrival) -> Any:
    return im.Arrival(
        seconds(arrival.at),
        rows=arrival.rows,
        priority=arrival.priority,
        group=arrival.group,
        timeout=seconds(arrival.timeout),
        cancel_at=seconds(arrival.cancel_at),
        nbytes=arrival.nbytes,
        length=arrival.length,
    )


def simulate(scenario: Scenario, arrivals: Iterable[Any] | None = None) -> Any:
    """The simulation of a scenario, at its start."""
    return im.simulate(
        batching(scenario.options),
        [request(arrival) for arrival in scenario.arrivals] if arrivals is None else arrivals,
        lambda rows: scenario.cost(rows) / 1e9,
        instances=scenario.instances,
        trace=True,
    )


def observed(scenario: Scenario, sim: Any) -> History:
    """What a simulation did."""
    endings = [
        Ending(ident, outcome, scenario.arrivals[ident].at + total_ns, batch)
        for ident, outcome, _, total_ns, batch in sorted(sim.requests, key=lambda each: each[0])
    ]
    batches = [
        Batch(start_ns, end_ns, instance, reason, rows, tuple(members))
        for start_ns, end_ns, instance, reason, rows, members in sim.batches
    ]
    return History(scenario.options, scenario.arrivals, scenario.instances, endings, batches)


# -------------------------------------------------------------------------------------------------


def same(scenario: Scenario, sim: Any) -> None:
    """Fails with both histories side by side, unless the simulation did what the rules say."""
    expected, got = scenario.expected(), observed(scenario, sim)
    if (got.requests, got.batches) != (expected.requests, expected.batches):
        pytest.fail("\n" + side_by_side(scenario, expected, got), pytrace=False)
    batching_exact_invariants.check(got)
    simulation_totals.agree(got, sim)


@examples
@given(scenarios())
def test_the_simulator_does_what_the_rules_say(scenario: Scenario) -> None:
    sim = simulate(scenario)
    sim.run()
    same(scenario, sim)


@examples
@given(scenarios(max_requests=20), st.lists(st.sampled_from((1, 500, 999, 1000, 5000))))
def test_the_steps_of_its_clock_change_nothing(scenario: Scenario, steps: list[int]) -> None:
    sim = simulate(scenario)
    for step in steps:
        sim.advance(step / 1e9)
    sim.run()
    same(scenario, sim)


@examples
@given(scenarios(max_requests=20))
def test_the_time_in_the_queue_ends_with_the_start_of_the_batch(scenario: Scenario) -> None:
    sim = simulate(scenario)
    sim.run()
    for ident, _, queue_ns, total_ns, batch in sim.requests:
        if batch is None:
            assert queue_ns == total_ns
        else:
            assert queue_ns == sim.batches[batch][0] - scenario.arrivals[ident].at


def poisson(requests: int, mean_gap: float, seed: int, **most: int) -> tuple[Arrival, ...]:
    """Arrivals at any nanosecond; `most` is the largest rows, priority, group."""
    source = random.Random(seed)
    now = 0.0
    arrivals = []
    for _ in range(requests):
        now += source.expovariate(1 / mean_gap)
        drawn: dict[str, Any] = {what: source.randint(1, high) for what, high in most.items()}
        arrivals.append(Arrival(round(now), **drawn))
    return tuple(arrivals)


LONG = {
    "light": Scenario(
        Options(max_batch_size=16, max_queue_delay=200_000), poisson(800, 100_000, 1), 500_000
    ),
    "saturated": Scenario(
        Options(max_batch_size=16, max_queue_size=100, preferred_batch_sizes=(4, 8)),
        poisson(800, 20_000, 2, rows=4),
        400_000,
        10_000,
    ),
    "mixed": Scenario(
        Options(
            max_batch_size=8,
            max_queue_delay=300_000,
            default_timeout=3_000_000,
            priority_levels=3,
            priority_queue_policy={3: Policy(timeout=1_000_000, timeout_action="delay")},
        ),
        poisson(800, 60_000, 3, rows=3, priority=3, group=3),
        200_000,
        20_000,
        instances=3,
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_run_at_any_nanosecond(name: str) -> None:
    sim = simulate(LONG[name])
    sim.run()
    same(LONG[name], sim)


@pytest.mark.parametrize(
    "given_as",
    [
        pytest.param(lambda arrival: arrival.at / 1e9, id="seconds"),
        pytest.param(lambda arrival: (arrival.at / 1e9, arrival.rows), id="seconds and rows"),
    ],
)
def test_arrivals_may_be_numbers(given_as: Callable[[Arrival], Any]) -> None:
    scenario = Scenario(Options(max_queue_delay=1000), tuple(map(Arrival, (0, 10, 1500))), 700)
    sim = simulate(scenario, map(given_as, scenario.arrivals))
    sim.run()
    same(scenario, sim)
