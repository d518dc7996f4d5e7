"""Taking PromQL apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as pq

Node = Any  # the classes of promql_parser have no common attributes

_COMPARISONS = frozenset(["==", "!=", ">", "<", ">=", "<="])


@dataclass(frozen=True)
class Selector:
    """Which series a query reads.

    Attributes:
        name: The metric; None: more than one, or not said.
        matchers: Label, operator and value of each condition.
    """

    name: str | None
    matchers: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        """As in a query."""
        conditions = ", ".join(f'{label}{sign}"{value}"' for label, sign, value in self.matchers)
        return (self.name or "") + (f"{{{conditions}}}" if conditions else "")


def parse(query: str) -> Node:
    """The tree of a query; parentheses are left out.

    Raises:
        ValueError: What is none.
    """
    return bare(pq.parse(query))


def bare(node: Node) -> Node:
    """What is within parentheses."""
    while isinstance(node, pq.ParenExpr):
        node = node.expr
    return node


def children(node: Node) -> list[Node]:
    """The parts of a node, in order; parentheses are left out."""
    if isinstance(node, pq.BinaryExpr):
        parts = [node.lhs, node.rhs]
    elif isinstance(node, pq.AggregateExpr):
        parts = [node.expr] if node.param is None else [node.param, node.expr]
    elif isinstance(node, pq.Call):
        parts = list(node.args)
    elif isinstance(node, pq.UnaryExpr | pq.SubqueryExpr):
        parts = [node.expr]
    elif isinstance(node, pq.MatrixSelector):
        parts = [node.vector_selector]
    else:
        parts = []
    return [bare(part) for part in parts]


def nodes(node: Node, depth: int = 0) -> Iterator[tuple[Node, int]]:
    """A node and all below it with their depth, parents first."""
    yield node, depth
    for child in children(node):
        yield from nodes(child, depth + 1)


def text_of(node: Node) -> str | None:
    """A node as a query; None if it cannot be written."""
    # The parser's own text of a subquery without a step is that of another expression.
    if any(isinstance(one, pq.SubqueryExpr) and one.step is None for one, _ in nodes(node)):
        return None
    return str(node)


def shown(node: Node) -> str:
    """A node for people to read, on one line."""
    return re.sub(r"(?<=[\w:])\{\}", "", " ".join(str(node).split()))


def selector_of(node: Node) -> Selector:
    """What a VectorSelector selects."""
    name = node.name
    matchers = []
    for matcher in node.matchers.matchers:
        sign = _SIGNS[str(matcher.op).rsplit(".", 1)[-1]]
        if matcher.name == "__name__" and sign == "=":
            name = matcher.value
        else:
            matchers.append((matcher.name, sign, matcher.value))
    return Selector(name, tuple(matchers))


_SIGNS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def selectors_of(query: str) -> list[Selector]:
    """All that a query reads."""
    return [
        selector_of(node) for node, _ in nodes(parse(query)) if isinstance(node, pq.VectorSelector)
    ]


def operator_of(node: Node) -> str:
    """Of a BinaryExpr: ``and``, ``>``, ``/`` and so on."""
    return str(node.op).strip()


def is_comparison(node: Node) -> bool:
    """Whether a node keeps those elements of a vector that compare so."""
    if not isinstance(node, pq.BinaryExpr) or operator_of(node) not in _COMPARISONS:
        return False
    return node.modifier is None or not node.modifier.return_bool


def number_of(node: Node) -> float | None:
    """The value of a number as written; None for any other node."""
    if isinstance(node, pq.UnaryExpr):
        value = number_of(bare(node.expr))
        return None if value is None else -value
    return float(node.val) if isinstance(node, pq.NumberLiteral) else None
