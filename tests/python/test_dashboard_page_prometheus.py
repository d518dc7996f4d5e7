"""The page's answers from a real Prometheus: its own numbers, and its errors in words."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

import inferometer as im
from backfilled_prometheus import Floats, range_answer
from dashboard_json import dashboard, panel, variable
from inferometer.asgi.dashboard.document import read_dashboards
from inferometer.asgi.dashboard.page_answer import answer_page, answer_variables
from inferometer.asgi.dashboard.page_request import read_request
from inferometer.asgi.dashboard.prometheus_source import PrometheusSource
from inferometer.asgi.dashboard.source import SourceError
from prometheus_server import PrometheusServer, free_port, scrape_config

DASHBOARDS = read_dashboards(
    [
        dashboard(
            [
                panel(1, "timeseries", 'rate(inference_batches_total{job=~"$job"}[2s])'),
                panel(2, "stat", "scalar(vector(3))", "sum(up", "sum(nothing)"),
                panel(3, "stat", '"text"'),
            ],
            [variable("job", "label_values(up, job)"), variable("any", "label_values(job)")],
        )
    ]
)


@pytest.fixture(scope="module")
def prometheus(
    prometheus_tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    """One that scrapes an engine's registry, with two alerts and a third that does not fire."""
    folder = tmp_path_factory.mktemp("prometheus")
    registry = im.Registry()
    rules = {
        "groups": [
            {
                "name": "alerts",
                "rules": [
                    {"alert": "Waiting", "expr": "vector(2)", "for": "1h"},
                    {
                        "alert": "Burning",
                        "expr": "vector(1)",
                        "labels": {"severity": "critical"},
                        "annotations": {"summary": "It burns."},
                    },
                    {"alert": "Quiet", "expr": "vector(1) > 1"},
                ],
            }
        ]
    }
    (folder / "rules.yml").write_text(json.dumps(rules), encoding="utf-8")
    with (
        im.Engine(lambda x: x, name="a", registry=registry) as engine,
        im.serve_metrics(port=0, registry=registry) as listener,
    ):
        engine.infer(np.ones((1, 1), np.float32))
        config = scrape_config(listener.url, "triton", 200, [folder / "rules.yml"])
        with PrometheusServer(prometheus_tools, folder, config) as server:
            server.wait_until_scraped()
            yield server


@pytest.fixture
def source(prometheus: PrometheusServer) -> PrometheusSource:
    return PrometheusSource(prometheus.url + "/", 0.2)


def test_a_range_is_prometheus_own(source: PrometheusSource, prometheus: PrometheusServer) -> None:
    end = time.time()
    steps: Floats = np.linspace(end - 10, end, 41)
    query = "inference_batches_total"
    want = range_answer(prometheus, query, steps)
    found = source.query(query, steps)
    assert len(found) > 2
    got = {
        tuple(sorted(one.labels.items())): np.where(one.present, one.values, np.nan)
        for one in found
    }
    assert set(got) == set(want)
    for key, values in want.items():
        np.testing.assert_array_equal(got[key], values)


def test_one_moment(source: PrometheusSource) -> None:
    end = np.array([time.time()])
    [up] = source.query("up", end)
    assert up.labels["job"] == "triton" and list(up.values) == [1]
    [number] = source.query("1 / 0", end)
    assert dict(number.labels) == {} and number.values[0] == np.inf


def test_a_page(source: PrometheusSource) -> None:
    body = {"dashboard": "test", "seconds": 10, "points": 20, "panels": [1, 2, 3]}
    request = read_request(json.dumps(body).encode(), DASHBOARDS, source.scrape_seconds)
    answer = json.loads(answer_page(request, source))
    assert answer["source"]["kind"] == "prometheus"
    [rates] = answer["panels"]["1"]
    assert rates["error"] is None
    assert rates["query"] == 'rate(inference_batches_total{job=~".+"}[1s])'.replace("[1s]", "[2s]")
    scalar, unclosed, nothing = answer["panels"]["2"]
    assert scalar["series"][0]["values"][-1] == 3
    assert "unclosed left parenthesis" in unclosed["error"]
    assert (nothing["series"], nothing["error"]) == ([], None)
    assert answer["panels"]["3"][0]["error"] is not None
    alerts = answer["alerts"]
    assert alerts["error"] is None
    shown = [(alert["labels"]["alertname"], alert["state"]) for alert in alerts["alerts"]]
    assert shown == [("Burning", "firing"), ("Waiting", "pending")]
    assert alerts["alerts"][0]["annotations"] == {"summary": "It burns."}
    assert json.loads(answer_variables(request, source)) == {
        "job": {"options": ["triton"], "error": None},
        "any": {"options": ["triton"], "error": None},
    }


def test_a_prometheus_that_is_not_there() -> None:
    source = PrometheusSource(f"http://127.0.0.1:{free_port()}", 15)
    with pytest.raises(SourceError, match=r"does not answer at http://127.*refused"):
        source.query("up", np.array([0.0]))
    with pytest.raises(SourceError, match="does not answer"):
        source.alerts()
    with pytest.raises(SourceError, match="does not answer"):
        source.label_values("up", "job", 0, 1)


class Other(BaseHTTPRequestHandler):
    """What is no Prometheus: a page, a redirect, an error without JSON."""

    def do_GET(self) -> None:
        status = {"/a": 200, "/b": 302, "/c": 500}[self.path[:2]]
        self.send_response(status)
        self.send_header("location", "http://127.0.0.1:1/")
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"<a/>")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.mark.parametrize(
    ("path", "message"),
    [("a", "is no Prometheus"), ("b", "HTTP status 302"), ("c", "HTTP status 500")],
)
def test_what_answers_is_no_prometheus(path: str, message: str) -> None:
    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            source = PrometheusSource(f"http://127.0.0.1:{server.server_port}/{path}", 15)
            with pytest.raises(SourceError, match=message):
                source.alerts()
        finally:
            server.shutdown()
            thread.join()
