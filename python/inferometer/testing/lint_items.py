"""``pytest --alerts-lint``: a test item for each rule and each dashboard, which fails on findings.

A pytest plugin of its own; it is registered by ``inferometer.testing``, whose options for rules it
shares.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from inferometer.monitoring.lint import Finding, Settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options and ini keys."""
    group = parser.getgroup("inferometer")
    group.addoption(
        "--alerts-lint",
        action="store_true",
        help="check rules and dashboards: an item for each (see also inferometer rules check)",
    )
    group.addoption(
        "--alerts-lint-strict",
        action="store_true",
        help="--alerts-lint, and warnings fail too",
    )
    group.addoption(
        "--alerts-dashboards",
        action="append",
        default=[],
        metavar="FILE",
        help="--alerts-lint: a dashboard, * allowed; may be repeated (ini: alerts_dashboards)",
    )
    parser.addini("alerts_dashboards", "dashboards to check, one a line, * allowed", "linelist")
    parser.addini("alerts_runbooks", "folder with the page of each runbook_url")
    parser.addini("alerts_metrics", "expositions with more metrics, one a line", "linelist")
    parser.addini("alerts_lint_ignore", "checks of --alerts-lint to leave out", "args")
    # These are the lab's; without it they have to be declared here.
    with contextlib.suppress(ValueError, AssertionError):
        group.addoption("--alerts-rules", action="append", default=[], metavar="FILE")
        parser.addini("alerts_rules", "rule files, one a line, * allowed", "linelist")
        parser.addini("alerts_prometheus", "prometheus.yml")


class LintError(Exception):
    """What was found about one rule or dashboard."""


class LintFile(pytest.File):
    """A file with rules, or a dashboard."""

    def collect(self) -> Iterator[pytest.Item]:
        """Nothing: its items are made by ``pytest_collection_modifyitems``."""
        return iter(())


class LintItem(pytest.Item):
    """One rule, one dashboard, or what is about a file as a whole."""

    def __init__(self, *, findings: Sequence[Finding], strict: bool, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._findings = findings
        self._strict = strict

    def runtest(self) -> None:
        """Fails if there are errors.

        Raises:
            LintError: With a line for each finding.
        """
        lines = "\n".join(map(str, self._findings))
        if any(self._strict or finding.severity == "error" for finding in self._findings):
            raise LintError(lines)
        if lines:
            self.add_report_section("call", "alerts-lint", lines)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The findings alone, without a traceback."""
        if isinstance(excinfo.value, LintError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is."""
        line = self._findings[0].line - 1 if self._findings else None
        return self.path, line, self.name


def _files(config: pytest.Config, patterns: Sequence[str]) -> list[Path]:
    found: list[Path] = []
    for pattern in patterns:
        path = Path(pattern)
        matches = sorted(config.rootpath.glob(pattern)) if not path.is_absolute() else [path]
        if not matches:
            raise pytest.UsageError(f"--alerts-lint: got {pattern}, which is no file, want one")
        found += matches
    return list(dict.fromkeys(found))


def _settings(config: pytest.Config) -> Settings:
    from inferometer.monitoring.lint import CHECKS, Settings
    from inferometer.monitoring.lint.exposition_metrics import read_exposition
    from inferometer.monitoring.lint.scrape_config import read_scrape_config
    from inferometer.monitoring.lint.source_text import SourceError, read_source

    def inside(name: str) -> str:
        return name if "://" in name else str(config.rootpath / name)

    sources = [inside(name) for name in config.getini("alerts_metrics")]
    prometheus, runbooks = config.getini("alerts_prometheus"), config.getini("alerts_runbooks")
    ignored = frozenset(config.getini("alerts_lint_ignore"))
    unknown = sorted(ignored - CHECKS.keys())
    if unknown:
        raise pytest.UsageError(f"alerts_lint_ignore: got {unknown[0]}, want the name of a check")
    if runbooks and not (config.rootpath / runbooks).is_dir():
        raise pytest.UsageError(f"alerts_runbooks: got {runbooks}, want a folder")
    name = ""
    try:
        metrics = {}
        for name in sources:
            metrics.update(read_exposition(name))
        name = prometheus
        text = read_source(Path(inside(prometheus))) if prometheus else ""
        scrape_config = read_scrape_config(text) if prometheus else None
    except SourceError as error:
        raise pytest.UsageError(f"--alerts-lint: {name}:{error.line}: {error}") from None
    return Settings(
        ignore=ignored,
        metrics=metrics,
        all_metrics_known=bool(sources),
        scrape_config=scrape_config,
        runbooks=config.rootpath / runbooks if runbooks else None,
    )


def lint_items(session: pytest.Session) -> list[pytest.Item]:
    """An item for each rule and dashboard that the options and ini keys name.

    Raises:
        pytest.UsageError: If they name nothing, or something that is not there.
    """
    from inferometer.monitoring.lint import check

    config = session.config
    rules = _files(config, config.getoption("--alerts-rules") or config.getini("alerts_rules"))
    boards = config.getoption("--alerts-dashboards") or config.getini("alerts_dashboards")
    paths = [*rules, *_files(config, boards)]
    if not paths:
        raise pytest.UsageError("--alerts-lint: got no files, want --alerts-rules or alerts_rules")
    checked = check(paths, _settings(config))
    strict = config.getoption("--alerts-lint-strict")
    places = dict.fromkeys(checked.rules)
    items: list[pytest.Item] = []
    for path in paths:
        parent = LintFile.from_parent(session, path=path)
        about = [finding for finding in checked.findings if finding.path == str(path)]
        own = [where for of, where in places if of == str(path)]
        rest = [finding for finding in about if finding.where not in own]
        named = [(where, [f for f in about if f.where == where]) for where in own]
        whole = "dashboard" if str(path) in checked.dashboards else "file"
        if rest or not own:
            named.insert(0, (whole, rest))
        items += [
            LintItem.from_parent(parent, name=name, findings=found, strict=strict)
            for name, found in named
        ]
    return items


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Adds the items; before others, so that ``-k`` and ``-m`` choose among them too."""
    config = session.config
    if config.getoption("--alerts-lint") or config.getoption("--alerts-lint-strict"):
        items.extend(lint_items(session))
