"""The page in a real Chromium, over a service under load and a real Prometheus.

The tests themselves are in tests/browser, for node's own test runner; they need Debian's packages
chromium and npm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from page_stack import MissingToolError, browser_tools, run_node, running_stack, service
from prometheus_server import free_port

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium() -> dict[str, str]:
    """Where the browser and what drives it are, as the tests' environment."""
    try:
        return browser_tools()
    except MissingToolError as error:
        pytest.skip(str(error))


def run(file: str, environment: dict[str, str]) -> None:
    """Runs a file of tests/browser; ``pytest -s`` shows what it says."""
    print(run_node("--test", "--test-reporter=spec", file, environment=environment))


@pytest.fixture(scope="module")
def stack(
    prometheus_tools: Path, chromium: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A service with four models, and a Prometheus."""
    folder = tmp_path_factory.mktemp("prometheus")
    with running_stack(prometheus_tools, folder, 4) as environment:
        yield {**chromium, **environment}


def test_each_panel_says_what_prometheus_says(stack: dict[str, str]) -> None:
    run("values.test.mjs", stack)


def test_the_page_in_use(stack: dict[str, str]) -> None:
    run("use.test.mjs", stack)


@pytest.mark.parametrize("models", [0, 100])
def test_as_many_models_as_there_may_be(models: int, chromium: dict[str, str]) -> None:
    with service(models, free_port()) as url:
        run("scale.test.mjs", {**chromium, "SERVICE": url, "MODELS": str(models)})


def test_a_server_that_hangs(chromium: dict[str, str]) -> None:
    with service(1, free_port()) as url:
        run("hang.test.mjs", {**chromium, "SERVICE": url})


def test_the_pages_own_calculations(chromium: dict[str, str]) -> None:
    run("calculations.test.mjs", chromium)
