"""The fixture ``monitoring_stack``, as a user's tests have it: pytest runs some of those here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from stack_case import processes_of, stack_tools

pytestmark = pytest.mark.slow

# A service that gets slow, the shipped rules, and what a user writes about them.
SLOW_MODEL = """
import contextlib
import threading

import pytest

import inferometer as im


@pytest.fixture(scope="module")
def service():
    faults = im.Faults()
    registry = im.Registry()
    model = im.DelayModel(0.001, inputs=[im.Spec("x", "float32", (-1, 1))])
    with (
        im.Engine(model, name="slow", registry=registry, faults=faults) as engine,
        im.serve_metrics(port=0, registry=registry) as listener,
    ):
        yield engine, faults, listener


@contextlib.contextmanager
def load(engine):
    import numpy as np

    ended = threading.Event()

    def send():
        while not ended.wait(0.05):
            engine.submit(np.ones((1, 1), np.float32))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_slow_model_is_reported_and_the_end_of_it(monitoring_stack, service):
    engine, faults, listener = service
    monitoring_stack.scrape(listener.url)
    with load(engine):
        faults.add("delay", seconds=2.2)
        name = "HighInferenceLatencyWarning"
        fired = monitoring_stack.wait_notification(name, model_name="slow")
        assert fired.labels["severity"] == "warning"
        assert fired.receiver == "warning"
        assert "slow answers slowly" in fired.annotations["summary"]
        assert monitoring_stack.value('count(inference_queue_depth{model_name="slow"})') == 1
        faults.clear()
        resolved = monitoring_stack.wait_resolved(name)
    assert resolved.labels == fired.labels
    assert [n.status for n in monitoring_stack.notifications if n.name == name] == [
        "firing",
        "resolved",
    ]


@pytest.mark.monitoring_stack(rules="mine.yml", time_scale=10)
def test_rules_of_its_own(monitoring_stack, service):
    assert monitoring_stack.notifications == []
    seen = monitoring_stack.wait_notification("Mine")
    assert monitoring_stack.query("ALERTS_FOR_STATE")[0]["metric"]["alertname"] == "Mine"
    with pytest.raises(ValueError, match="got 'Mone', which no rule has; do you mean Mine"):
        monitoring_stack.wait_notification("Mone")
    with pytest.raises(ValueError, match="want host:port"):
        monitoring_stack.scrape("https://example.org/metrics")


@pytest.mark.monitoring_stack(rules="mine.yml", time_scale=10)
def test_what_earlier_tests_did_does_not_count(monitoring_stack):
    assert monitoring_stack.notifications == []
    monitoring_stack.wait_notification("Mine")
    monitoring_stack.use_rules()
    with pytest.raises(ValueError, match="which no rule has"):
        monitoring_stack.wait_resolved("Mine")


def test_afterwards_the_first_rules_are_back(monitoring_stack):
    with pytest.raises(ValueError, match="which no rule has"):
        monitoring_stack.wait_notification("Mine")
"""
FAILING = """
import pytest


@pytest.mark.monitoring_stack(rules="mine.yml")
def test_that_waits_for_what_does_not_come(monitoring_stack):
    monitoring_stack.wait_notification("Mine")
    monitoring_stack.wait_resolved("Mine", timeout=1)


@pytest.mark.monitoring_stack(speed=3)
def test_with_a_wrong_marker(monitoring_stack):
    pass


@pytest.mark.monitoring_stack(rules="none.yml")
def test_without_its_rules(monitoring_stack):
    pass
"""
MINE = """
groups:
  - name: mine
    rules:
      - {alert: Mine, expr: vector(1), for: 30s, labels: {severity: warning, job: mine}}
"""


def run_pytest(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs a user's test file in a folder of its own."""
    stack_tools()
    (folder / "test_it.py").write_text(text, encoding="utf-8")
    (folder / "mine.yml").write_text(MINE, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n", encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


PLUGIN = "inferometer.testing.live_stack"


def test_from_a_slow_model_to_its_notification_and_its_end(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, SLOW_MODEL, f"--basetemp={tmp_path}/base", "--durations=0")
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    assert processes_of(f"{tmp_path}/base") == []


def test_a_failure_shows_what_alerts_did(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, FAILING, f"--basetemp={tmp_path}/base")
    assert done.returncode == 1
    assert "1 failed, 2 errors" in done.stdout, done.stdout
    assert "a notification that Mine has resolved: not within 1 s" in done.stdout
    _, _, section = done.stdout.partition("- monitoring_stack -")
    assert re.search(r"\u2588\S*  Mine job=mine", section)
    assert re.search(r"firing    Mine  at warning", section)
    assert "warnings and errors in the logs:\nnone" in section
    assert "takes time_scale=N and rules=FILE or [FILE, ...]; got ['speed']" in done.stdout
    assert "none.yml" in done.stdout
    assert processes_of(f"{tmp_path}/base") == []


def test_the_plugin_loads_no_native_module() -> None:
    """What a user of pytest pays who never asks for the fixture."""
    code = (
        f"import sys, {PLUGIN}; print([name for name in sys.modules if name.startswith("
        "('inferometer.monitoring', 'numpy', 'yaml'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    # The package itself decides whether importing it loads numpy.
    loaded = [name for name in eval(done.stdout) if not name.startswith("numpy")]
    assert loaded == []
