"""Conditions that cannot hold together: on one label, or on one expression."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from inferometer.monitoring.lint.expression import Binary, Matcher, Node, Number, Selector
from inferometer.monitoring.lint.grafana_variables import PLACEHOLDER

if TYPE_CHECKING:
    from inferometer.monitoring.lint.evaluation import Evaluation

FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


def check_matchers(run: Evaluation, node: Selector) -> None:
    """Whether some label could meet all conditions on it."""
    matchers = [each for each in node.matchers if PLACEHOLDER not in each.value]
    for one, other in combinations(matchers, 2):
        if one.label == other.label and (_excludes(one, other) or _excludes(other, one)):
            run.report(
                "contradicting-matchers",
                f"got {{{one}, {other}}}, which no series meets: every condition of a selector has "
                f'to hold; for one or the other write {one.label}=~"A|B"',
            )
            return


def _excludes(one: Matcher, other: Matcher) -> bool:
    """Whether the value that a label must have is one that the other condition forbids."""
    if one.op != "=":
        return False
    if other.op in ("=", "!="):
        return (one.value == other.value) != (other.op == "=")
    try:
        matches = re.fullmatch(other.value, one.value, re.DOTALL) is not None
    except re.error:  # RE2 knows syntax that Python does not
        return False
    return matches != (other.op == "=~")


def check_conditions(run: Evaluation, node: Binary) -> None:
    """Whether the conditions that ``and`` joins leave a value that meets all of them.

    With ``on`` or ``ignoring`` the sides may be of different series.
    """
    if node.op != "and" or node.on is not None or node.ignoring:
        return
    for one in _conditions(node.left):
        for other in _conditions(node.right):
            # The nodes' comparison knows nothing of @, their text does.
            same = one[0] == other[0] and one[0].text == other[0].text
            if same and not _meet(one[1:], other[1:]):
                run.report(
                    "contradicting-conditions",
                    f"got {node.text[:160]}: no value of {one[0].text[:80]} is both {one[1]} "
                    f"{one[2]:g} and {other[1]} {other[2]:g}; for one or the other write or",
                )
                return


def _conditions(node: Node) -> Iterator[tuple[Node, str, float]]:
    """What is compared, how and with which number, of all that must hold together."""
    if not isinstance(node, Binary):
        return
    if node.op == "and" and node.on is None and not node.ignoring:
        yield from _conditions(node.left)
        yield from _conditions(node.right)
    elif node.op in FLIPPED and not node.returns_bool:
        if isinstance(node.right, Number):
            yield node.left, node.op, node.right.value
        elif isinstance(node.left, Number):
            yield node.right, FLIPPED[node.op], node.left.value


def _meet(one: tuple[str, float], other: tuple[str, float]) -> bool:
    low, high = -math.inf, math.inf
    open_low = open_high = False
    for op, limit in (one, other):
        if op == "!=" or math.isnan(limit):
            return True
        if op in (">", ">=", "==") and limit >= low:
            open_low = op == ">" or (open_low and limit == low)
            low = limit
        if op in ("<", "<=", "==") and limit <= high:
            open_high = op == "<" or (open_high and limit == high)
            high = limit
    return low < high or (low == high and not open_low and not open_high)
