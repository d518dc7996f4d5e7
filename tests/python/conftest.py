"""What the tests share: where the scripts and examples are, Prometheus, a running demo service."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import emulated_cuda
import inferometer as im
from gated_model import GatedModel
from loop_runners import Run, runner

# The shell of a background job ignores SIGINT and hands that on; tests of Ctrl-C, and the processes
# that they start, need it.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent.parent
for folder in ("scripts", "scripts/bench", "examples"):
    sys.path.insert(0, str(ROOT / folder))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What became of the official ONNX node tests, if they ran."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)]
    if any("test_onnx_node_tests" in report.nodeid for report in reports):
        from onnx_node_report import lines  # imports onnx

        terminalreporter.section("official ONNX node tests")
        for line in lines(reports):
            terminalreporter.write_line(line)


@pytest.fixture(scope="module", autouse=True)
def no_history_is_left() -> Iterator[None]:
    """The default registry is everybody's: who started its history does not leave it to others."""
    yield
    im.default_registry().stop_history()


@pytest.fixture
def registry() -> im.Registry:
    """A registry of the test's own."""
    return im.Registry()


@pytest.fixture
def model() -> Iterator[GatedModel]:
    """A model that runs when the test says so."""
    with GatedModel() as gated:
        yield gated


@pytest.fixture
def engine(model: GatedModel) -> Iterator[im.Engine]:
    """An engine around ``model``, which is let go before it closes."""
    engine = im.Engine(model, name="m", registry=im.Registry())
    yield engine
    model.__exit__()
    engine.close()


@pytest.fixture
def gpus() -> Iterator[emulated_cuda.EmulatedGpus]:
    """Two emulated GPUs that models can be loaded onto."""
    yield from emulated_cuda.fresh_gpus()


@pytest.fixture(params=["asyncio", "asyncio debug", "uvloop", "uvloop debug"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine on each kind of loop."""
    kind, *debug = request.param.split()
    return runner(kind, bool(debug))


def wait_for(url: str, process: subprocess.Popen[str], seconds: float = 30.0) -> None:
    """Polls `url` until it answers 200."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up and process.poll() is None:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(url, timeout=1) as reply,
        ):
            if reply.status == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"{url} did not answer 200 (exit status {process.poll()})")


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


@pytest.fixture
def demo_service() -> Iterator[str]:
    """The URL of examples/demo_service.py, running on a free port for one test."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "examples/demo_service.py"), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            wait_for(f"{url}/readyz", process)
            yield url
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="session")
def chromium() -> dict[str, str]:
    """Where the browser and what drives it are, as the tests' environment."""
    from page_stack import MissingToolError, browser_tools  # which imports this file

    try:
        return browser_tools()
    except MissingToolError as error:
        pytest.skip(str(error))
