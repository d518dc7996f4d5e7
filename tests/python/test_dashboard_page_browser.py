"""The page in a real Chromium, over a service under load and a real Prometheus.

The tests themselves are in tests/browser, for node's own test runner; they need Debian's packages
chromium and npm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from page_stack import run_in_chromium, running_stack

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stack(
    prometheus_tools: Path, chromium: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A service with four models, and a Prometheus."""
    folder = tmp_path_factory.mktemp("prometheus")
    with running_stack(prometheus_tools, folder, 4) as environment:
        yield {**chromium, **environment}


def test_each_panel_says_what_prometheus_says(stack: dict[str, str]) -> None:
    run_in_chromium("values.test.mjs", stack)


def test_the_page_in_use(stack: dict[str, str]) -> None:
    run_in_chromium("use.test.mjs", stack)
