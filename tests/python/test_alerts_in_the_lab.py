"""Every shipped alert in virtual time: it fires, does not fire just below, and resolves.

What the rules see is what simulated engines expose, and the lab's own scrapes; GPUs come from the
fake NVML. With ``--alerts-mutation`` every change of a rule that the plugin knows makes one of
these tests fail.
"""

from __future__ import annotations

import re

import pytest

import inferometer as im
from conftest import ROOT
from inferometer.testing import (
    AlertLab,
    Delay,
    Errors,
    Flood,
    Gpu,
    Model,
    Recorded,
    SlowScrape,
    Stall,
    Steady,
    TargetDown,
    TargetGone,
)

CONFIGS = ROOT / "configs"
A, B = "a:8002", "b:8002"

pytestmark = pytest.mark.alert_lab(
    prometheus=CONFIGS / "prometheus.yml", alertmanager=CONFIGS / "alertmanager.yml"
)

# Enough instances that nobody waits: the latency is the cost.
ROOMY = [Model("digits", instances=16), Model("letters", instances=16)]
DIGITS = {"job": "triton", "model_name": "digits"}
LETTERS = {"job": "triton", "model_name": "letters"}


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


# -- does it keep up? -----------------------------------------------------------------------------


def small(name: str, limit: int) -> Model:
    """Half a second a request, one at a time; so many may wait."""
    return Model(name, im.Batching(1, max_queue_size=limit), cost=(0.5, 0.0))


@pytest.mark.alert_lab(instances=[A, B], models=[small("digits", 8), small("letters", 8)])
def test_request_queue_backlog(alert_lab: AlertLab) -> None:
    alert_lab.run("5m", load=1)
    alert_lab.run("6m", load=1, faults=[Flood(3, model="digits", instance=B)])
    alert_lab.run("5m", load=1)
    waiting = {**DIGITS, "instance": B, "severity": "warning"}
    alert_lab.assert_fires("RequestQueueBacklog", after="5m", within="4m", labels=waiting)
    alert_lab.assert_resolves("RequestQueueBacklog", after="11m", within="1m")
    alert_lab.assert_never("RequestQueueBacklog", labels={"instance": A})
    alert_lab.assert_never("RequestQueueBacklog", labels=LETTERS)


@pytest.mark.alert_lab(models=[small("digits", 1)])
def test_waiting_less_than_a_second_is_no_backlog(alert_lab: AlertLab) -> None:
    alert_lab.run("10m", load=4)
    alert_lab.assert_never("RequestQueueBacklog")


@pytest.mark.alert_lab(instances=[A, B], models=[small("digits", 10), small("letters", 10)])
def test_queue_saturated(alert_lab: AlertLab) -> None:
    # One runs, nine wait.
    alert_lab.run("5m", load=0.5)
    ten = {"digits": Recorded(tuple(range(1, 11))), "letters": Recorded((1.0,))}
    alert_lab.run("6m", load=ten, faults=[Stall(model="digits", instance=B)])
    alert_lab.run("5m", load=0.5)
    full = {**DIGITS, "instance": B, "severity": "warning"}
    alert_lab.assert_fires("QueueSaturated", after="5m", within="5m", labels=full)
    alert_lab.assert_resolves("QueueSaturated", after="11m", within="1m")
    alert_lab.assert_never("QueueSaturated", labels={"instance": A})
    alert_lab.assert_never("QueueSaturated", labels=LETTERS)


@pytest.mark.alert_lab(models=[small("digits", 10)])
def test_a_queue_that_is_eight_tenths_full_is_not_saturated(alert_lab: AlertLab) -> None:
    alert_lab.run("5m", load=0.5)
    alert_lab.run("10m", load=Recorded(tuple(range(1, 10))), faults=[Stall()])
    assert alert_lab.expr("inference_queue_depth").at("10m").value == 8
    alert_lab.assert_never("QueueSaturated")


@pytest.mark.alert_lab(models=[Model("digits", im.Batching(8), cost=(0.05, 0.0)), "letters"])
def test_low_batching_efficiency(alert_lab: AlertLab) -> None:
    # A request comes just after the one before is done: busy for 90 % of the time, alone each.
    alert_lab.run("10m", load={"letters": 1})
    alert_lab.run("35m", load={"digits": 18, "letters": 1})
    alert_lab.run("20m", load={"letters": 1})
    labels = {**DIGITS, "severity": "info"}
    alert_lab.assert_fires("LowBatchingEfficiency", after="10m", within="25m", labels=labels)
    alert_lab.assert_resolves("LowBatchingEfficiency", after="45m", within="10m")
    alert_lab.assert_never("LowBatchingEfficiency", labels=LETTERS)
    alert_lab.assert_routed("LowBatchingEfficiency", to="info")


@pytest.mark.alert_lab(models=[Model("digits", im.Batching(8), cost=(0.05, 0.0))])
@pytest.mark.parametrize("rate", [11, 60], ids=["not busy", "batches of three"])
def test_batching_that_is_good_enough(alert_lab: AlertLab, rate: float) -> None:
    alert_lab.run("40m", load=rate)
    alert_lab.assert_never("LowBatchingEfficiency")


@pytest.mark.alert_lab(models=[Model("digits", im.Batching(2), cost=(0.05, 0.0))])
def test_requests_that_fill_a_batch_alone_are_efficient(alert_lab: AlertLab) -> None:
    alert_lab.run("40m", load=Steady(17, rows=2), faults=[Flood(1)])
    assert alert_lab.expr("avg(rate(inference_busy_seconds_total[10m]))").at("30m").value > 0.8
    alert_lab.assert_never("LowBatchingEfficiency")


# -- GPUs -----------------------------------------------------------------------------------------

GIB = 2**30
GPUS = [
    {"uuid": uuid, "utilization": 40, "memory_total": 80 * GIB, "memory_used": 40 * GIB}
    for uuid in ("GPU-0", "GPU-1")
]


@pytest.mark.alert_lab(gpus=GPUS)
@pytest.mark.parametrize(
    ("name", "reading", "within", "resolved"),
    [
        ("HighGPUUtilization", {"utilization": 97}, "16m", "6m"),
        ("GPUMemoryExhausted", {"memory_used": 78 * GIB}, "6m", "30s"),
    ],
)
def test_gpus_that_are_full(
    alert_lab: AlertLab, name: str, reading: dict[str, int], within: str, resolved: str
) -> None:
    alert_lab.run("10m", load=1)
    alert_lab.run("20m", load=1, faults=[Gpu(1, reading)])
    alert_lab.run("10m", load=1)
    labels = {"job": "triton", "gpu_uuid": "GPU-1", "severity": "warning"}
    alert_lab.assert_fires(name, after="10m", within=within, labels=labels)
    alert_lab.assert_resolves(name, after="30m", within=resolved)
    alert_lab.assert_only({name})
    alert_lab.assert_never(name, labels={"gpu_uuid": "GPU-0"})


@pytest.mark.alert_lab(gpus=GPUS)
def test_gpus_just_below(alert_lab: AlertLab) -> None:
    busy = {"utilization": 89, "memory_used": 75 * GIB}
    alert_lab.run("30m", load=1, faults=[Gpu(0, busy), Gpu(1, busy)])
    alert_lab.assert_only(set())


# -- can the monitoring be believed? --------------------------------------------------------------


def recording(seconds: float, cost: float) -> list[Model]:
    """A model whose requests cost so much to record."""
    return [Model("digits", cost=(cost, 0.0), recording=seconds), Model("letters")]


@pytest.mark.alert_lab(models=recording(25e-6, 500e-6))
def test_telemetry_overhead_high(alert_lab: AlertLab) -> None:
    alert_lab.run("25m", load=0.5)
    alert_lab.run("15m", load=0.5, faults=[Delay(0.1)])  # the same against more computing
    labels = {**DIGITS, "severity": "info"}
    alert_lab.assert_fires("TelemetryOverheadHigh", within="22m", labels=labels)
    alert_lab.assert_resolves("TelemetryOverheadHigh", after="25m", within="10m")
    alert_lab.assert_never("TelemetryOverheadHigh", labels=LETTERS)


@pytest.mark.parametrize(
    ("models", "load"),
    [
        pytest.param(recording(4e-6, 500e-6), 20.0, id="0.8 %"),
        pytest.param(recording(20e-6, 80e-6), 20.0, id="a model too quick to judge"),
        pytest.param(recording(50e-6, 500e-6), 0.05, id="too few requests to judge"),
    ],
)
def test_telemetry_overhead_that_is_fine(
    alert_lab: AlertLab, models: list[Model], load: float
) -> None:
    lab = alert_lab.fresh(models=models)
    lab.run("30m", load=load)
    lab.assert_never("TelemetryOverheadHigh")


@pytest.mark.alert_lab(instances=[A, B])
def test_scrape_slow(alert_lab: AlertLab) -> None:
    alert_lab.run("5m", load=1)
    alert_lab.run("15m", load=1, faults=[SlowScrape(3.0, instance=B)])
    alert_lab.run("10m", load=1)
    slow = {"job": "triton", "instance": B, "severity": "warning"}
    alert_lab.assert_fires("ScrapeSlow", after="5m", within="9m", labels=slow)
    alert_lab.assert_resolves("ScrapeSlow", after="20m", within="5m")
    alert_lab.assert_never("ScrapeSlow", labels={"instance": A})


def test_a_scrape_of_nine_tenths_of_a_second_is_not_slow(alert_lab: AlertLab) -> None:
    alert_lab.run("20m", load=1, faults=[SlowScrape(0.9)])
    alert_lab.assert_never("ScrapeSlow")


# -- together -------------------------------------------------------------------------------------


@pytest.mark.alert_lab(models=["digits"])
def test_nothing_else_is_said_while_the_service_is_down(alert_lab: AlertLab) -> None:
    alert_lab.run("20m", load=1, faults=[Errors(0.5)])
    alert_lab.run("5m", load=1, faults=[Errors(0.5), TargetDown()])
    alert_lab.assert_inhibited("HighErrorRate", by="TritonDown")
