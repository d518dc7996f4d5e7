"""The page's own evaluator gives what Prometheus gives for the same samples."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from backfilled_prometheus import Floats, backfilled, range_answer
from inferometer.asgi.dashboard.promql import QueryError, Samples, Series, evaluate
from inferometer.asgi.dashboard.promql.series import LabelMatcher
from prometheus_server import PrometheusServer

START = 1_790_000_000.0
SECONDS = 1800
STEPS: Floats = np.linspace(START + 130.25, START + 1694.75, 150)
BOUNDS = ("0.1", "0.5", "1.0", "2.0", "+Inf")


class SampleList:
    """Series to select from."""

    def __init__(self, series: Sequence[Samples]) -> None:
        self._series = series

    def select(
        self, name: str, matchers: Sequence[LabelMatcher], start: float, end: float
    ) -> list[Samples]:
        return [
            series
            for series in self._series
            if series.labels["__name__"] == name
            and all(self._fits(series.labels.get(m.name, ""), m) for m in matchers)
        ]

    @staticmethod
    def _fits(value: str, matcher: LabelMatcher) -> bool:
        if matcher.op in ("=", "!="):
            return (value == matcher.value) == (matcher.op == "=")
        return bool(re.fullmatch(matcher.value, value)) == (matcher.op == "=~")


def make_samples() -> list[Samples]:
    """Counters that restart, gauges, histograms, a constant; with gaps, in three shapes of time."""
    random = np.random.default_rng(7)
    made = []

    def add(name: str, labels: dict[str, str], times: Floats, values: Floats) -> None:
        made.append(Samples({"__name__": name, "job": "t", **labels}, times, values))

    for index, model in enumerate(("a", "b", "c")):
        times = np.round(START + np.arange(0, SECONDS, 15) + random.uniform(-0.4, 0.4, 120), 3)
        kept = np.ones(120, np.bool_)
        kept[40 + index * 3 : 48 + index * 14] = False  # a gap; of c's longer than the lookback
        times = times[kept]
        count = len(times)
        for status in ("success", "failure"):
            total = np.cumsum(random.integers(0, 40, count)).astype(np.float64)
            if model != "a":
                total[count // 2 :] -= total[count // 2]  # a restart
            if status == "failure" and model == "c":
                total[:] = 0
            add("requests_total", {"model": model, "status": status}, times, total)
        buckets = np.cumsum(np.cumsum(random.integers(0, 9, (count, 5)), axis=0), axis=1)
        for at, bound in enumerate(BOUNDS):
            values = buckets[:, at].astype(np.float64)
            add("latency_bucket", {"model": model, "le": bound}, times, values)
        add("depth", {"model": model}, times, random.integers(0, 6, count).astype(np.float64))
    times = START + np.arange(0, SECONDS, 60.0)
    for gpu in ("0", "1"):
        add("used", {"gpu": gpu}, times, random.uniform(0, 8e9, len(times)))
        add("total", {"gpu": gpu, "kind": f"k{gpu}"}, times, np.full(len(times), 8e9))
    return made


QUERIES = [
    "requests_total",
    'requests_total{status="success",model=~"a|c"}',
    'requests_total{status!="success",model!~"a.*"}',
    "requests_total offset 2m",
    "rate(requests_total[1m])",
    "rate(requests_total[20s])",
    "rate(requests_total[7m])",
    "increase(requests_total[5m])",
    "irate(requests_total[1m])",
    "rate(requests_total[1m] offset 90s)",
    "delta(depth[3m])",
    "idelta(depth[3m])",
    "changes(depth[3m])",
    "resets(requests_total[30m])",
    "max_over_time(depth[2m])",
    "min_over_time(depth[2m])",
    "avg_over_time(depth[2m])",
    "sum_over_time(depth[2m])",
    "count_over_time(depth[2m])",
    "last_over_time(depth[2m])",
    "present_over_time(depth[2m])",
    "sum(requests_total)",
    "sum by (model) (rate(requests_total[1m]))",
    "sum without (model, status) (requests_total)",
    "avg by (status) (requests_total)",
    "min by (model) (requests_total)",
    "max(requests_total) by (model, nothing)",
    "count(requests_total)",
    "group by (model) (requests_total)",
    "stddev(depth)",
    "stdvar by (model) (requests_total)",
    "topk(2, used)",
    "bottomk(1, used)",
    "topk by (job) (1, used)",
    "histogram_quantile(0.95, sum by (le) (rate(latency_bucket[2m])))",
    "histogram_quantile(0.5, sum by (le, model) (rate(latency_bucket[2m])))",
    "histogram_quantile(0.99, rate(latency_bucket[5m]))",
    "histogram_quantile(0, latency_bucket)",
    "histogram_quantile(1, latency_bucket)",
    "histogram_quantile(1.5, latency_bucket)",
    "histogram_quantile(-1, latency_bucket)",
    'histogram_quantile(0.9, latency_bucket{le!="+Inf"})',
    'histogram_quantile(0.9, rate(latency_bucket{le=~"0.1|[+]Inf"}[2m]))',
    "depth > 2",
    "depth > bool 2",
    "2 < depth",
    "depth == 3",
    "depth != 3",
    "-depth",
    "depth * 2 + 1 - 0.5",
    "1 / depth",
    "depth % 4",
    "depth ^ 2",
    "2 ^ depth",
    "100 * used / on (gpu) total",
    "used / ignoring (kind) total",
    "total / on (gpu) group_left () used",
    "used * on (gpu) group_left (kind) total",
    "total * on (gpu) group_right (kind) used",
    "requests_total / on (model) group_left depth",
    "requests_total / ignoring (status) group_left depth",
    "depth > on (model) group_right requests_total",
    'requests_total{status="failure"} > ignoring (status) requests_total{status="success"}',
    "depth >= bool on (model) depth",
    'requests_total{status="success"} / on (model) depth',
    "depth and on (model) requests_total{status='failure'} > 100",
    "depth unless depth > 2",
    "depth or used",
    "depth or on () vector(0)",
    "depth > 3 or depth < 1",
    "sum(nothing) or vector(0)",
    "sum(nothing) or on () vector(0)",
    "absent(nothing)",
    'absent(nothing{job="t",x=~"y"})',
    "absent(sum(nothing))",
    "absent(depth)",
    "vector(1)",
    "3",
    "1 + 2 * 3",
    "1 > bool 2",
    "time()",
    "time() - depth",
    "scalar(sum(depth))",
    "scalar(depth)",
    "clamp(depth, 1, 3)",
    "clamp_min(depth, 2)",
    "clamp_max(depth, 2)",
    "clamp(depth, 3, 1)",
    "abs(-depth)",
    "ceil(depth / 4)",
    "floor(depth / 4)",
    "round(depth / 4)",
    "round(depth, 4)",
    "sqrt(depth)",
    "ln(depth)",
    "log2(depth + 1)",
    "log10(depth)",
    "exp(depth)",
    "sgn(depth - 2)",
    "sort(depth)",
    'label_replace(depth, "name", "$1-x", "model", "(.*)")',
    'label_replace(depth, "name", "${1}", "model", "([ab])")',
    'label_replace(depth, "model", "", "model", "a")',
    '{__name__="depth"}',
    "(1 - sum(requests_total{status='failure'}) / sum(requests_total)) * 100",
    "sum by (model) (rate(requests_total{status!='success'}[5m])) "
    "/ sum by (model) (rate(requests_total[5m]))",
    "clamp_min(1 - (sum(rate(requests_total[1m])) / sum(rate(requests_total[2m]))), 0)",
]


SCALARS = ("3", "1 + 2 * 3", "1 > bool 2", "time()", "scalar(sum(depth))", "scalar(depth)")


@pytest.fixture(scope="module")
def samples() -> list[Samples]:
    return make_samples()


@pytest.fixture(scope="module")
def prometheus(
    prometheus_tools: Path, tmp_path_factory: pytest.TempPathFactory, samples: list[Samples]
) -> Iterator[PrometheusServer]:
    with backfilled(prometheus_tools, tmp_path_factory.mktemp("prometheus"), samples) as server:
        yield server


def keyed(series: Sequence[Series]) -> dict[tuple[tuple[str, str], ...], Floats]:
    return {
        tuple(sorted(one.labels.items())): np.where(one.present, one.values, np.nan)
        for one in series
        if one.present.any()
    }


@pytest.mark.parametrize("query", QUERIES)
def test_same_as_prometheus(
    query: str, prometheus: PrometheusServer, samples: list[Samples]
) -> None:
    want = range_answer(prometheus, query, STEPS)
    found = evaluate(query, SampleList(samples), STEPS)
    got = keyed(found)
    assert set(got) == set(want)
    for key, values in want.items():
        np.testing.assert_allclose(got[key], values, rtol=1e-9, atol=1e-12, err_msg=str(key))
    # NaN is not the same as nothing: comparing the number of series at each step tells.
    if want and query not in SCALARS:
        count = range_answer(prometheus, f"count({query})", STEPS)
        there = np.sum([series.present for series in found], axis=0).astype(np.float64)
        np.testing.assert_array_equal(there, np.nan_to_num(count[()]))


def test_the_queries_cover_what_can_differ(prometheus: PrometheusServer) -> None:
    """At least one query has gaps, one has NaN, and nearly all have something to compare."""
    answers = {query: range_answer(prometheus, query, STEPS) for query in QUERIES}
    empty = [query for query, answer in answers.items() if not answer]
    assert empty == ["absent(depth)", "clamp(depth, 3, 1)"]
    gaps = range_answer(prometheus, "count(depth)", STEPS)[()]
    assert {2.0, 3.0} <= set(gaps)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("depth @ 5", "modifier @"),
        ("max_over_time(rate(depth[1m])[5m:1m])", "subquery"),
        ("holt_winters(depth[5m], 0.5, 0.5)", "holt_winters"),
        ('count_values("x", depth)', "count_values"),
        ("quantile(0.5, depth)", "quantile"),
        ('{job="t"}', "without a metric name"),
        ("sum(depth", "parenthes"),
        ("rate(depth)", "expected type"),
        ("depth / requests_total", None),
        ("depth * on (job) used", "several series match"),
        ("depth * on (job) group_left used", "several series match"),
        ("ceil({__name__='depth'}) or label_replace(depth, 'model', 'x', '', '')", "same labels"),
        ("label_replace(depth, 'x', '$1', 'model', '(')", "label_replace"),
        ('"text"', "string"),
    ],
)
def test_what_is_not_known_is_said(query: str, message: str | None, samples: list[Samples]) -> None:
    if message is None:
        assert evaluate(query, SampleList(samples), STEPS) == []
        return
    with pytest.raises(QueryError, match=re.escape(message)):
        evaluate(query, SampleList(samples), STEPS)


def test_without_the_parser_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, samples: list[Samples]
) -> None:
    monkeypatch.setitem(sys.modules, "promql_parser", None)
    with pytest.raises(QueryError, match=r"pip install 'inferometer\[monitoring\]'"):
        evaluate("depth", SampleList(samples), STEPS)
