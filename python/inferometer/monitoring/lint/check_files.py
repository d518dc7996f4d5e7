"""Checks files: tells rules from dashboards, and puts all findings in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inferometer.monitoring.lint.dashboard_checks import check_dashboard
from inferometer.monitoring.lint.dashboard_file import read_dashboard
from inferometer.monitoring.lint.finding import Finding
from inferometer.monitoring.lint.knowledge import Knowledge
from inferometer.monitoring.lint.report import Findings, Report
from inferometer.monitoring.lint.rule_file import Rule, read_rules
from inferometer.monitoring.lint.rule_set import check_rules
from inferometer.monitoring.lint.settings import Settings
from inferometer.monitoring.lint.source_text import SourceError, read_source


@dataclass(frozen=True)
class Checked:
    """The outcome of a run.

    Attributes:
        findings: What was found, by file and line.
        rules: The rules that were read, as path and place (``Finding.where``).
        dashboards: The dashboards that were read, by path.
    """

    findings: tuple[Finding, ...]
    rules: tuple[tuple[str, str], ...]
    dashboards: tuple[str, ...]


def check(paths: Iterable[str | Path], settings: Settings | None = None) -> Checked:
    """Checks rule files and dashboards together.

    Args:
        paths: YAML files with rules, JSON files with dashboards.
        settings: How; None: the defaults.
    """
    settings = settings or Settings()
    findings = Findings(settings.ignore)
    knowledge = Knowledge(settings)
    rules: list[Rule] = []
    texts: list[tuple[Report, str]] = []
    for path in paths:
        report = Report(findings, str(path))
        try:
            text = read_source(Path(path))
            if Path(path).suffix.lower() == ".json":
                texts.append((report, text))
            else:
                rules += read_rules(text, report)
        except SourceError as error:
            report("broken-file", str(error), line=error.line)
    check_rules(rules, knowledge)
    for report, text in texts:
        try:
            check_dashboard(read_dashboard(text), report, knowledge)
        except SourceError as error:
            report("broken-file", str(error), line=error.line)
    order: dict[str, int] = {report.path: number for number, (report, _) in enumerate(texts)}
    found = sorted(findings.found, key=lambda f: (order.get(f.path, -1), f.path, f.line, f.check))
    places = dict.fromkeys((rule.report.path, rule.report.where) for rule in rules)
    return Checked(tuple(found), tuple(places), tuple(report.path for report, _ in texts))


def check_files(paths: Sequence[str | Path], settings: Settings | None = None) -> list[Finding]:
    """The findings of ``check``."""
    return list(check(paths, settings).findings)
