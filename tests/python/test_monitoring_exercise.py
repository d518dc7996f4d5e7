"""The exercise, end to end: real digits to the real model, delays, the alert, and its end.

Prometheus, Alertmanager and the webhook are real; durations of rules are divided by the drills'
factor. GPUs come from the fake NVML.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from conftest import ROOT
from inferometer.monitoring.drill.ground import Ground, own_ground
from inferometer.monitoring.stack.service import clear_faults, inject
from inferometer.monitoring.stack.steady_load import SteadyLoad, digit_bodies
from inferometer.monitoring.stack.waiting import wait_until
from stack_case import processes_of, stack_tools

FAKE_NVML = ROOT / "build/release/cpp/tests/fakes/nvml/fake_nvml/libnvidia-ml.so.1"
ALERT = "HighInferenceLatencyWarning"
MODEL = "resnet_model"
PATIENCE_SECONDS = 60.0


def wait_for(ground: Ground, status: str) -> None:
    """Until the webhook has heard of the alert."""
    wait_until(
        lambda: [
            one.labels["model_name"]
            for one in ground.notifications(0)
            if one.labels["alertname"] == ALERT and one.status == status
        ],
        lambda seen: MODEL in seen,
        f"{ALERT} {status}",
        PATIENCE_SECONDS,
    )


@pytest.mark.slow
@pytest.mark.skipif(not FAKE_NVML.exists(), reason="the fake NVML is not built")
def test_delays_of_the_resnet_reach_the_webhook_and_resolve(tmp_path: Path) -> None:
    stack_tools()
    begin = time.monotonic()
    with own_ground(tmp_path, ROOT / "model_repository", FAKE_NVML) as ground:
        with SteadyLoad(ground.address.infer_url(MODEL), digit_bodies(), rate=20) as load:
            asked = f'sum(nv_inference_request_success{{job="triton", model="{MODEL}"}})'
            wait_until(
                lambda: ground.prometheus.value(asked) or 0, lambda seen: seen > 20, asked, 30
            )
            p95 = (
                "histogram_quantile(0.95, sum by (le) (rate(inference_latency_seconds_bucket"
                f'{{model_name="{MODEL}"}}[5s])))'
            )
            assert 0 < (ground.prometheus.value(p95) or 0) < 2
            assert 0 <= (ground.prometheus.value("max(nv_gpu_utilization)") or -1) <= 1

            inject(ground.address, MODEL, {"kind": "delay", "seconds": 2.2, "duration": 120})
            wait_for(ground, "firing")
            fired = time.monotonic() - begin
            assert (ground.prometheus.value(p95) or 0) > 2
            clear_faults(ground.address, MODEL)
            wait_for(ground, "resolved")
        print(f"fired after {fired:.1f} s, resolved after {time.monotonic() - begin:.1f} s")
        assert set(load.statuses) <= {0, 200}  # 0: the load ended before its answer came
    assert processes_of(str(tmp_path)) == []
