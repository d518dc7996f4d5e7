"""A real Prometheus reads our native histograms and exemplars through the native listener."""

from __future__ import annotations

import bisect
import random
import time
from pathlib import Path

import numpy as np
import pytest

import inferometer as im
from prometheus_server import NATIVE_FEATURES, PrometheusServer, scrape_config

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
BOUNDS = [0.001 * 2**i for i in range(14)]
FACTOR = 2 ** (1 / 8)  # between the bounds of schema 3


@pytest.mark.slow
def test_native_and_classic_quantiles_agree_and_exemplars_are_found(
    prometheus_tools: Path, tmp_path: Path
) -> None:
    native, classic = im.Registry(native_histograms=True), im.Registry()
    histograms = [
        registry.histogram("work_seconds", "Work.", ["kind"], BOUNDS).labels("a")
        for registry in (native, classic)
    ]
    for histogram in histograms:
        observed = random.Random(7)
        for _ in range(5_000):
            histogram.observe(observed.lognormvariate(-3, 1))
    histograms[0].observe(0.5, {"trace_id": "app"})
    histograms[1].observe(0.5)
    with (
        im.Engine(lambda x: x, name="m", registry=native) as engine,
        im.serve_metrics(port=0, registry=native) as of_native,
        im.serve_metrics(port=0, registry=classic) as of_classic,
    ):
        for _ in range(20):
            engine.infer(np.ones((1, 2), np.float32), trace_id=TRACE)
        config = scrape_config(of_native.url, "native", 250)
        config["scrape_configs"] += scrape_config(of_classic.url, "classic", 250)["scrape_configs"]
        with PrometheusServer(prometheus_tools, tmp_path, config, NATIVE_FEATURES) as prometheus:
            prometheus.wait_for_value("sum(up)", 2, 20)
            assert prometheus.value('histogram_count(work_seconds{job="native"})') == 5_001
            assert prometheus.value('work_seconds_count{job="classic"}') == 5_001
            for q in (0.01, 0.5, 0.9, 0.99):
                exact = prometheus.value(f'histogram_quantile({q}, work_seconds{{job="native"}})')
                coarse = prometheus.value(
                    f'histogram_quantile({q}, work_seconds_bucket{{job="classic"}})'
                )
                assert exact is not None
                assert coarse is not None
                bucket = bisect.bisect_left(BOUNDS, coarse)
                low = BOUNDS[bucket - 1] if bucket > 0 else 0.0
                assert low / FACTOR <= exact <= BOUNDS[bucket] * FACTOR
            # An engine's histograms arrive native too.
            assert (
                prometheus.value('histogram_count(inference_latency_seconds{job="native"})') == 20
            )

            now = time.time()
            for name, trace in (("inference_latency_seconds", TRACE), ("work_seconds", "app")):
                series = prometheus.query_exemplars(name, now - 300, now + 300)
                found = {one["labels"]["trace_id"] for part in series for one in part["exemplars"]}
                assert found == {trace}
