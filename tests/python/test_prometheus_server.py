"""The real Prometheus of the tests keeps native histograms and exemplars when asked to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from native_histogram_bytes import NATIVE_HISTOGRAM
from prometheus_server import NATIVE_FEATURES, PrometheusServer, scrape_config

PROTOBUF = (
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)


@pytest.fixture
def targets() -> Iterator[str]:
    """The URL of a server with /native, in protobuf, and /exemplars, in OpenMetrics."""
    registry = CollectorRegistry()
    Counter("jobs", "Jobs.", registry=registry).inc(3, exemplar={"trace_id": "abc"})
    bodies = {
        "/native": (PROTOBUF, NATIVE_HISTOGRAM),
        "/exemplars": (CONTENT_TYPE_LATEST, generate_latest(registry)),  # type: ignore[no-untyped-call]
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content_type, body = bodies[self.path]
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
def test_native_histograms_and_exemplars_are_kept(
    prometheus_tools: Path, targets: str, tmp_path: Path
) -> None:
    config = scrape_config(f"{targets}/native", "native", 250)
    config["scrape_configs"] += scrape_config(f"{targets}/exemplars", "exemplars", 250)[
        "scrape_configs"
    ]
    with PrometheusServer(prometheus_tools, tmp_path, config, NATIVE_FEATURES) as prometheus:
        prometheus.wait_for_value("sum(up)", 2, 20)
        assert prometheus.value('histogram_count(lat_seconds{m="x"})') == 14
        assert prometheus.value("histogram_sum(lat_seconds)") == 12.5
        # The highest bucket is number 5 of schema 3: up to 2^(5/8).
        assert prometheus.value("histogram_quantile(1, lat_seconds)") == pytest.approx(2 ** (5 / 8))
        now = time.time()
        (series,) = prometheus.query_exemplars("jobs_total", now - 300, now + 300)
        assert series["seriesLabels"]["job"] == "exemplars"
        (exemplar,) = series["exemplars"]
        assert exemplar["labels"] == {"trace_id": "abc"}


def test_a_configuration_that_prometheus_refuses_is_an_error(
    prometheus_tools: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        pytest.raises(AssertionError, match="exit status"),
        PrometheusServer(prometheus_tools, tmp_path, {"nonsense": 1}),
    ):
        pass
    # What it had to say is shown.
    assert "nonsense" in capsys.readouterr().out
