"""Checks the rules of several files together: they may refer to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inferometer.monitoring.lint.alert_checks import check_alert
from inferometer.monitoring.lint.evaluation import Evaluation
from inferometer.monitoring.lint.expression import Binary, Node, Selector
from inferometer.monitoring.lint.knowledge import Knowledge
from inferometer.monitoring.lint.parsing import ExpressionError, parse
from inferometer.monitoring.lint.rate_calls import RATE_OF_AGGREGATE
from inferometer.monitoring.lint.report import Findings, Report
from inferometer.monitoring.lint.rule_file import Rule
from inferometer.monitoring.lint.set_operators import combine
from inferometer.monitoring.lint.value import Value

# Recording rules may be in any order; a chain against it is followed this far.
_PASSES = 10


def parsed(text: str, report: Report, line: int) -> Node | None:
    """The expression; None, and a finding, if it is none."""
    try:
        return parse(text)
    except ExpressionError as error:
        if RATE_OF_AGGREGATE.search(text) and "expected type matrix" in str(error):
            report(
                "rate-of-aggregate",
                f"got {text.strip()[:120]}: rate needs the counters themselves; write "
                "sum(rate(x[5m]))",
                line=line,
            )
            return None
        near = text[error.offset : error.offset + 20].strip()
        report(
            "syntax-error",
            f"at character {error.offset + 1}{f' (before {near!r})' if near else ''}: {error}",
            line=line,
        )
        return None


def _line_of_error(rule: Rule) -> int:
    try:
        parse(rule.expr)
    except ExpressionError as error:
        return rule.expr_tree.line_in_text(rule.expr, error.offset)
    return rule.expr_tree.line


def check_rules(rules: Sequence[Rule], knowledge: Knowledge) -> None:
    """Checks all rules; what they record is known to all of them."""
    record(rules, knowledge)
    knowledge.alerts.update((rule.name, None) for rule in rules if rule.kind == "alert")
    seen: dict[tuple[str, str, tuple[tuple[str, str], ...]], str] = {}
    runbooks = knowledge.settings.runbooks is not None or any(
        "runbook_url" in rule.annotations for rule in rules
    )
    for rule in rules:
        key = (rule.kind, rule.name, tuple(sorted(rule.labels.items())))
        place = f"{rule.report.path}:{rule.report.line}"
        if key in seen:
            rule.report(
                "duplicate-rule",
                f"got the {rule.kind} {rule.name} with the same labels as at {seen[key]}: give it "
                "another name or severity",
            )
        seen.setdefault(key, place)
        node = parsed(rule.expr, rule.report, _line_of_error(rule))
        value = None
        if node is not None:
            expr_report = rule.report.at(rule.expr_tree.line, rule.report.where)
            value = Evaluation(knowledge, expr_report).value(node)
        if rule.kind == "alert":
            check_alert(rule, node, value, knowledge, runbooks)


def record(rules: Sequence[Rule], knowledge: Knowledge) -> None:
    """Makes known what the recording rules record."""
    waiting = [rule for rule in rules if rule.kind == "record"]
    names = {rule.name for rule in waiting}
    done: set[str] = set()
    for last in [*[False] * _PASSES, True]:
        left: list[Rule] = []
        for rule in waiting:
            node = _node(rule)
            needs = _names(node) & names - done - {rule.name}
            if needs and not last:
                left.append(rule)
                continue
            _remember(rule, node, knowledge)
            if not any(rule.name == other.name for other in left):
                done.add(rule.name)
        waiting = left


def _node(rule: Rule) -> Node | None:
    try:
        return parse(rule.expr)
    except ExpressionError:
        return None


def _names(node: Node | None) -> set[str]:
    parts = [] if node is None else node.walk()
    return {part.name for part in parts if isinstance(part, Selector) and part.name}


def _remember(rule: Rule, node: Node | None, knowledge: Knowledge) -> None:
    value = Value()
    if node is not None:
        nowhere = Report(Findings(), "")
        value = Evaluation(knowledge, nowhere).value(node)
        fixed = {name: text for name, text in rule.labels.items() if text and "{{" not in text}
        labels = value.labels.with_sure(rule.labels).with_values(fixed)
        value = replace(value, labels=labels, truth=None, scalar=False)
    earlier = knowledge.recorded.get(rule.name)
    if earlier is not None and node is not None:  # the same name with other labels
        value = combine(Binary("", "or", node, node), earlier, value)
    knowledge.recorded[rule.name] = value
