"""Reads rule files: groups, rules, where they are, and what Prometheus would refuse of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from inferometer.monitoring.lint.checks import CHECKS
from inferometer.monitoring.lint.durations import duration_seconds
from inferometer.monitoring.lint.report import Report
from inferometer.monitoring.lint.yaml_tree import Tree, read_yaml

_GROUP_KEYS = frozenset({"name", "interval", "query_offset", "limit", "labels", "rules"})
_RULE_KEYS = frozenset(
    {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"}
)
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_IGNORE = re.compile(r"#.*\brules-check: *ignore=([\w,-]+)")
_WHOLE = re.compile(r"\d+")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        kind: What it is.
        name: Of the alert or the recorded metric.
        expr: The expression.
        report: Takes findings about it.
        expr_tree: Where the expression stands.
        labels: Its labels, with those of its group.
        annotations: Its annotations.
        lines: The lines of labels and annotations by name.
        for_seconds: ``for`` in seconds, 0 without; None if it is no duration.
    """

    kind: Literal["alert", "record"]
    name: str
    expr: str
    report: Report
    expr_tree: Tree
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    for_seconds: float | None = 0.0


def read_rules(text: str, report: Report) -> list[Rule]:
    """The rules of a file; what is wrong with its structure is reported.

    Raises:
        SourceError: If it is not YAML.
    """
    tree = read_yaml(text)
    if tree is None or tree.kind != "mapping":
        report("file-structure", "got no mapping, want `groups:` with rules")
        return []
    spec = tree.get("spec")
    if tree.get("kind") is not None and spec is not None:
        tree = spec
    groups = tree.get("groups")
    if groups is None or groups.kind != "list":
        config = "scrape_configs" in dict(tree.pairs())
        hint = " (a Prometheus configuration is given as --prometheus-config)" if config else ""
        report("file-structure", f"got no list of groups, want `groups:`{hint}", line=tree.line)
        return []
    for key, value in tree.pairs():
        if key != "groups":
            report("file-structure", f"got the field {key}, want groups only", line=value.line)
    lines = text.splitlines()
    rules: list[Rule] = []
    names: set[str] = set()
    for group in groups.items():
        rules += _group(group, lines, report, names)
    return rules


def _scalar(tree: Tree | None) -> str:
    return "" if tree is None else tree.text or ""


def _comments_above(lines: list[str], line: int) -> int:
    # YAML knows other ends of lines than Python does.
    line = min(line, len(lines))
    while line > 1 and lines[line - 2].lstrip().startswith("#"):
        line -= 1
    return line


def _ignored(lines: list[str], first: int, last: int, report: Report) -> frozenset[str]:
    names: set[str] = set()
    for number in range(first, min(last, len(lines)) + 1):
        found = _IGNORE.search(lines[number - 1])
        for name in found[1].split(",") if found else ():
            if name in CHECKS:
                names.add(name)
            elif name:
                report(
                    "file-structure", f"got ignore={name}, want the name of a check", line=number
                )
    return frozenset(names)


def _group(group: Tree, lines: list[str], report: Report, names: set[str]) -> list[Rule]:
    name = _scalar(group.get("name"))
    here = report.at(group.line, f"group {name}" if name else "a group")
    if group.kind != "mapping" or not name:
        here("file-structure", "got a group without a name, want `name:`")
    elif name in names:
        here("duplicate-rule", f"got two groups {name} in this file, want other names")
    names.add(name)
    _check_keys(group, _GROUP_KEYS, here, "a group")
    for key in ("interval", "query_offset"):
        _duration(group.get(key), key, here)
    limit = group.get("limit")
    if limit is not None and not _WHOLE.fullmatch(_scalar(limit)):
        here("file-structure", f"got limit {_scalar(limit)!r}, want a whole number")
    rules = group.get("rules")
    if rules is not None and rules.kind not in ("list", "null"):
        here("file-structure", "got rules that are no list", line=rules.line)
    trees = [] if rules is None else list(rules.items())
    starts = [_comments_above(lines, tree.line) for tree in trees]
    ends = [*(start - 1 for start in starts[1:]), group.last_line]
    shared = _texts(group.get("labels"), here, "label")
    found = []
    for tree, start, end in zip(trees, starts, ends, strict=False):
        rule = _rule(tree, here, shared, _ignored(lines, start, end, here), name)
        found += [] if rule is None else [rule]
    return found


def _check_keys(tree: Tree, known: frozenset[str], report: Report, what: str) -> None:
    seen: set[str] = set()
    for key, value in tree.pairs():
        if key not in known:
            want = ", ".join(sorted(known))
            report("file-structure", f"got the field {key} in {what}, want {want}", line=value.line)
        elif key in seen:
            report("file-structure", f"got the field {key} twice in {what}", line=value.line)
        seen.add(key)


def _duration(tree: Tree | None, what: str, report: Report) -> float | None:
    if tree is None:
        return 0.0
    seconds = duration_seconds(_scalar(tree))
    if seconds is None:
        report(
            "bad-duration",
            f"got {what}: {_scalar(tree) or tree.kind!r}, want a duration such as 30s or 1h30m",
            line=tree.line,
        )
    return seconds


def _texts(tree: Tree | None, report: Report, what: str) -> dict[str, tuple[str, int]]:
    if tree is None or tree.kind == "null":
        return {}
    if tree.kind != "mapping":
        report("file-structure", f"got {what}s that are no mapping", line=tree.line)
        return {}
    found = {}
    for key, value in tree.pairs():
        if not _LABEL_NAME.fullmatch(key) or (what == "label" and key == "__name__"):
            report("file-structure", f"got the {what} {key!r}, want a valid name", line=value.line)
        elif value.text is None:
            report("file-structure", f"got no text for the {what} {key}", line=value.line)
        else:
            found[key] = (value.text, value.line)
    return found


def _kind(tree: Tree, report: Report) -> Literal["alert", "record"] | None:
    alert, record = _scalar(tree.get("alert")), _scalar(tree.get("record"))
    if bool(alert) == bool(record):
        report("file-structure", "want exactly one of alert and record, with a name")
        return None
    if record and not _METRIC_NAME.fullmatch(record):
        report("file-structure", f"got record {record!r}, want a metric's name")
    if not record:
        return "alert"
    for key in ("for", "keep_firing_for", "annotations"):
        if tree.get(key) is not None:
            report("file-structure", f"got {key} in a recording rule, want it in alerts only")
    return "record"


def _rule(
    tree: Tree,
    group: Report,
    shared: Mapping[str, tuple[str, int]],
    ignored: frozenset[str],
    group_name: str,
) -> Rule | None:
    name = _scalar(tree.get("alert")) or _scalar(tree.get("record"))
    what = "alert" if tree.get("alert") is not None else "record"
    report = group.at(tree.line, f"group {group_name}, {what} {name}", ignored)
    if tree.kind != "mapping":
        report("file-structure", f"got a {tree.kind}, want a rule: alert or record, and expr")
        return None
    _check_keys(tree, _RULE_KEYS, report, "a rule")
    kind = _kind(tree, report)
    expr = tree.get("expr")
    if expr is None or not (expr.text or "").strip():
        report("file-structure", "got no expr, want an expression")
        return None
    if kind is None:
        return None
    labels = {**shared, **_texts(tree.get("labels"), report, "label")}
    annotations = _texts(tree.get("annotations"), report, "annotation")
    for_seconds = _duration(tree.get("for"), "for", report)
    _duration(tree.get("keep_firing_for"), "keep_firing_for", report)
    return Rule(
        kind,
        name,
        expr.text or "",
        report,
        expr,
        {key: text for key, (text, _) in labels.items()},
        {key: text for key, (text, _) in annotations.items()},
        dict(_lines(labels, annotations)),
        for_seconds,
    )


def _lines(*texts: Mapping[str, tuple[str, int]]) -> Iterator[tuple[str, int]]:
    for each in texts:
        yield from ((key, line) for key, (_, line) in each.items())
