"""promtool reads an exposition with everything in it: nothing to say but of Triton's names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT
from test_monitors import FAKE, needs_fake
from test_prometheus_scrape import check_metrics

# Every way to a family, with values and texts that are hard to write.
PROGRAM = r"""
import math
import numpy as np
import inferometer as im
from inferometer.prometheus import REGISTRY, Counter, Enum, Gauge, Histogram, Info, Summary, core

HARD = 'q"uote \\ back\\slash \n new line é😀 \0'
registry = im.default_registry()
registry.counter("app_jobs", "Jobs: " + HARD, ["a"]).labels(HARD).inc(1, {"trace_id": "t"})
level = registry.gauge("app_level", "Level.", ["a"])
for i, value in enumerate((math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7e308)):
    level.labels(i).set(value)
bounds = [-1, 0, 1e-9, 1e9]
wait = registry.histogram("app_wait_seconds", "Wait.", buckets=bounds, native_histograms=True)
for value in (math.nan, -2, 0, math.inf):
    wait.observe(value)
registry.max_series_per_family = 2
for i in range(5):
    level.labels(f"more{i}").set(i)
registry.max_series_per_family = 10_000

Counter("dropin_jobs", "Jobs: " + HARD, ["a"]).labels(HARD).inc()
Gauge("dropin_level", "Level.").set(math.nan)
Histogram("dropin_wait_seconds", "Wait.").observe(1)
Summary("dropin_size_bytes", "Size.").observe(3)
Gauge("dropin_function", "Of a function.").set_function(lambda: 2)
Info("dropin_build", "Build.").info({"version": HARD})
Enum("dropin_state", "State.", states=["on", "off"]).state("off")
Gauge("dropin.dotted", "A name of Unicode.").set(1)

class Custom:
    def describe(self):
        return []
    def collect(self):
        family = core.GaugeMetricFamily("custom_level", "Level: " + HARD, labels=["a"])
        family.add_metric([HARD], 1)
        histogram = core.HistogramMetricFamily(
            "custom_wait_seconds", "Wait.", buckets=[("1.0", 1), ("+Inf", 2)], sum_value=3)
        return [family, histogram]

REGISTRY.register(Custom())
with im.Engine(lambda x: x, name=HARD, latency_objective=0.5) as engine:
    engine.infer(np.ones((1, 2), np.float32), trace_id="t")
    body = ""
    while "\ninferometer_python_collectors_stale 0\n" not in body:
        body = im.render_metrics()[0].decode()
print(body, end="")
"""
EXPECTED = {
    "app_jobs_total",
    "app_level",
    "app_wait_seconds",
    "dropin_jobs_total",
    "dropin_level",
    "dropin_wait_seconds",
    "dropin_size_bytes",
    "dropin_function",
    "dropin_build_info",
    "dropin_state",
    "dropin_dotted",
    "custom_level",
    "custom_wait_seconds",
    "python_info",
    "python_gc_objects_collected_total",
    "inference_latency_seconds",
    "inferometer_python_collectors_stale",
    "process_open_fds",
    "gpu_temperature_celsius",
    "nv_gpu_utilization",
    "nv_energy_consumption",
    "nv_cpu_utilization",
    "nv_inference_count",
}


@needs_fake
def test_promtool_has_nothing_to_say(prometheus_tools: Path, tmp_path: Path) -> None:
    readme = (ROOT / "tests/fakes/nvml/README.md").read_text(encoding="utf-8")
    script = re.search(r"```ini\n(.*?)```", readme, re.DOTALL)
    assert script is not None
    (tmp_path / "gpus").write_text(script[1], encoding="utf-8")
    text = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ
        | {"INFEROMETER_NVML_LIBRARY": str(FAKE), "FAKE_NVML_SCRIPT": str(tmp_path / "gpus")},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    ).stdout
    # By line feeds alone, as the format has it.
    lines = [line + "\n" for line in text.split("\n")[:-1]]
    exposed = {line.split(" ")[2] for line in lines if line.startswith("# TYPE ")}
    assert exposed >= EXPECTED
    ours = [line for line in lines if not re.match(r"(# (HELP|TYPE) )?nv_", line)]
    assert check_metrics(prometheus_tools, "".join(ours)) == (0, set())

    listed = (ROOT / "tests/data/promtool_nv_lint.txt").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("nv_") for line in listed)
    _, said = check_metrics(prometheus_tools, text)
    assert said == set(listed)  # no line of the list is idle
