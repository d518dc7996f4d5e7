"""A real Prometheus scrapes the demo service under load, and sees what the load sent."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT
from prometheus_server import PrometheusServer, scrape_config

HISTOGRAMS = (
    "inference_latency_seconds",
    "inference_queue_seconds",
    "inference_compute_seconds",
    "inference_batch_size",
)
SCRAPE_MS = 200


@pytest.fixture
def prometheus(
    prometheus_tools: Path, demo_service: str, tmp_path: Path
) -> Iterator[PrometheusServer]:
    """A Prometheus that scrapes the demo service."""
    config = scrape_config(demo_service, "demo", SCRAPE_MS)
    with PrometheusServer(prometheus_tools, tmp_path / "prometheus", config) as server:
        yield server


def count_and_infinite_bucket(
    prometheus: PrometheusServer, histogram: str
) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Every scraped sample of both series as (time, value); one query, so of the same scrapes."""
    selector = f'{{__name__=~"{histogram}_(count|bucket)", le=~"|[+]Inf"}}[5m]'
    found = {
        series["metric"]["__name__"]: [(str(moment), float(v)) for moment, v in series["values"]]
        for series in prometheus.query(selector)
    }
    return found[f"{histogram}_count"], found[f"{histogram}_bucket"]


@pytest.mark.slow
def test_prometheus_sees_what_the_load_sent(
    prometheus: PrometheusServer, demo_service: str, tmp_path: Path
) -> None:
    prometheus.wait_until_scraped()
    load = subprocess.run(
        [
            sys.executable,
            str(ROOT / "examples/demo_load.py"),
            f"--url={demo_service}",
            "--rate=400",
            "--seconds=4",
            f"--json={tmp_path}/load.json",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert load.returncode == 0, load.stdout + load.stderr
    sent = json.loads((tmp_path / "load.json").read_text(encoding="utf-8"))
    all_sent = sent["scheduled"] + sent["warm_up"]

    prometheus.wait_for_value("sum(inference_requests_total)", all_sent, seconds=10)
    assert prometheus.value('inference_requests_total{status="success"}') == all_sent
    assert prometheus.value("inference_latency_seconds_count") == all_sent
    assert prometheus.value("inference_batch_size_sum") == all_sent
    assert prometheus.value("count(scrape_samples_scraped == 0)") is None

    # Every scrape, also those under load: _count is the +Inf bucket and nothing ever falls.
    for histogram in HISTOGRAMS:
        counts, infinite = count_and_infinite_bucket(prometheus, histogram)
        assert counts == infinite, histogram
        assert len(counts) >= 15, histogram
        values = [count for _, count in counts]
        assert values == sorted(values), histogram
        assert len(set(values)) >= 5, histogram  # there were scrapes in the middle of the load

    # No sample carries a label that is Prometheus' own.
    for series in prometheus.query('{__name__=~"inference_.*"}'):
        assert series["metric"]["job"] == "demo"
        assert not {"exported_job", "exported_instance"} & series["metric"].keys()


def check_metrics(tools: Path, text: str) -> tuple[int, set[str]]:
    """Exit status and lint lines of ``promtool check metrics``."""
    done = subprocess.run(
        [str(tools / "promtool"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, set((done.stdout + done.stderr).splitlines())


def test_promtool_has_nothing_to_say_but_of_tritons_names(
    prometheus_tools: Path, demo_service: str
) -> None:
    """What it says of ``nv_*`` is caused by names that are Triton's: each line is listed."""
    with urllib.request.urlopen(f"{demo_service}/metrics", timeout=5) as reply:
        text = reply.read().decode()
    lines = text.splitlines(keepends=True)
    ours = [line for line in lines if not re.match(r"(# (HELP|TYPE) )?nv_", line)]
    assert len(ours) > 100
    assert check_metrics(prometheus_tools, "".join(ours)) == (0, set())

    listed = (ROOT / "tests/data/promtool_nv_lint.txt").read_text(encoding="utf-8").splitlines()
    exposed = {line.split(" ")[2] for line in lines if line.startswith("# TYPE ")}
    _, said = check_metrics(prometheus_tools, text)
    assert said == {line for line in listed if line.split(" ")[0] in exposed}


def test_both_spellings_of_the_metrics_path_answer(demo_service: str) -> None:
    for path in ("/metrics", "/metrics/"):
        with urllib.request.urlopen(f"{demo_service}{path}", timeout=5) as reply:
            assert reply.status == 200
            assert reply.url == f"{demo_service}{path}"
            assert reply.headers["Content-Type"].startswith("text/plain; version=")
