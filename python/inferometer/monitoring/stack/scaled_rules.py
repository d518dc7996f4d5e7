"""Alerting rules in another time scale: every window and every wait divided by one factor.

A rule that waits five minutes cannot be watched in a test. With all of its durations divided by the
same factor, and the scrape interval too, as many samples as ever lie in each window and the rule
takes the same decisions, sooner. Limits (a latency of 2 s, a rate of requests) stay as they are.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from inferometer.monitoring.durations import milliseconds

Rules = dict[str, Any]

# What PromQL has in brackets, and what looks like it but is text: strings and comments.
_TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\#[^\n]*)"""
    r"""|\[(?P<range>[^\]]*)\]|(?P<shift>\boffset\b|@)"""
)
_RULE_WAITS = ("for", "keep_firing_for")


def divided(duration: str, factor: int) -> str:
    """The duration divided by the factor, in milliseconds."""
    whole, rest = divmod(milliseconds(duration), factor)
    if rest or not whole:
        raise ValueError(f"{duration} / {factor}: want a whole number of milliseconds, at least 1")
    return f"{whole}ms"


def _change_expression(expression: str, change: Callable[[str], str]) -> str:
    def replace(token: re.Match[str]) -> str:
        if token["shift"]:
            raise ValueError(f"got {token['shift']!r} in {expression!r}, want range selectors only")
        if token["range"] is None:
            return token[0]
        if ":" in token["range"]:
            raise ValueError(f"got the subquery {token[0]} in {expression!r}, want none")
        return f"[{change(token['range'].strip())}]"

    return _TOKEN.sub(replace, expression)


def _change(rules: Rules, change: Callable[[str], str]) -> Rules:
    changed = copy.deepcopy(rules)
    for group in changed["groups"]:
        if "interval" in group:
            group["interval"] = change(group["interval"])
        for rule in group["rules"]:
            rule["expr"] = _change_expression(rule["expr"], change)
            for wait in _RULE_WAITS:
                if wait in rule:
                    rule[wait] = change(rule[wait])
    return changed


def scaled(rules: Rules, factor: int) -> Rules:
    """A copy of a rule file's content with all durations divided by the factor.

    Raises:
        ValueError: A duration is not one or does not divide; an expression has an ``offset``, an
            ``@`` or a subquery, whose meaning this does not know.
    """
    return _change(rules, lambda duration: divided(duration, factor))


def durations(rules: Rules) -> list[int]:
    """Every duration of a rule file's content in milliseconds, in the order of the file."""
    found: list[int] = []

    def note(duration: str) -> str:
        found.append(milliseconds(duration))
        return duration

    _change(rules, note)
    return found
