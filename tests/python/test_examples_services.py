"""The examples that serve: each as a process of its own, asked over HTTP by a client."""

from __future__ import annotations

import contextlib
import difflib
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from conftest import ROOT, wait_for
from polling import wait_until
from prometheus_server import free_port

EXAMPLES = ROOT / "examples"
LAST_JOB = 'jobs_total{kind="odd"} 50.0'
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@contextlib.contextmanager
def served(command: list[str], ready: str) -> Iterator[None]:
    """Runs a server while the block runs; it must end by SIGTERM, without a traceback."""
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            wait_for(ready, process)
            yield
        finally:
            process.terminate()
            output = process.communicate(timeout=30)[0]
            print(output)
    assert "Traceback" not in output


@contextlib.contextmanager
def app(module: str) -> Iterator[httpx.Client]:
    """A client of an example's app, which uvicorn serves as its docstring says."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = ["-m", "uvicorn", "--app-dir", str(EXAMPLES), f"{module}:app", "--port", str(port)]
    with served(command, f"{url}/metrics"), httpx.Client(base_url=url, timeout=30) as client:
        yield client


def sample(text: str, series: str) -> float:
    """The value of one series."""
    match = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert match is not None, series
    return float(match.group(1))


def requests_and_batches(text: str, model: str) -> tuple[float, float]:
    """How many requests succeeded, in how many batches."""
    succeeded = f'inference_requests_total{{model_name="{model}",status="success"}}'
    return sample(text, succeeded), sample(
        text, f'inference_batch_size_count{{model_name="{model}"}}'
    )


@pytest.mark.parametrize(
    ("module", "body", "nonsense", "refusal"),
    [
        (
            "starlette_service",
            [[1.0, 2.0, 3.0]],
            [b"", b"[[1, 2]]", b'[["a", 2, 3]]', b"[[1], [2, 3]]", b"{}", b"\xff"],
            400,
        ),
        (
            "fastapi_service",
            {"x": [1.0, 2.0, 3.0]},
            [b"", b"{}", b'{"x": [1, 2]}', b'{"x": ["a", 2, 3]}', b'{"x": 1}'],
            422,
        ),
    ],
    ids=["starlette", "fastapi"],
)
def test_a_service_answers_in_batches_and_shows_its_metrics(
    module: str, body: object, nonsense: list[bytes], refusal: int
) -> None:
    weights = np.random.default_rng(1).normal(size=(3, 2)).astype(np.float32)
    want = np.array([1, 2, 3], np.float32) @ weights
    with app(module) as client, ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(lambda _: client.post("/predict", json=body), range(200)))
        for reply in replies:
            assert reply.status_code == 200
            np.testing.assert_allclose(np.ravel(reply.json()), want, rtol=1e-5)
        assert client.get("/readyz").json() == {"ready": True, "engines": {"linear": True}}
        for bad in nonsense:
            reply = client.post("/predict", content=bad)
            assert (reply.status_code, reply.headers["content-type"]) == (
                refusal,
                "application/json",
            ), bad
        requests, batches = requests_and_batches(client.get("/metrics").text, "linear")
    assert requests == 200
    assert batches < 200  # the service waits 2 ms for company


def test_a_request_s_trace_id_stands_beside_its_bucket() -> None:
    header = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    openmetrics = {"accept": "application/openmetrics-text; version=1.0.0"}
    with app("trace_exemplars") as client:
        assert client.post("/predict", json=[[1, 2]], headers=header).json() == [[2, 4]]
        page = client.get("/metrics", headers=openmetrics).text
        plain = client.get("/metrics").text
    line = re.search(
        rf'^inference_latency_seconds_bucket{{model_name="double",le="[^"]+"}} 1 '
        rf'# {{trace_id="{TRACE}"}} \S+ \S+$',
        page,
        re.MULTILINE,
    )
    assert line is not None, page
    assert TRACE not in plain  # the text format has no exemplars


def migrated(name: str) -> str:
    """What one side of the migration shows to a scraper."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    with served([str(EXAMPLES / name), str(port)], url):
        # The server starts before the jobs do.
        return wait_until(
            lambda: httpx.get(url).text, lambda page: LAST_JOB in page, "the last job", 30
        )


def own(page: str) -> list[str]:
    """The program's own lines, without times; of buckets only that they are there."""
    lines = [line for line in page.splitlines() if re.match(r"(# (HELP|TYPE) )?job", line)]
    return [
        line.rpartition(" ")[0] if "_bucket" in line else line
        for line in lines
        if "_created" not in line and "_sum" not in line
    ]


def test_the_migration_changes_one_import_and_no_metric() -> None:
    before, after = (
        (EXAMPLES / f"migration_{side}.py").read_text(encoding="utf-8").split('"""', 2)[2]
        for side in ("before", "after")
    )
    changed = [line for line in difflib.ndiff(before.split("\n"), after.split("\n"))]
    assert [line for line in changed if line[0] in "-+"] == [
        "- from prometheus_client import Counter, Histogram, start_http_server",
        "+ from inferometer.prometheus import Counter, Histogram, start_http_server",
    ]
    pages = [migrated(f"migration_{side}.py") for side in ("before", "after")]
    assert own(pages[0]) == own(pages[1])
    assert 'jobs_total{kind="even"} 50.0' in own(pages[1])
    assert "inferometer_build_info" in pages[1] and "inferometer_build_info" not in pages[0]
