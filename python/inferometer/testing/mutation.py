"""Rules that are wrong in one place: what tests of alerts have to notice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as pq

from inferometer.testing.queries import Node, bare, number_of, operator_of, shown, text_of
from inferometer.testing.rule_files import Rule

THRESHOLD = "threshold x 10"
COMPARISON = "comparison flipped"
RATE = "rate removed"
LABEL = "by label dropped"

_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "!=", "!=": "=="}
_RATES = frozenset(["rate", "irate", "increase", "delta", "deriv"])
_BRIEF = 100
_BY = re.compile(r"(\w+ by )\(([^)]*)\)")


@dataclass(frozen=True)
class Mutant:
    """A rule with one change.

    Attributes:
        rule: The rule as it is.
        kind: One of the names above.
        number: Which of this kind, from 1.
        change: What is changed, and into what.
        query: The whole expression then.
    """

    rule: Rule
    kind: str
    number: int
    change: str
    query: str

    @property
    def title(self) -> str:
        """What it is called in the list of survivors, apart from its rule."""
        return f"{self.kind}, {self.number}: {self.change}"


def mutants_of(rule: Rule) -> list[Mutant]:
    """All mutants of a rule, each once.

    An expression that promql-parser cannot write, one with a subquery without a step, has none.
    """
    tree = pq.parse(rule.query)
    if text_of(tree) is None:
        return []
    count = 0

    def counting(node: Node) -> None:
        nonlocal count
        count += 1

    pq.transform(tree, post_visit=counting)
    found: dict[str, Mutant] = {}
    numbers: dict[str, int] = {}
    for place in range(count):
        for kind, change, query in _at(tree, place):
            if query != str(tree) and query not in found:
                numbers[kind] = numbers.get(kind, 0) + 1
                found[query] = Mutant(rule, kind, numbers[kind], change, query)
    return list(found.values())


def _at(tree: Node, place: int) -> Iterator[tuple[str, str, str]]:
    """The mutants of one node, counted as ``transform`` comes by."""
    seen = -1
    chosen: Node = None

    def choose(node: Node) -> None:
        nonlocal seen, chosen
        seen += 1
        if seen == place:
            chosen = node

    pq.transform(tree, post_visit=choose)
    for kind, change, replacement in _changes(chosen):
        seen = -1

        def put(node: Node, replacement: str = replacement) -> Node | None:
            nonlocal seen
            seen += 1
            return pq.parse(replacement) if seen == place else None

        yield kind, change, str(pq.transform(tree, post_visit=put))


def _changes(node: Node) -> Iterator[tuple[str, str, str]]:
    """What a node can become: kind, the change for people, the new text."""
    if isinstance(node, pq.BinaryExpr) and operator_of(node) in _FLIPPED:
        left, right, whole = str(node.lhs), str(node.rhs), str(node)
        between = whole[len(left) : len(whole) - len(right)]
        operator = operator_of(node)
        flipped = between.replace(operator, _FLIPPED[operator], 1)
        change = f"{operator} to {_FLIPPED[operator]} in {_brief(node)}"
        yield COMPARISON, change, left + flipped + right
        for number, text in (
            (number_of(bare(node.rhs)), "{left}{between}{new}"),
            (number_of(bare(node.lhs)), "{new}{between}{right}"),
        ):
            if number is not None:
                new = f"{number * 10:.12g}" if number else "10"
                changed = text.format(left=left, right=right, between=between, new=new)
                yield THRESHOLD, f"{number:g} to {new} in {_brief(node)}", changed
    elif isinstance(node, pq.Call) and node.func.name in _RATES:
        inner = bare(node.args[0])
        if isinstance(inner, pq.MatrixSelector):
            yield RATE, shown(node), str(inner.vector_selector)
    elif isinstance(node, pq.AggregateExpr):
        found = _BY.match(str(node))
        labels = [name.strip() for name in found[2].split(",")] if found else []
        for label in labels if found and found[2].strip() else ():
            left_over = ", ".join(name for name in labels if name != label)
            assert found is not None
            changed = f"{found[1]}({left_over})" + str(node)[found.end() :]
            yield LABEL, f"{label} of {_brief(node)}", changed


def _brief(node: Node) -> str:
    text = shown(node)
    return text if len(text) <= _BRIEF else text[: _BRIEF // 2] + "…" + text[-_BRIEF // 2 :]
