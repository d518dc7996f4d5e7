"""The values of all parts of a rule's expression at one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import promql_parser as pq

from inferometer.testing.promtool_output import Answers, Sample
from inferometer.testing.queries import (
    Node,
    children,
    nodes,
    number_of,
    parse,
    selector_of,
    shown,
    text_of,
)
from inferometer.testing.rule_files import Rule, RuleFiles

Ask = Callable[[Sequence[tuple[str, float]]], Answers]

_SHOWN = 3


class Subexpressions:
    """What each part of an expression gives at one moment. Const-safe.

    Args:
        rule: The rule.
        rules: Where the series come from that other rules record.
        moment: When.
        ask: Evaluates queries.
        labels: Only elements that can have these labels count.
    """

    def __init__(
        self, rule: Rule, rules: RuleFiles, moment: float, ask: Ask, labels: Mapping[str, str]
    ) -> None:
        self.moment = moment
        self.root = parse(rule.query)
        self._labels = labels
        self._recorded = rules.recorded
        wanted: dict[str, None] = {}
        for node in self._with_recorded(self.root, set()):
            wanted |= dict.fromkeys(_queries(node))
        answers = ask([(query, moment) for query in wanted])
        self._values = {query: answers.values.get((query, moment), ()) for query in wanted}

    def recorded(self, name: str | None) -> Node | None:
        """The expression whose results a rule records under a name; None: no rule does."""
        rule = self._recorded.get(name or "")
        return None if rule is None else parse(rule.query)

    def _with_recorded(self, node: Node, seen: set[str]) -> Iterator[Node]:
        for each, _ in nodes(node):
            yield each
            if isinstance(each, pq.VectorSelector):
                name = selector_of(each).name
                inner = self.recorded(name)
                if inner is not None and name is not None and name not in seen:
                    yield from self._with_recorded(inner, seen | {name})

    def all_of(self, node: Node) -> tuple[Sample, ...]:
        """What a node gives; of a range, how many samples each series has."""
        query = _query(node)
        return self._values.get(query, ()) if query is not None else ()

    def of(self, node: Node) -> tuple[Sample, ...]:
        """Those of them that can have the labels that are asked about."""
        return tuple(sample for sample in self.all_of(node) if self.possible(sample))

    def possible(self, sample: Sample) -> bool:
        """Whether an element does not contradict the labels that are asked about."""
        own = dict(sample.labels)
        return all(own.get(name, value) == value for name, value in self._labels.items())

    def of_metric(self, name: str) -> tuple[Sample, ...]:
        """All series of a metric, whatever their labels."""
        return self._values.get(_everything(name), ())

    def table(self) -> str:
        """Every part with its value, indented by depth; parts of a part are written as ``…``."""
        lines = [
            f"{'  ' * depth}{_outline(node)}  →  {self._summary(node)}"
            for node, depth in nodes(self.root)
            if not isinstance(node, pq.NumberLiteral | pq.StringLiteral | pq.VectorSelector)
            or (isinstance(node, pq.VectorSelector) and not self._is_in_range(node))
        ]
        return "\n".join(lines)

    def _is_in_range(self, selector: Node) -> bool:
        """Whether a selector is shown with its range already."""
        return any(
            isinstance(node, pq.MatrixSelector) and str(children(node)[0]) == str(selector)
            for node, _ in nodes(self.root)
        )

    def _summary(self, node: Node) -> str:
        if _query(node) is None:
            return "not evaluated"
        samples = self.of(node)
        if not samples:
            return "nothing"
        unit = " samples" if isinstance(node, pq.MatrixSelector) else ""
        if len(samples) <= _SHOWN:
            return ", ".join(f"{sample}{unit}" for sample in samples)
        values = [sample.value for sample in samples]
        low, high = min(values), max(values)
        between = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        return f"{between}{unit} in {len(samples)} series"


def _outline(node: Node) -> str:
    """A node with ``…`` for its parts, numbers and ranges of selectors excepted."""
    text = shown(node)
    if isinstance(node, pq.MatrixSelector):
        return text
    for child in children(node):
        if number_of(child) is None and not isinstance(child, pq.StringLiteral):
            text = text.replace(shown(child), "…", 1)
    return text


def _query(node: Node) -> str | None:
    if number_of(node) is not None or isinstance(node, pq.StringLiteral):
        return None
    text = text_of(node)
    if text is not None and isinstance(node, pq.MatrixSelector | pq.SubqueryExpr):
        return f"count_over_time({text})"
    return text


def _everything(name: str) -> str:
    return f'{{__name__="{name}"}}'


def _queries(node: Node) -> Iterator[str]:
    query = _query(node)
    if query is not None:
        yield query
    if isinstance(node, pq.VectorSelector):
        name = selector_of(node).name
        if name is not None:
            yield _everything(name)
