"""PromQL as a small typed tree, without parentheses, made from promql-parser's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Op = Literal["=", "!=", "=~", "!~"]
COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SET_OPERATORS = frozenset({"and", "or", "unless"})


@dataclass(frozen=True)
class Matcher:
    """One condition on a label."""

    label: str
    op: Op
    value: str

    def __str__(self) -> str:
        return f'{self.label}{self.op}"{self.value}"'


@dataclass(frozen=True)
class Node:
    """Any part of an expression; ``text`` is it in PromQL."""

    text: str = field(compare=False)

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts directly below."""
        return ()

    def walk(self) -> Iterator[Node]:
        """This part and all below it, parents first."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


@dataclass(frozen=True)
class Number(Node):
    """A number."""

    value: float


@dataclass(frozen=True)
class Text(Node):
    """A string."""

    value: str


@dataclass(frozen=True)
class Selector(Node):
    """Series by name and labels.

    Attributes:
        name: The metric, None if it is not fixed.
        matchers: Conditions on labels other than the name, all of them.
        alternatives: Whether the selector has conditions joined by ``or``, which are not read.
        range: Seconds of a range selector, None for an instant one.
        offset: Seconds of ``offset``, 0 without.
    """

    name: str | None
    matchers: tuple[Matcher, ...]
    alternatives: bool
    range: float | None
    offset: float


@dataclass(frozen=True)
class Subquery(Node):
    """An expression evaluated over a range."""

    inner: Node
    range: float
    step: float | None

    @property
    def children(self) -> tuple[Node, ...]:
        """The expression."""
        return (self.inner,)


@dataclass(frozen=True)
class Call(Node):
    """A function and its arguments."""

    function: str
    arguments: tuple[Node, ...]
    returns: Literal["vector", "scalar"]

    @property
    def children(self) -> tuple[Node, ...]:
        """The arguments."""
        return self.arguments


@dataclass(frozen=True)
class Aggregation(Node):
    """An aggregation over labels; without a clause ``by`` nothing."""

    op: str
    inner: Node
    parameter: Node | None
    without: bool
    labels: tuple[str, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        """The expression, and the parameter if there is one."""
        return (self.inner,) if self.parameter is None else (self.parameter, self.inner)


@dataclass(frozen=True)
class Negation(Node):
    """A minus sign."""

    inner: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The expression."""
        return (self.inner,)


@dataclass(frozen=True)
class Binary(Node):
    """Two expressions and an operator.

    Attributes:
        op: The operator.
        left: What stands on its left.
        right: What stands on its right.
        returns_bool: Whether a comparison gives 0 and 1 instead of leaving series out.
        on: Labels of ``on``, None without.
        ignoring: Labels of ``ignoring``, None without.
        group: Which side may have many series for one of the other, and the labels it takes over.
        fills: Whether missing series are filled in.
    """

    op: str
    left: Node
    right: Node
    returns_bool: bool = False
    on: tuple[str, ...] | None = None
    ignoring: tuple[str, ...] | None = None
    group: Literal["left", "right"] | None = None
    group_labels: tuple[str, ...] = ()
    fills: bool = False

    @property
    def children(self) -> tuple[Node, ...]:
        """Both sides."""
        return (self.left, self.right)
