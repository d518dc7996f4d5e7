"""prometheus_client's own tests, with inferometer.prometheus in its place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "compat"))

import prometheus_client_suite as suite


@pytest.mark.slow
def test_passes_as_prometheus_client_does() -> None:
    try:
        outcome = suite.run()
    except suite.Unavailable as error:
        pytest.skip(str(error))
    assert suite.problems(outcome) == [], outcome.output[-4000:]
    assert "placed: prometheus_client.asgi" in outcome.output


def test_every_exception_has_a_reason() -> None:
    assert suite.exceptions()
    assert all(reason for reason in suite.exceptions().values())
