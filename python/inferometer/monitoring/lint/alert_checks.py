"""What only alerting rules have: a condition, `for`, labels and annotations."""

from __future__ import annotations

import re

from inferometer.monitoring.lint.durations import duration_text
from inferometer.monitoring.lint.expression import Binary, Call, Node, Number, Selector
from inferometer.monitoring.lint.knowledge import Knowledge
from inferometer.monitoring.lint.rule_file import Rule
from inferometer.monitoring.lint.templates import check_label_template, check_template
from inferometer.monitoring.lint.value import Value


def check_alert(
    rule: Rule, node: Node | None, value: Value | None, knowledge: Knowledge, runbooks: bool
) -> None:
    """Checks an alerting rule.

    Args:
        rule: The rule.
        node: Its expression, None if it is not PromQL.
        value: What is known about its result.
        knowledge: Which series there are.
        runbooks: Whether it must have a ``runbook_url``.
    """
    if node is not None and value is not None:
        _check_condition(rule, node, value)
        _check_for(rule, node, knowledge)
    _check_severity(rule, knowledge)
    for name in ("summary", "description"):
        if not rule.annotations.get(name):
            rule.report(f"missing-{name}", f"got no {name}, want an annotation {name}")
    _check_runbook(rule, knowledge, runbooks)
    for name, text in rule.labels.items():
        check_label_template(rule.report, rule.lines.get(name, rule.report.line), name, text, value)
    for name, text in rule.annotations.items():
        check_template(rule.report, rule.lines.get(name, rule.report.line), name, text, value)


def is_watchdog(node: Node) -> bool:
    """Whether an expression is made of numbers alone, and so meant to fire always."""
    return not isinstance(node, Number) and all(
        isinstance(part, Number | Binary) or (isinstance(part, Call) and part.function == "vector")
        for part in node.walk()
    )


def _check_condition(rule: Rule, node: Node, value: Value) -> None:
    if is_watchdog(node):
        return
    if value.scalar:
        rule.report(
            "file-structure", f"got {node.text[:120]}, a number, want series: write vector(...)"
        )
    elif not value.filtered:
        # An info metric of one version, a count of what should not be: being there may be it.
        unsure = value.existence and not value.certain
        rule.report(
            "comparison-missing",
            f"got {node.text[:160]}, in which nothing leaves series out, so it "
            f"{'fires whenever there are any' if unsure else 'always fires'}: compare the value "
            "with a limit (without bool)",
            "warning" if unsure else None,
        )
    elif value.truth is True:
        rule.report(
            "always-true",
            f"got {node.text[:160]}, which every possible value meets ({value.interval}): it "
            "always fires; want another limit",
        )


def _check_for(rule: Rule, node: Node, knowledge: Knowledge) -> None:
    least = 2 * knowledge.scrape_interval
    if rule.for_seconds is None or rule.for_seconds >= least:
        return
    about_scrapes = any(
        (isinstance(part, Selector) and part.name == "up")
        or (isinstance(part, Call) and part.function == "absent")
        for part in node.walk()
    )
    if about_scrapes:
        rule.report(
            "for-too-short",
            f"got for: {duration_text(rule.for_seconds)} on up or absent, so one lost scrape or a "
            f"restart fires: want at least two scrapes, {duration_text(least)}",
        )


def _check_severity(rule: Rule, knowledge: Knowledge) -> None:
    known = ", ".join(sorted(knowledge.settings.severities))
    severity = rule.labels.get("severity")
    if not severity:
        rule.report("missing-severity", f"got no label severity, want one of {known}")
    elif "{{" not in severity and severity not in knowledge.settings.severities:
        rule.report(
            "unknown-severity",
            f"got severity {severity!r}, want one of {known}",
            line=rule.lines.get("severity"),
        )


def _check_runbook(rule: Rule, knowledge: Knowledge, wanted: bool) -> None:
    url = rule.annotations.get("runbook_url", "")
    if not url:
        if wanted:
            rule.report("missing-runbook", "got no runbook_url, want an annotation runbook_url")
        return
    folder = knowledge.settings.runbooks
    if folder is None or "{{" in url:
        return
    page = re.split(r"[?#]", url)[0].rstrip("/").rpartition("/")[2].removesuffix(".md")
    if not re.fullmatch(r"[\w.-]+", page) or not (folder / f"{page}.md").is_file():
        rule.report(
            "runbook-not-found",
            f"got runbook_url {url}, but there is no {page}.md in {folder}: write the page or mend "
            "the link",
            line=rule.lines.get("runbook_url"),
        )
