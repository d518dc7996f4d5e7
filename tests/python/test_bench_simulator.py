"""The simulator's bench: what it compares, what its verdict says, all of it runs."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from simulator import RATES, arguments_of
from simulator_parts.agreement import Lateness, Round, lateness, one_round, serve, simulate
from simulator_parts.loads import COST, LOADS, Load, poisson
from simulator_parts.rates import rates
from simulator_parts.verdict import verdict_of

import inferometer as im
from conftest import ROOT


def round_of(mean_batch: float, p99: float = 1.0, pick_up: float | None = None) -> Round:
    """One whose engine said 1 everywhere."""
    engine = {"mean batch": 1.0, "P99": 1.0}
    simulator = {"mean batch": mean_batch, "P99": p99}
    corrected = {"mean batch": 1.0, "P99": (1 + p99) / 2}
    return Round(engine, simulator, corrected, (0, 0), Lateness(2e-5, 1e-4, pick_up))


def test_the_median_of_the_rounds_decides() -> None:
    rounds = [round_of(1.01, 1.02), round_of(0.95, 1.3, 2e-3), round_of(1.5, 1.04, 1e-3)]
    verdict = verdict_of("light", rounds)
    assert verdict.within and verdict.numbers[0].median == pytest.approx(0.05)
    assert str(verdict) == (
        "light: within 10 %: yes; at most mean batch 5.0 % apart (-5.0 to +50.0);"
        " with 0.02 ms more a batch P99 2.0 % apart (+1.0 to +15.0);"
        " late at P99: the model 0.10 ms, its worker 2.00 ms"
    )
    verdict = verdict_of("light", [round_of(1.0, 0.8), round_of(1.0, 0.7)])
    assert not verdict.within and verdict.late.pick_up is None
    assert str(verdict).startswith("light: within 10 %: no; at most P99 25.0 % apart (-30.0 to -20")


def test_how_late_the_engine_was() -> None:
    each, a_row = COST
    timings: Any = {
        i: SimpleNamespace(queue=i / 1000, compute=each + a_row + 1e-5, total=0.0, batch_size=1)
        for i in range(8)
    }
    for timing in timings.values():
        timing.total = timing.queue + timing.compute + 2e-5
    late = lateness(timings, [0, 3, 99])
    assert late.model == pytest.approx(1e-5) and late.batch == pytest.approx(3e-5)
    assert late.pick_up == pytest.approx(3e-3, rel=0.02)
    assert lateness(timings, [0]).pick_up is None  # too few


@pytest.mark.parametrize("load", [Load(2000, im.Batching(4), 2), LOADS["busy, 2 levels"]])
def test_engine_and_simulator_get_the_same_requests(load: Load) -> None:
    result = one_round(load, 1, 40)
    assert set(result.engine) == set(result.simulator)
    assert ("P99 of level 2" in result.engine) == (load.batching.priority_levels == 2)
    assert min(result.engine["P50"], result.simulator["P50"]) >= sum(COST)
    assert result.refused == (0, 0)
    assert result.late.batch > 0


def test_what_the_engine_refuses_is_left_out() -> None:
    load = Load(100_000, im.Batching(1, max_queue_size=2))
    count = 30
    levels = load.levels(count, 1)
    served = serve(load, poisson(load.rate, count, 1).tolist(), levels)
    assert served.outcome.refused > 0
    assert len(served.outcome.latencies) == len(served.timings) == count - served.outcome.refused
    outcome, found_free = simulate(load, served.sent, levels)
    assert len(outcome.latencies) == count - outcome.refused
    assert found_free[0] == 0


def test_the_command_line_chooses_loads() -> None:
    assert arguments_of([]).parts == [RATES, *LOADS]
    assert arguments_of(["--only", "4 inst"]).parts == ["light, 4 instances", "busy, 4 instances"]
    for wrong in (["--only", "("], ["--only", "nothing like that"], ["--rounds", "0"]):
        with pytest.raises(SystemExit):
            arguments_of(wrong)


def test_every_form_of_arrivals_has_a_rate() -> None:
    measured = rates(rounds=2, count=1000)
    assert len(measured) == 5 and all(len(values) == 2 for values in measured.values())
    assert min(map(min, measured.values())) > 0


@pytest.mark.slow
def test_all_of_it_runs() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/bench/simulator.py", "--rounds", "1", "--only", "busy$"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/scripts:{ROOT}/scripts/bench"},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["load"] for line in lines] == ["busy"] * len(lines)
    assert {line["what"] for line in lines} >= {"agreement", "agreement: P99"}
    assert done.stdout.splitlines()[-1].startswith("busy: within 10 %: ")


def test_a_load_is_a_value() -> None:
    load = dataclasses.replace(LOADS["light"], rate=1e6)
    assert load.requests == 3_000_000 and LOADS["light"].requests == 1000
    assert load.levels(3, 1) == [0, 0, 0]
