"""Shipped alerts in virtual time, continued: queues, batching, GPUs, the monitoring itself."""

from __future__ import annotations

import pytest

import inferometer as im
from inferometer.testing import (
    AlertLab,
    Delay,
    Flood,
    Gpu,
    Model,
    Recorded,
    SlowScrape,
    Stall,
    Steady,
)
from shipped_alerts import DIGITS, LETTERS, SHIPPED, A, B

pytestmark = SHIPPED


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
