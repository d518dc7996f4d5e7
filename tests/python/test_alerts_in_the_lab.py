"""Every shipped alert in virtual time: it fires, does not fire just below, and resolves.

What the rules see is what simulated engines expose, and the lab's own scrapes; GPUs come from the
fake NVML. With ``--alerts-mutation`` every change of a rule that the plugin knows makes one of
these tests fail.
"""

from __future__ import annotations

import re

import pytest

import inferometer as im
from inferometer.testing import (
    AlertLab,
    Delay,
    Errors,
    Model,
    Recorded,
    Stall,
    Steady,
    TargetDown,
    TargetGone,
)
from shipped_alerts import DIGITS, LETTERS, SHIPPED, A, B

pytestmark = SHIPPED

# Enough instances that nobody waits: the latency is the cost.
ROOMY = [Model("digits", instances=16), Model("letters", instances=16)]


def test_a_healthy_hour_is_quiet(alert_lab: AlertLab) -> None:
    alert_lab.run("1h", load=20)
    alert_lab.assert_only(set())
    alert_lab.assert_fires("Watchdog", annotations={"summary": "alerting works for job triton"})
    alert_lab.assert_routed("Watchdog", to="watchdog")


# -- is it there? ---------------------------------------------------------------------------------


@pytest.mark.alert_lab(instances=[A, B])
def test_triton_down(alert_lab: AlertLab) -> None:
    alert_lab.run("5m", load=1)
    alert_lab.run("5m", load=1, faults=[TargetDown(instance=B)])
    alert_lab.run("5m", load=1)
    down = {"job": "triton", "instance": B, "severity": "critical"}
    alert_lab.assert_fires(
        "TritonDown",
        after="5m",
        within="2m",
        labels=down,
        annotations={"summary": "b:8002 cannot be scraped", "runbook_url": re.compile("^https://")},
    )
    alert_lab.assert_resolves("TritonDown", after="10m", within="30s")
    alert_lab.assert_never("TritonDown", labels={"instance": A})
    alert_lab.assert_routed("TritonDown", to="critical")


@pytest.mark.parametrize("after", [0.0, "10s"], ids=["nobody listens", "nobody answers"])
def test_a_restart_is_not_down(alert_lab: AlertLab, after: float | str) -> None:
    alert_lab.run("5m", load=1)
    alert_lab.run("45s", load=1, faults=[TargetDown(after)])
    alert_lab.run("5m", load=1)
    alert_lab.assert_pending("TritonDown", after="5m", within="1m")
    alert_lab.assert_only(set())


def test_inference_absent(alert_lab: AlertLab) -> None:
    alert_lab.run("5m", load=1)
    alert_lab.run("5m", faults=[TargetGone()])
    alert_lab.run("5m", load=1)
    labels = {"job": "triton", "severity": "critical"}
    alert_lab.assert_fires("InferenceAbsent", after="5m", within="3m", labels=labels)
    alert_lab.assert_resolves("InferenceAbsent", after="10m", within="30s")
    alert_lab.assert_only({"InferenceAbsent"})  # what nobody scrapes is not down
    alert_lab.assert_routed("InferenceAbsent", to="critical")


def test_a_target_that_is_rediscovered_is_not_absent(alert_lab: AlertLab) -> None:
    alert_lab.run("5m", load=1)
    alert_lab.run("90s", faults=[TargetGone()])
    alert_lab.run("5m", load=1)
    alert_lab.assert_pending("InferenceAbsent", after="5m")
    alert_lab.assert_never("InferenceAbsent")


@pytest.mark.alert_lab(instances=[A, B], models=["digits", "letters"])
def test_inference_stalled(alert_lab: AlertLab) -> None:
    alert_lab.run("10m", load=0.05)
    alert_lab.run("6m", load=0.02, faults=[Stall(model="digits", instance=B)])
    alert_lab.run("5m", load=0.05)
    stuck = {**DIGITS, "instance": B, "severity": "critical"}
    alert_lab.assert_fires("InferenceStalled", after="10m", within="5m", labels=stuck)
    alert_lab.assert_resolves("InferenceStalled", after="16m", within="30s")
    alert_lab.assert_never("InferenceStalled", labels={"instance": A})
    alert_lab.assert_never("InferenceStalled", labels=LETTERS)


@pytest.mark.alert_lab(models=["digits"])
def test_a_single_request_that_hangs_is_a_stall(alert_lab: AlertLab) -> None:
    alert_lab.run("5m", load=0.05)
    alert_lab.run("6m", load=Recorded((1.0,)), faults=[Stall()])
    assert alert_lab.expr("max_over_time(inference_queue_depth[5m])").at("11m").value == 0
    alert_lab.assert_fires("InferenceStalled", after="5m", within="5m", labels=DIGITS)


@pytest.mark.alert_lab(models=[Model("digits", im.Batching(64, max_queue_delay=3600.0))])
def test_a_single_request_that_is_never_begun_is_a_stall(alert_lab: AlertLab) -> None:
    alert_lab.run("6m", load=Recorded((1.0,)))
    assert alert_lab.expr("max_over_time(inference_in_flight[5m])").at("6m").value == 0
    alert_lab.assert_fires("InferenceStalled", within="5m", labels=DIGITS)


@pytest.mark.alert_lab(models=[Model("digits", im.Batching(1), cost=(1.0, 0.0))])
def test_a_model_that_is_only_busy_is_not_stalled(alert_lab: AlertLab) -> None:
    alert_lab.run("10m", load=2)
    alert_lab.assert_never("InferenceStalled")
    short = alert_lab.fresh()
    short.run("5m", load=0.5)
    short.run("2m", load=0.5, faults=[Stall()])
    short.run("5m", load=0.5)
    short.assert_never("InferenceStalled")


# -- does it answer? ------------------------------------------------------------------------------


@pytest.mark.alert_lab(models=["digits", "letters"])
def test_high_error_rate(alert_lab: AlertLab) -> None:
    alert_lab.run("10m", load=0.5)
    alert_lab.run("15m", load=0.5, faults=[Errors(0.2, model="digits")])
    alert_lab.run("10m", load=0.5)
    alert_lab.assert_fires(
        "HighErrorRate",
        after="10m",
        within="10m",
        labels={**DIGITS, "severity": "critical"},
        annotations={"summary": re.compile(r"^digits fails \d.* of its requests$")},
    )
    alert_lab.assert_resolves("HighErrorRate", after="25m", within="5m")
    alert_lab.assert_never("HighErrorRate", labels=LETTERS)
    alert_lab.assert_routed("HighErrorRate", to="critical")


@pytest.mark.parametrize("load", [Steady(20), Steady(5, rows=4)], ids=["single", "rows"])
def test_four_percent_are_not_a_high_error_rate(alert_lab: AlertLab, load: Steady) -> None:
    alert_lab.run("20m", load=load, faults=[Errors(0.04)])
    assert alert_lab.expr('rate(inference_requests_total{status="failure"}[5m])').at(
        "20m"
    ).value == pytest.approx(0.04 * load.rate, rel=0.3)
    alert_lab.assert_never("HighErrorRate")


def test_refused_requests_are_errors(alert_lab: AlertLab) -> None:
    lab = alert_lab.fresh(models=[Model("digits", im.Batching(1, max_queue_size=4), cost=(1.0, 0))])
    lab.run("20m", load=2)
    lab.assert_fires("HighErrorRate", within="11m", labels=DIGITS)


@pytest.mark.parametrize("name", ["HighErrorRate", "ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"])
def test_three_requests_a_minute_are_too_few_to_judge(alert_lab: AlertLab, name: str) -> None:
    alert_lab.run("1h", load=0.05, faults=[Errors(1.0)])
    alert_lab.assert_never(name)


@pytest.mark.alert_lab(models=["digits", "letters"])
def test_error_budget_burns_fast(alert_lab: AlertLab) -> None:
    alert_lab.run("1h", load=5)
    alert_lab.run("20m", load=5, faults=[Errors(0.12, model="digits")])
    alert_lab.run("20m", load=5)
    labels = {**DIGITS, "severity": "critical"}
    alert_lab.assert_fires("ErrorBudgetBurnFast", after="1h", within="12m", labels=labels)
    alert_lab.assert_resolves("ErrorBudgetBurnFast", after="80m", within="6m")
    alert_lab.assert_never("ErrorBudgetBurnFast", labels=LETTERS)
    seldom = alert_lab.fresh()
    seldom.run("1h", load=0.5)
    seldom.run("20m", load=0.5, faults=[Errors(0.3)])
    seldom.assert_fires("ErrorBudgetBurnFast", after="1h", within="12m")


def test_one_bad_minute_burns_nothing(alert_lab: AlertLab) -> None:
    alert_lab.run("1h", load=5)
    alert_lab.run("1m", load=5, faults=[Errors(0.5)])
    alert_lab.run("20m", load=5)
    alert_lab.assert_never("ErrorBudgetBurnFast")


@pytest.mark.alert_lab(models=["digits", "letters"])
def test_error_budget_burns_slowly(alert_lab: AlertLab) -> None:
    alert_lab.run("6h", load=0.5)
    alert_lab.run("2h", load=0.5, faults=[Errors(0.04, model="digits")])
    alert_lab.run("1h", load=0.5)
    labels = {**DIGITS, "severity": "warning"}
    alert_lab.assert_fires("ErrorBudgetBurnSlow", after="6h", within="90m", labels=labels)
    alert_lab.assert_resolves("ErrorBudgetBurnSlow", after="8h", within="31m")
    alert_lab.assert_never("ErrorBudgetBurnSlow", labels=LETTERS)
    alert_lab.assert_routed("ErrorBudgetBurnSlow", to="warning")


def test_three_bad_minutes_burn_little_of_six_hours(alert_lab: AlertLab) -> None:
    alert_lab.run("6h", load=1)
    alert_lab.run("3m", load=1, faults=[Errors(0.5)])
    alert_lab.run("1h", load=1)
    alert_lab.assert_never("ErrorBudgetBurnSlow")


# -- is it quick? ---------------------------------------------------------------------------------


@pytest.mark.alert_lab(models=ROOMY)
@pytest.mark.parametrize(
    ("name", "seconds", "severity"),
    [("HighInferenceLatencyWarning", 2.2, "warning"), ("HighInferenceLatency", 6, "critical")],
)
def test_high_latency(alert_lab: AlertLab, name: str, seconds: float, severity: str) -> None:
    alert_lab.run("20m", load=0.5)
    alert_lab.run("15m", load=0.5, faults=[Delay(seconds, model="digits")])
    alert_lab.run("15m", load=0.5)
    labels = {**DIGITS, "severity": severity}
    alert_lab.assert_fires(name, after="20m", within="7m", labels=labels)
    alert_lab.assert_resolves(name, after="35m", within="6m")
    alert_lab.assert_never(name, labels=LETTERS)
    alert_lab.assert_routed(name, to=severity)


@pytest.mark.alert_lab(models=ROOMY)
@pytest.mark.parametrize(
    ("name", "seconds"), [("HighInferenceLatencyWarning", 1.9), ("HighInferenceLatency", 4.9)]
)
def test_latency_just_below(alert_lab: AlertLab, name: str, seconds: float) -> None:
    alert_lab.run("20m", load=1, faults=[Delay(seconds)])
    alert_lab.assert_never(name)


@pytest.mark.alert_lab(models=ROOMY)
@pytest.mark.parametrize("name", ["HighInferenceLatencyWarning", "HighInferenceLatency"])
def test_few_slow_requests_are_too_few_to_judge(alert_lab: AlertLab, name: str) -> None:
    alert_lab.run("20m", load=0.05, faults=[Delay(8)])
    alert_lab.assert_never(name)


@pytest.mark.alert_lab(models=ROOMY)
def test_the_critical_alert_hides_the_warning_about_the_same_model(alert_lab: AlertLab) -> None:
    alert_lab.run("20m", load=1, faults=[Delay(6, model="digits")])
    alert_lab.assert_inhibited("HighInferenceLatencyWarning", by="HighInferenceLatency")
    alert_lab.assert_only({"HighInferenceLatency", "HighInferenceLatencyWarning"})


# -- together -------------------------------------------------------------------------------------


@pytest.mark.alert_lab(models=["digits"])
def test_nothing_else_is_said_while_the_service_is_down(alert_lab: AlertLab) -> None:
    alert_lab.run("20m", load=1, faults=[Errors(0.5)])
    alert_lab.run("5m", load=1, faults=[Errors(0.5), TargetDown()])
    alert_lab.assert_inhibited("HighErrorRate", by="TritonDown")
