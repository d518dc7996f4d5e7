"""A real Prometheus that starts with given samples, and its answers as arrays."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.asgi.dashboard.promql import Samples
from prometheus_server import PrometheusServer

Floats = NDArray[np.float64]
Answer = dict[tuple[tuple[str, str], ...], Floats]


def _lines(series: Samples) -> Iterator[str]:
    labels = ",".join(f'{k}="{v}"' for k, v in series.labels.items() if k != "__name__")
    name = series.labels["__name__"]
    for at, value in zip(series.times, series.values, strict=True):
        if not np.isnan(value):
            yield f"{name}{{{labels}}} {float(value)!r} {at:.3f}"


@contextmanager
def backfilled(tools: Path, folder: Path, samples: Iterable[Samples]) -> Iterator[PrometheusServer]:
    """A Prometheus that has these samples and scrapes nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(line for series in samples for line in _lines(series))
    (folder / "samples.om").write_text(f"{text}\n# EOF\n", encoding="utf-8")
    command = ["tsdb", "create-blocks-from", "openmetrics", "samples.om", "data"]
    done = subprocess.run(
        [str(tools / "promtool"), *command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    config: dict[str, Any] = {"global": {"scrape_interval": "1m"}}
    with PrometheusServer(tools, folder, config) as server:
        yield server


def range_answer(server: PrometheusServer, query: str, steps: Floats) -> Answer:
    """What Prometheus answers at each step; NaN where there is nothing, and where it says NaN."""
    apart = steps[1] - steps[0]
    found = server.get(
        "query_range",
        query=query,
        start=f"{steps[0]:.3f}",
        end=f"{steps[-1]:.3f}",
        step=f"{apart:.3f}",
    )["result"]
    answer: Answer = {}
    for series in found:
        values = np.full(len(steps), np.nan)
        for at, value in series["values"]:
            values[round((float(at) - steps[0]) / apart)] = float(value)
        answer[tuple(sorted(series["metric"].items()))] = values
    return answer
