"""Prometheus' templates in labels and annotations, as far as they can be read without running."""

from __future__ import annotations

import re

from inferometer.monitoring.lint.interval import UNIT
from inferometer.monitoring.lint.knowledge import did_you_mean
from inferometer.monitoring.lint.labels import Labels
from inferometer.monitoring.lint.report import Report
from inferometer.monitoring.lint.units import RATIO, SECONDS
from inferometer.monitoring.lint.value import Value

_ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`')
_LABEL = re.compile(r"\$labels\.(\w+)|index\s+\$labels\s+\"(\w+)\"")
_DOT_LABEL = re.compile(r"(?<![\w)\]])\.Labels\.(\w+)")
_WORD = re.compile(r"(?<![\w.$])([A-Za-z_]\w*)")
_VALUE = re.compile(r"\$value\b|(?<![\w)\]])\.Value\b")
_HUMANIZE = re.compile(r"\bhumanize\w*")
# Inside of these a dot means something else than the alert.
_OTHER_DOT = re.compile(r"\{\{-?\s*(?:range|with|template|define)\b|\bquery\b")
# fmt: off
_FUNCTIONS = frozenset({
    "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js",
    "urlquery", "call", "eq", "ne", "lt", "le", "gt", "ge", "if", "else", "end", "range",
    "with", "define", "template", "block", "break", "continue", "nil", "true", "false", "query",
    "first", "value", "label", "strvalue", "sortByLabel", "humanize", "humanize1024",
    "humanizeDuration", "humanizePercentage", "humanizeTimestamp", "toTime", "toDuration",
    "now", "args", "reReplaceAll", "safeHtml", "match", "title", "toUpper", "toLower",
    "graphLink", "tableLink", "parseDuration", "stripPort", "stripDomain", "externalURL",
    "pathPrefix", "urlQueryEscape",
})
# fmt: on


def check_label_template(
    report: Report, line: int, name: str, text: str, value: Value | None
) -> None:
    """Checks the template of a label."""
    if any(_VALUE.search(action[1]) for action in _ACTION.finditer(text)):
        report(
            "value-in-label",
            f"got {text!r} in the label {name}: each new value is a new alert, and `for` never "
            "ends; put it into an annotation",
            line=line,
        )
        return
    check_template(report, line, name, text, value)


def check_template(report: Report, line: int, name: str, text: str, value: Value | None) -> None:
    """Checks a template against what is known about the alert's expression.

    Args:
        report: Takes the findings.
        line: Where the template stands.
        name: Of the label or annotation.
        text: The template.
        value: The expression's result; None if nothing is known.
    """
    rest = _ACTION.sub("", text)
    if "{{" in rest or "}}" in rest:
        report("template-syntax", f"got {name} with braces that do not pair: {text!r}", line=line)
        return
    elsewhere = bool(_OTHER_DOT.search(text))
    for found in _ACTION.finditer(text):
        action = found[1]
        if action.lstrip("- ").startswith("/*"):
            continue
        _check_functions(report, line, action)
        if value is not None:
            _check_labels(report, line, action, value.labels, elsewhere)
            if not elsewhere:
                _check_humanize(report, line, action, value)


def _check_functions(report: Report, line: int, action: str) -> None:
    for word in _WORD.findall(_STRING.sub('""', action)):
        if word not in _FUNCTIONS:
            hint = did_you_mean(word, sorted(_FUNCTIONS)) or "$labels.NAME is a label"
            report(
                "template-syntax",
                f"got {word} in {{{{{action}}}}}, want a function of templates: {hint}",
                line=line,
            )


def _check_labels(report: Report, line: int, action: str, labels: Labels, elsewhere: bool) -> None:
    names = [first or second for first, second in _LABEL.findall(action)]
    names += [] if elsewhere else _DOT_LABEL.findall(action)
    for name in names:
        if not labels.may_have(name):
            hint = did_you_mean(name, sorted(labels.sure | labels.maybe)) or f"it has {labels}"
            report(
                "label-not-in-result",
                f"got $labels.{name}, but the result of the expression has no label {name}: {hint}",
                line=line,
            )


def _check_humanize(report: Report, line: int, action: str, value: Value) -> None:
    if not _VALUE.search(action):
        return
    for function in _HUMANIZE.findall(action):
        problem = _problem(function, value)
        if problem:
            report(
                "humanize-mismatch",
                f"got {{{{{action}}}}}, but {problem}",
                severity="warning" if _unsure(function, value) else None,
                line=line,
            )


def _unsure(function: str, value: Value) -> bool:
    """Whether a number in the expression may have had the unit: pages * 4096 are bytes."""
    kind = {"humanizePercentage": RATIO, "humanizeDuration": SECONDS}.get(function)
    known = kind is not None and value.unit is not None and value.unit.same_kind(kind)
    return value.rescaled and not known


def _problem(function: str, value: Value) -> str:
    unit, interval = value.unit, value.interval
    if unit is None:
        return ""
    within = interval.low >= UNIT.low and interval.high <= UNIT.high
    if function == "humanizePercentage" and unit != RATIO:
        return f"the value is {unit}, not 0 to 1: want humanize, or leave out the * 100"
    if function == "humanize1024" and "bytes" not in dict(unit.bases):
        want = "humanizePercentage" if unit.is_ratio else "humanize"
        return f"the value is {unit}, not bytes: want {want}"
    seconds = unit.physical == SECONDS.physical and unit.same_scale(SECONDS)
    if function == "humanizeDuration" and not seconds:
        return f"the value is {unit}, not seconds: divide it so that it is"
    if function == "humanize" and unit == RATIO and within:
        return "the value is 0 to 1, of which 0.93 becomes 930m: want humanizePercentage"
    return ""
