"""A real Prometheus scrapes the demo service under load, and sees what the load sent."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, wait_for

HISTOGRAMS = (
    "inference_latency_seconds",
    "inference_queue_seconds",
    "inference_compute_seconds",
    "inference_batch_size",
)
SCRAPE_SECONDS = 0.2


@pytest.fixture(scope="session")
def prometheus_tools() -> Path:
    """The folder of prometheus and promtool."""
    done = subprocess.run(
        [str(ROOT / "scripts/fetch_prometheus.sh"), "tools"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"Debian's package prometheus could not be had: {done.stderr[-300:]}")
    return Path(done.stdout.strip())


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def prometheus(prometheus_tools: Path, demo_service: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a Prometheus that scrapes the demo service."""
    target = urllib.parse.urlsplit(demo_service).netloc
    (tmp_path / "prometheus.yml").write_text(
        f"global: {{scrape_interval: {int(SCRAPE_SECONDS * 1000)}ms, scrape_timeout: 200ms}}\n"
        f"scrape_configs: [{{job_name: demo, static_configs: [{{targets: ['{target}']}}]}}]\n",
        encoding="utf-8",
    )
    port = free_port()
    log = tmp_path / "prometheus.log"
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            [
                str(prometheus_tools / "prometheus"),
                f"--config.file={tmp_path}/prometheus.yml",
                f"--storage.tsdb.path={tmp_path}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/-/ready", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def query(prometheus: str, expression: str) -> list[dict[str, Any]]:
    """The result of an instant query."""
    parameters = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{prometheus}/api/v1/query?{parameters}", timeout=10) as reply:
        result: list[dict[str, Any]] = json.load(reply)["data"]["result"]
    return result


def value(prometheus: str, expression: str) -> float | None:
    """The value of an expression with one result, None without one."""
    result = query(prometheus, expression)
    return float(result[0]["value"][1]) if result else None


def wait_until_scraped(prometheus: str, expression: str, wanted: float, seconds: float) -> None:
    """Polls until the expression has the wanted value; says what it had otherwise."""
    seen: float | None = None
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        seen = value(prometheus, expression)
        if seen == wanted:
            return
        time.sleep(SCRAPE_SECONDS)
    raise AssertionError(f"{expression}: wanted {wanted}, Prometheus has {seen}")


def count_and_infinite_bucket(
    prometheus: str, histogram: str
) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Every scraped sample of both series as (time, value); one query, so of the same scrapes."""
    selector = f'{{__name__=~"{histogram}_(count|bucket)", le=~"|[+]Inf"}}[5m]'
    found = {
        series["metric"]["__name__"]: [(str(moment), float(v)) for moment, v in series["values"]]
        for series in query(prometheus, selector)
    }
    return found[f"{histogram}_count"], found[f"{histogram}_bucket"]


@pytest.mark.slow
def test_prometheus_sees_what_the_load_sent(
    prometheus: str, demo_service: str, tmp_path: Path
) -> None:
    # The first scrape comes about five seconds after the start.
    wait_until_scraped(prometheus, "up", 1, seconds=20)
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

    wait_until_scraped(prometheus, "sum(inference_requests_total)", all_sent, seconds=10)
    assert value(prometheus, 'inference_requests_total{status="success"}') == all_sent
    assert value(prometheus, "inference_latency_seconds_count") == all_sent
    assert value(prometheus, "inference_batch_size_sum") == all_sent
    assert value(prometheus, "count(scrape_samples_scraped == 0)") is None

    # Every scrape, also those under load: _count is the +Inf bucket and nothing ever falls.
    for histogram in HISTOGRAMS:
        counts, infinite = count_and_infinite_bucket(prometheus, histogram)
        assert counts == infinite, histogram
        assert len(counts) >= 15, histogram
        values = [count for _, count in counts]
        assert values == sorted(values), histogram
        assert len(set(values)) >= 5, histogram  # there were scrapes in the middle of the load

    # No sample carries a label that is Prometheus' own.
    for series in query(prometheus, '{__name__=~"inference_.*"}'):
        assert series["metric"]["job"] == "demo"
        assert not {"exported_job", "exported_instance"} & series["metric"].keys()


def test_promtool_finds_nothing_to_say(prometheus_tools: Path, demo_service: str) -> None:
    with urllib.request.urlopen(f"{demo_service}/metrics", timeout=5) as reply:
        text = reply.read()
    done = subprocess.run(
        [str(prometheus_tools / "promtool"), "check", "metrics"],
        input=text,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def test_both_spellings_of_the_metrics_path_answer(demo_service: str) -> None:
    for path in ("/metrics", "/metrics/"):
        with urllib.request.urlopen(f"{demo_service}{path}", timeout=5) as reply:
            assert reply.status == 200
            assert reply.url == f"{demo_service}{path}"
            assert reply.headers["Content-Type"].startswith("text/plain; version=")
