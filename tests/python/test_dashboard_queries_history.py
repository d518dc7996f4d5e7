"""The shipped dashboards' queries over a registry's history give what Prometheus gives.

An engine answers requests; every so often the history takes a sample, and the text of /metrics of
that moment goes into a real Prometheus, under the names that the shipped scrape configuration
gives it. Then both are asked the same.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import inferometer as im
from backfilled_prometheus import Floats, backfilled, range_answer
from inferometer.asgi.dashboard.document import Dashboard, read_dashboards
from inferometer.asgi.dashboard.history_source import HistorySource
from inferometer.asgi.dashboard.interpolation import Interpolation
from inferometer.asgi.dashboard.promql import Samples
from inferometer.asgi.dashboard.source import SourceError
from prometheus_server import PrometheusServer

TICKS = 60
TICK_SECONDS = 0.04
INTERVALS = {"__rate_interval": "700ms", "__interval": "100ms", "__range": "2s"}
LABELS = {"job": "triton", "instance": "here"}
# Not of the registry, but of scrapes, rules, and readings that are of no one moment.
ELSEWHERE = re.compile(r"\bup\b|\bscrape_|\bALERTS\b|\bprocess_|\bnv_cpu_")
RENAME = re.compile(r"^nv_inference_request_latency_us(?=_bucket$|_sum$|_count$)")

LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)  # no label here has escapes
LABEL = re.compile(r'(\w+)="([^"]*)"')

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
Kept = dict[tuple[tuple[str, str], ...], list[tuple[float, float]]]


class Recorded:
    """What the history and Prometheus were shown, and when."""

    def __init__(self, source: HistorySource, samples: list[Samples], times: Floats) -> None:
        self.source = source
        self.samples = samples
        first, last = round(times[0] + 0.8, 1), round(times[-1], 1)
        self.steps: Floats = np.linspace(first, last, round((last - first) / 0.1) + 1)


def failing(x: Array) -> Array:
    if x[0, 0] < 0:
        raise ValueError("refused")
    return x


def slow(x: Array) -> Array:
    time.sleep(0.002)
    return x


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recorded]:
    registry = im.Registry()
    registry.start_history(seconds=24_000, interval=60)  # no sample of its own for a minute
    source = HistorySource(registry, LABELS, 900, 1, 2**26)
    random = np.random.default_rng(3)
    kept: Kept = {}
    with (
        im.Engine(failing, name="a", registry=registry, latency_objective=0.001) as a,
        im.Engine(slow, name="b", registry=registry, latency_objective=0.001) as b,
    ):
        for tick in range(TICKS):
            for _ in range(random.integers(0, 8)):
                value = -1.0 if random.random() < 0.2 else 1.0
                with contextlib.suppress(im.ModelError):
                    (a if tick % 20 else b).infer(np.full((1, 3), value, np.float32))
            if tick > 40:
                b.infer(np.ones((2, 3), np.float32))
            registry.sample_history()
            body, _ = im.render_metrics(registry)
            times, _ = registry.history("inference_queue_limit", {"model_name": "a"})
            for name, inside, value in LINE.findall(body.decode()):
                renamed = RENAME.sub("nv_inference_request_duration_us", name)
                labels = {"__name__": renamed, **LABELS, **dict(LABEL.findall(inside))}
                points = kept.setdefault(tuple(labels.items()), [])
                points.append((round(float(times[-1]), 3), float(value)))
            time.sleep(TICK_SECONDS)  # samples are of different milliseconds
        samples = [
            Samples(dict(labels), *np.array(points, np.float64).T)
            for labels, points in kept.items()
        ]
        yield Recorded(source, samples, times[1:])
    registry.stop_history()


@pytest.fixture(scope="module")
def prometheus(
    prometheus_tools: Path, tmp_path_factory: pytest.TempPathFactory, recorded: Recorded
) -> Iterator[PrometheusServer]:
    folder = tmp_path_factory.mktemp("prometheus")
    with backfilled(prometheus_tools, folder, recorded.samples) as server:
        yield server


def shipped() -> dict[str, Dashboard]:
    folder = Path(im.__file__).parent / "monitoring/files/grafana/dashboards"
    return read_dashboards(sorted(folder.glob("*.json")))


def queries(dashboard: Dashboard) -> list[str]:
    targets = [target for panel in dashboard.panels.values() for target in panel.targets]
    values = Interpolation(dashboard, {}, INTERVALS)
    found = [values.into(target.query) for target in targets]
    return [query for query in dict.fromkeys(found) if not ELSEWHERE.search(query)]


def compare(recorded: Recorded, prometheus: PrometheusServer, query: str) -> int:
    """Both answer alike; returns how many series that were."""
    want = range_answer(prometheus, query, recorded.steps)
    got = {
        tuple(sorted(one.labels.items())): np.where(one.present, one.values, np.nan)
        for one in recorded.source.query(query, recorded.steps)
    }
    assert set(got) == set(want), query
    for key, values in want.items():
        # Prometheus rounds times to milliseconds, and so does the evaluator.
        np.testing.assert_allclose(got[key], values, rtol=1e-9, atol=1e-12, err_msg=query)
    return len(want)


@pytest.mark.parametrize("uid", sorted(shipped()))
def test_every_query_of_a_shipped_dashboard(
    uid: str, recorded: Recorded, prometheus: PrometheusServer
) -> None:
    compared = {q: compare(recorded, prometheus, q) for q in queries(shipped()[uid])}
    empty = [query for query, count in compared.items() if count == 0]
    assert [query for query in empty if "gpu" not in query and "padding" not in query] == []
    assert sum(compared.values()) > 40


WIDELY_COPIED = [
    'rate(nv_inference_request_success{job="triton"}[1s])',
    'rate(nv_inference_request_success{job="triton"}[1s]) '
    '/ rate(nv_inference_exec_count{job="triton"}[1s])',
    'histogram_quantile(0.95, rate(nv_inference_request_duration_us_bucket{job="triton"}[1s])) '
    "/ 1000",
    '(1 - sum(nv_inference_exec_count{job="triton"}) '
    '/ sum(nv_inference_request_success{job="triton"})) * 100',
    'nv_inference_request_success{job="triton"}',
]


@pytest.mark.parametrize("query", WIDELY_COPIED)
def test_widely_copied_queries(
    query: str, recorded: Recorded, prometheus: PrometheusServer
) -> None:
    assert compare(recorded, prometheus, query) > 0


def test_every_query_that_is_shipped_is_known(recorded: Recorded) -> None:
    """Those about scrapes and alerts say so; nothing else is refused."""
    for dashboard in shipped().values():
        values = Interpolation(dashboard, {}, INTERVALS)
        for panel in dashboard.panels.values():
            for target in panel.targets:
                query = values.into(target.query)
                try:
                    recorded.source.query(query, recorded.steps)
                except SourceError as error:
                    assert "about scrapes" in str(error)


def test_a_closed_engines_series_end_at_once(registry: im.Registry) -> None:
    """As with a scrape's staleness: no last value that lingers for five minutes."""
    registry.start_history(seconds=24_000, interval=60)
    source = HistorySource(registry, LABELS, 900, 1, 2**26)
    with im.Engine(failing, name="a", registry=registry):
        registry.sample_history()
    time.sleep(0.01)  # samples are of different milliseconds
    registry.sample_history()
    times, values = registry.history("inference_queue_limit", {"model_name": "a"})
    assert np.isnan(values[-1])
    [series] = source.query("inference_queue_limit", times[-2:])
    assert list(series.present) == [True, False]
    registry.stop_history()


def test_the_process_is_up_as_long_as_there_are_samples(registry: im.Registry) -> None:
    registry.start_history(seconds=24_000, interval=60)
    source = HistorySource(registry, LABELS, 900, 1, 2**26)
    now = time.time() + 1
    [series] = source.query('sum(up{job="triton"})', np.array([now - 3600, now]))
    assert list(series.present) == [False, True]
    registry.stop_history()
