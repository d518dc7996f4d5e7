"""The page in a real Chromium, over a service alone: many models, none, and one that hangs.

A file of its own beside `test_dashboard_page_browser.py`: each takes a minute, most of it waiting.
"""

from __future__ import annotations

import pytest

from page_stack import run_in_chromium, service
from prometheus_server import free_port

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("models", [0, 100])
def test_as_many_models_as_there_may_be(models: int, chromium: dict[str, str]) -> None:
    with service(models, free_port()) as url:
        run_in_chromium("scale.test.mjs", {**chromium, "SERVICE": url, "MODELS": str(models)})


def test_a_server_that_hangs(chromium: dict[str, str]) -> None:
    with service(1, free_port()) as url:
        run_in_chromium("hang.test.mjs", {**chromium, "SERVICE": url})


def test_the_pages_own_calculations(chromium: dict[str, str]) -> None:
    run_in_chromium("calculations.test.mjs", chromium)
