"""``inferometer rules check``: checks rule files and dashboards."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferometer.monitoring.lint import Finding, Settings

HELP = "check Prometheus rules and Grafana dashboards against the metrics that exist"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.description = (
        "Checks rule files (YAML) and dashboards (JSON) together. Exit status 1: errors were found."
    )
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE", help="rule files and dashboards")
    add(
        "--metrics",
        action="append",
        default=[],
        metavar="FILE|URL",
        help="an exposition with more metrics; any metric that is in none is then an error",
    )
    add(
        "--prometheus-config",
        metavar="FILE",
        help="scrape interval, jobs, labels and metric_relabel_configs of this configuration",
    )
    add("--scrape-interval", default=None, metavar="DURATION", help="default: 15s")
    add(
        "--target-labels",
        default="",
        metavar="A,B",
        help="labels that targets have besides job, instance and those of Kubernetes",
    )
    add(
        "--severities",
        default="critical,warning,info,none",
        metavar="A,B",
        help="what severity may be (default: %(default)s)",
    )
    add("--runbooks", metavar="DIR", help="a folder with a page for each runbook_url")
    add("--native-histograms", action="store_true", help="histograms are scraped as native ones")
    add("--ignore", action="append", default=[], metavar="CHECK", help="leave a check out")
    add("--warnings-as-errors", action="store_true", help="exit status 1 for warnings too")
    add("--format", choices=("text", "json", "github"), default="text", help="of the findings")
    add("--list-checks", action="store_true", help="print the names of all checks")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; 0: no errors, 1: errors were found, 2: it could not run."""
    from inferometer.monitoring.lint import check
    from inferometer.monitoring.lint.source_text import SourceError

    if arguments.list_checks:
        list_checks()
        return 0
    if not arguments.files:
        print("inferometer: rules check: got no files, want at least one", file=sys.stderr)
        return 2
    try:
        settings = settings_of(arguments)
    except SourceError as error:
        print(f"inferometer: rules check: {error}", file=sys.stderr)
        return 2
    checked = check(arguments.files, settings)
    print_findings(checked.findings, arguments.format)
    errors = sum(finding.severity == "error" for finding in checked.findings)
    warnings = len(checked.findings) - errors
    if arguments.format == "text":
        print(
            f"{len(checked.rules)} rules and {len(checked.dashboards)} dashboards checked: "
            f"{errors} errors, {warnings} warnings"
        )
    return 1 if errors or (warnings and arguments.warnings_as_errors) else 0


def list_checks() -> None:
    """Prints a line for each check."""
    from inferometer.monitoring.lint import CHECKS

    width = max(map(len, CHECKS))
    for check in CHECKS.values():
        print(f"{check.name:{width}}  {check.severity:7}  {check.finds}")


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(",") if word.strip())


def _ignored(names: Sequence[str]) -> frozenset[str]:
    from inferometer.monitoring.lint import CHECKS
    from inferometer.monitoring.lint.knowledge import did_you_mean
    from inferometer.monitoring.lint.source_text import SourceError

    ignored = frozenset(name for part in names for name in _words(part))
    for name in sorted(ignored - CHECKS.keys()):
        hint = did_you_mean(name, list(CHECKS)) or "--list-checks lists them"
        raise SourceError(f"got --ignore {name}, want the name of a check: {hint}")
    return ignored


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that arguments ask for.

    Raises:
        SourceError: If an argument, or a file that it names, cannot be used.
    """
    from inferometer.monitoring.lint import Settings
    from inferometer.monitoring.lint.durations import duration_seconds
    from inferometer.monitoring.lint.exposition_metrics import read_exposition
    from inferometer.monitoring.lint.scrape_config import read_scrape_config
    from inferometer.monitoring.lint.settings import TARGET_LABELS
    from inferometer.monitoring.lint.source_text import SourceError, read_source

    interval = duration_seconds(arguments.scrape_interval or "15s")
    if not interval:
        raise SourceError(
            f"got --scrape-interval {arguments.scrape_interval}, want a duration such as 15s"
        )
    metrics = {}
    for source in arguments.metrics:
        try:
            metrics.update(read_exposition(source))
        except SourceError as error:
            raise SourceError(f"--metrics {source}:{error.line}: {error}") from None
    config = None
    if arguments.prometheus_config is not None:
        try:
            config = read_scrape_config(read_source(Path(arguments.prometheus_config)))
        except SourceError as error:
            raise SourceError(
                f"--prometheus-config {arguments.prometheus_config}:{error.line}: {error}"
            ) from None
    runbooks = None if arguments.runbooks is None else Path(arguments.runbooks)
    if runbooks is not None and not runbooks.is_dir():
        raise SourceError(f"got --runbooks {runbooks}, want a folder")
    return Settings(
        scrape_interval=interval,
        target_labels=TARGET_LABELS | _words(arguments.target_labels),
        severities=_words(arguments.severities),
        ignore=_ignored(arguments.ignore),
        metrics=metrics,
        all_metrics_known=bool(arguments.metrics),
        scrape_config=config,
        native_histograms=arguments.native_histograms,
        runbooks=runbooks,
    )


def print_findings(findings: Iterable[Finding], form: str) -> None:
    """Prints findings as ``text``, ``json`` or annotations of ``github``."""
    if form == "json":
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
        return
    for finding in findings:
        print(_github(finding) if form == "github" else finding)


def _github(finding: Finding) -> str:
    def escaped(text: str, also: str = "") -> str:
        for character in "%\r\n" + also:
            text = text.replace(character, f"%{ord(character):02X}")
        return text

    place = f"file={escaped(finding.path, ':,')},line={finding.line}"
    where = f"{finding.where}: " if finding.where else ""
    title = escaped(finding.check, ":,")
    return f"::{finding.severity} {place},title={title}::{escaped(where + finding.message)}"
