"""The thresholds: which numbers are taken, and that the alerts use each."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import inferometer as im
from inferometer.monitoring import Objectives, Settings
from inferometer.monitoring.files import render

RANGES = Objectives.ranges()


def test_the_defaults_are_those_of_the_documents() -> None:
    objectives = Objectives()
    assert (objectives.latency_warning, objectives.latency_critical) == (2, 5)
    assert objectives.telemetry_ratio == 0.01
    assert objectives.telemetry_compute == 100e-6
    assert objectives.error_budget == 0.001


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("wrong", [None, "0.5", True, math.nan, -1.0])
def test_what_is_no_number_in_range_is_refused(name: str, wrong: object) -> None:
    with pytest.raises(im.ConfigError, match=rf"^{name}: got {wrong!r}, want .* above"):
        replace(Objectives(), **{name: wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", RANGES)
def test_the_ends_of_a_range_are_refused(name: str) -> None:
    limits = RANGES[name]
    for end in (limits.low, limits.high):
        with pytest.raises(im.ConfigError, match=rf"^{name}: got .*, want {limits.unit}"):
            replace(Objectives(), **{name: end})


def test_no_quantile_is_above_the_last_edge_so_no_limit_may_be() -> None:
    with pytest.raises(im.ConfigError, match=r"^latency_critical: got 60, want seconds .* 60$"):
        Objectives(latency_critical=60)
    assert Objectives(latency_critical=59.9).latency_critical == 59.9


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"latency_warning": 5.0}, "latency_warning: got 5.0, want less than latency_critical, 5"),
        ({"slow_burn": 20.0}, "slow_burn: got 20.0, want less than fast_burn, 14.4"),
        ({"availability": 0.9}, "fast_burn: got 14.4, want less than 10: with an availability of"),
    ],
)
def test_numbers_that_contradict_each_other_are_refused(
    wrong: dict[str, float], message: str
) -> None:
    with pytest.raises(im.ConfigError) as refused:
        replace(Objectives(), **wrong)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("name", RANGES)
def test_each_objective_is_in_a_rule(name: str) -> None:
    changed = getattr(Objectives(), name) * 0.99
    before = render("prometheus-alerts.yml", Settings())
    after = render("prometheus-alerts.yml", Settings(objectives=Objectives(**{name: changed})))
    lines = [
        new for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new
    ]
    # Annotations name limits too; here it is about the queries.
    assert any('job="triton"' in line for line in lines), lines
