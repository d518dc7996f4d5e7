"""Works out what is known about an expression's result, and reports what is wrong on the way."""

from __future__ import annotations

from dataclasses import replace

from inferometer.monitoring.lint import aggregations, calls, operators, selectors
from inferometer.monitoring.lint.expression import (
    Aggregation,
    Binary,
    Call,
    Negation,
    Node,
    Number,
    Selector,
    Subquery,
)
from inferometer.monitoring.lint.interval import exactly, negate
from inferometer.monitoring.lint.knowledge import Knowledge
from inferometer.monitoring.lint.report import Report
from inferometer.monitoring.lint.value import Value, number


class Evaluation:
    """One expression's evaluation without data. Single-owner.

    Args:
        knowledge: Which series there are.
        report: Takes the findings.
        on_dashboard: Whether the expression is shown to people instead of acted on.

    Attributes:
        enclosing: Functions and aggregations around the part that is evaluated, outermost first.
    """

    def __init__(self, knowledge: Knowledge, report: Report, on_dashboard: bool = False) -> None:
        self.knowledge = knowledge
        self.report = report
        self.on_dashboard = on_dashboard
        self.enclosing: list[str] = []

    def value(self, node: Node) -> Value:
        """What is known about a part's result."""
        if isinstance(node, Number):
            return number(exactly(node.value))
        if isinstance(node, Selector):
            return selectors.evaluate(self, node)
        if isinstance(node, Negation):
            inner = self.value(node.inner)
            return replace(
                inner, interval=negate(inner.interval), edges=(), plausible=None, truth=None
            )
        if isinstance(node, Call):
            return calls.evaluate(self, node)
        if isinstance(node, Aggregation):
            return aggregations.evaluate(self, node)
        if isinstance(node, Binary):
            return operators.evaluate(self, node)
        if isinstance(node, Subquery):
            return replace(self.value(node.inner), truth=None)
        return number(exactly(float("nan")))

    def inside(self, name: str, node: Node) -> Value:
        """The value of a part within a function or aggregation."""
        self.enclosing.append(name)
        try:
            return self.value(node)
        finally:
            self.enclosing.pop()
