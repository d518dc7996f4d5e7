"""The load of tests/locustfile_resnet.py against the service, for a few seconds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from conftest import ROOT, wait_for
from prometheus_server import free_port

SECONDS = 8
USERS = 20
SUMMARY = re.compile(
    r"^summary: (?P<requests>\d+) requests, (?P<failures>\d+) failures, mean batch (?P<batch>\S+), "
    r"batching efficiency (?P<efficiency>\S+) %, accuracy (?P<accuracy>\S+) %, ",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The URL of ``inferometer serve model_repository/``."""
    ports = [free_port(), free_port()]
    command = ["-m", "inferometer", "serve", str(ROOT / "model_repository")]
    options = ["--http-port", str(ports[0]), "--metrics-port", str(ports[1])]
    url = f"http://127.0.0.1:{ports[0]}"
    with subprocess.Popen([sys.executable, *command, *options], text=True) as process:
        try:
            wait_for(f"{url}/v2/health/ready", process)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def locust(host: str, *options: str, seconds: int = SECONDS) -> subprocess.CompletedProcess[str]:
    """Runs the load, as its docstring says."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(ROOT / "tests/locustfile_resnet.py")),
            *("--headless", "--users", str(USERS), "--spawn-rate", str(USERS), "--only-summary"),
            *("--run-time", f"{seconds}s", "--host", host, *options),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")},
    )


def summary(done: subprocess.CompletedProcess[str]) -> dict[str, float]:
    """The numbers of the summary line."""
    match = SUMMARY.search(done.stdout)
    assert match is not None, done.stdout + done.stderr
    return {name: float(value) for name, value in match.groupdict().items()}


@pytest.mark.slow
def test_the_load_has_its_rate_and_makes_batches(service: str) -> None:
    goals = ["--want-requests", str(SECONDS * USERS - 5), "--min-mean-batch", "2.5"]
    goals += ["--min-efficiency", "50", "--min-accuracy", "95"]
    done = locust(service, *goals)
    numbers = summary(done)
    assert done.returncode == 0, done.stdout + done.stderr
    assert numbers["failures"] == 0
    # One in each second of each user; the last ones may not have been answered yet.
    assert USERS * (SECONDS - 1) <= numbers["requests"] <= USERS * SECONDS
    assert numbers["batch"] >= 2.5 and numbers["efficiency"] > 50
    assert numbers["accuracy"] > 95


@pytest.mark.slow
def test_goals_that_are_missed_are_named_and_fail_the_run(service: str) -> None:
    goals = ["--want-requests", "1000", "--min-mean-batch", "30", "--min-efficiency", "99"]
    done = locust(service, *goals, "--min-accuracy", "101", seconds=3)
    numbers = summary(done)
    assert done.returncode == 1
    requests = int(numbers["requests"])
    for line in (
        f"{requests} requests, want 1000 +- 5%",
        f"mean batch {numbers['batch']:.2f}, want at least 30",
        "batching efficiency",
        "accuracy",
    ):
        assert f"goal missed: {line}" in done.stderr


@pytest.mark.slow
def test_several_processes_have_one_summary(service: str) -> None:
    goals = ["--min-mean-batch", "1.5", "--min-accuracy", "95"]
    done = locust(service, "--processes", "2", *goals, seconds=4)
    numbers = summary(done)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("summary: ") == 1
    assert numbers["failures"] == 0 < numbers["requests"]


@pytest.mark.slow
def test_a_model_that_is_not_there_fails_every_request(service: str) -> None:
    done = locust(service, "--model", "other", "--min-mean-batch", "1", seconds=3)
    numbers = summary(done)
    assert done.returncode == 1
    assert 0 < numbers["failures"] == numbers["requests"]
    assert "goal missed: mean batch nan, want at least 1" in done.stderr


@pytest.mark.slow
def test_a_service_that_is_not_there_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = locust(url, "--min-efficiency", "50", seconds=2)
    assert done.returncode == 1
    assert f"metrics: {url}/metrics cannot be read" in done.stderr
    assert "goal missed: batching efficiency nan" in done.stderr


def test_answers_of_another_form_are_named() -> None:
    # In a process of its own: importing locust changes this one's sockets and threads.
    program = """
import sys
sys.path.insert(0, sys.argv[1])
import locustfile_resnet as load
output = {"name": "probabilities", "datatype": "FP32", "shape": [1, 10], "data": [0.1] * 10}
good = {"model_name": "m", "outputs": [output]}
assert load.problem_of(good, "m") is None
for bad in (
    {}, [], None, 3, {"outputs": []}, {**good, "outputs": []}, {**good, "outputs": [output] * 2},
    {**good, "model_name": "n"},
    {**good, "outputs": [{**output, "shape": [10]}]},
    {**good, "outputs": [{**output, "datatype": "FP64"}]},
    {**good, "outputs": [{**output, "data": [0.1] * 9}]},
    {**good, "outputs": [{**output, "data": None}]},
):
    assert load.problem_of(bad, "m").startswith("got "), bad
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT / "tests")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
