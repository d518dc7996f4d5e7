"""The demo as a user meets it: options, a short run, a busy port, Ctrl-C in the middle."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import demo_metrics
from conftest import ROOT

DEMO = [sys.executable, str(ROOT / "scripts/demo.py")]


def session_processes(marker: str) -> list[str]:
    """The command lines of processes that have `marker` in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if marker.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.fixture
def marked(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """An environment that marks a demo's processes; none may be left at the end."""
    marker = f"INFEROMETER_TEST={request.node.name}-{os.getpid()}"
    name, _, value = marker.partition("=")
    yield {**os.environ, name: value, "PYTHONUNBUFFERED": "1"}
    assert session_processes(marker) == []


def number(table: str, row: str) -> float:
    """The first number of a row of the table."""
    match = re.search(rf"^{re.escape(row)}\s+([\d,.]+)", table, re.MULTILINE)
    assert match is not None, table
    return float(match.group(1).replace(",", ""))


def test_help_lists_the_options() -> None:
    done = subprocess.run([*DEMO, "--help"], capture_output=True, text=True, check=True)
    for option in ("--seconds", "--rate", "--port", "--keep"):
        assert option in done.stdout


def test_a_short_run_prints_the_table_and_leaves_a_record(marked: dict[str, str]) -> None:
    done = subprocess.run(
        [*DEMO, "--seconds", "2", "--rate", "400", "--port", "0"],
        capture_output=True,
        text=True,
        env=marked,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert 600 < number(done.stdout, "requests") < 1000
    assert re.search(r"^not answered +none$", done.stdout, re.MULTILINE)
    assert number(done.stdout, "accuracy") > 97
    assert number(done.stdout, "mean batch size") >= 1
    assert re.search(
        r"^latency, client +P50 [\d.]+ ms +P95 [\d.]+ ms +P99 [\d.]+ ms$", done.stdout, re.MULTILINE
    )
    assert 0 < number(done.stdout, "telemetry") < 100
    assert re.search(r"^metrics +http://127\.0\.0\.1:\d+/metrics$", done.stdout, re.MULTILINE)

    path = re.search(r"^record: (.*)$", done.stdout, re.MULTILINE)
    assert path is not None
    record = json.loads((ROOT / path.group(1)).read_text(encoding="utf-8"))
    assert record["kind"] == "demo"
    assert record["device"] == "cpu"
    assert record["settings"]["rate"] == 400
    assert {"python", "numpy", "inferometer"} <= record["versions"].keys()
    assert record["machine"]["cores"] >= 1
    observed = record["observed"]
    assert observed["answered"] == observed["scheduled"] == observed["engine"]["requests"]
    # The same image gets the same answer, whatever batch it travelled in.
    assert observed["changed_answers"] == 0


def test_a_busy_port_is_named_with_the_way_out(marked: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*DEMO, "--port", str(port)], capture_output=True, text=True, env=marked, check=False
        )
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number_", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["sigint", "sigterm"]
)
def test_an_interrupted_run_prints_what_it_has(
    marked: dict[str, str], number_: signal.Signals, status: int
) -> None:
    with subprocess.Popen(
        [*DEMO, "--seconds", "60", "--rate", "200", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=marked,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("serving digits on ")
        assert process.stdout.readline().strip().startswith("5 of 60 s")
        begin = time.monotonic()
        process.send_signal(number_)
        output, errors = process.communicate(timeout=20)
    assert process.returncode == status
    assert time.monotonic() - begin < 10
    assert "interrupted after" in output
    assert number(output, "requests") > 0
    assert number(output, "accuracy") > 90
    assert errors == ""


def test_keep_serves_on_until_interrupted(marked: dict[str, str]) -> None:
    with subprocess.Popen(
        [*DEMO, "--seconds", "0.5", "--rate", "100", "--port", "0", "--keep"],
        stdout=subprocess.PIPE,
        text=True,
        env=marked,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("the service stays up on "):
                break
        url = line.split()[5].rstrip(";")
        with urllib.request.urlopen(f"{url}/metrics", timeout=5) as reply:
            assert reply.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def post(url: str, body: bytes) -> tuple[int, dict[str, object]]:
    """POSTs JSON; returns status and answer."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_service_answers_digits_and_refuses_nonsense(demo_service: str) -> None:
    from digits_data import held_out

    images, labels = held_out()
    right = 0
    for image, label in zip(images[:50], labels[:50], strict=True):
        body = json.dumps({"image": image.ravel().tolist()}).encode()
        status, answer = post(f"{demo_service}/predict", body)
        assert status == 200
        probabilities = answer["probabilities"]
        assert isinstance(probabilities, list) and len(probabilities) == 10
        assert abs(sum(probabilities) - 1) < 1e-3
        right += answer["digit"] == label
    assert right >= 45
    for body in (
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"image": 3}',
        b'{"image": [1, 2]}',
        b'{"image": "digit"}',
        b'{"image": [' + b",".join([b"NaN"] * 64) + b"]}",
        b'{"image": [' + b"0," * 20000 + b"0]}",
        b"\xff\xfe",
        b"[" * 16000,
        b'{"image": [' + b"9" * 400 + b"]}",
        b'{"image": [' + b",".join([b"-1e38"] * 64) + b"]}",
    ):
        status, answer = post(f"{demo_service}/predict", body)
        assert status == 400, body
        assert isinstance(answer["error"], str)


def test_the_exposition_is_parsed_and_quantiles_are_interpolated() -> None:
    samples = demo_metrics.parse_metrics(
        "# HELP h seconds\n# TYPE h histogram\n"
        'h_bucket{m="a \\"b\\" {c}",le="1.0"} 1\nh_bucket{m="a",le="2.0"} 3\n'
        'h_bucket{m="a",le="+Inf"} 4\nh_sum{m="a"} 6.5\nh_count{m="a"} 4\nplain 1e3 1700000000\n'
    )
    assert samples["h_bucket"][0][0] == {"m": 'a \\"b\\" {c}', "le": "1.0"}
    assert samples["plain"] == [({}, 1000.0)]
    counts = demo_metrics.buckets(samples, "h")
    assert counts == {1.0: 1.0, 2.0: 3.0, float("inf"): 4.0}
    assert demo_metrics.histogram_quantile(0.5, counts) == 1.5
    assert demo_metrics.histogram_quantile(0.99, counts) == 2.0
