"""YAML with line numbers: nodes are wrapped as they are, and nothing is constructed from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from inferometer.monitoring.lint.source_text import SourceError

MAX_ENTRIES = 20_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRING = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Tree:
    """One node: a mapping, a list, or a scalar."""

    node: Any

    @property
    def line(self) -> int:
        """Where it begins, from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def last_line(self) -> int:
        """Where it ends, from 1."""
        return int(self.node.end_mark.line) + 1

    @property
    def kind(self) -> str:
        """``mapping``, ``list``, ``text``, ``null``, or of another scalar its type."""
        if isinstance(self.node, yaml.MappingNode):
            return "mapping"
        if isinstance(self.node, yaml.SequenceNode):
            return "list"
        tag = str(self.node.tag)
        return {_STRING: "text", _NULL: "null"}.get(tag, tag.rpartition(":")[2])

    @property
    def text(self) -> str | None:
        """A scalar as written, the null as empty; None if it is not a scalar."""
        if self.kind in ("mapping", "list"):
            return None
        return "" if self.kind == "null" else str(self.node.value)

    def items(self) -> Iterator[Tree]:
        """The entries of a list; of anything else none."""
        if isinstance(self.node, yaml.SequenceNode):
            for node in self.node.value[:MAX_ENTRIES]:
                yield Tree(node)

    def pairs(self) -> Iterator[tuple[str, Tree]]:
        """Keys and values of a mapping; of anything else none.

        Merged ones (``<<``) come first, without those that the mapping, or a mapping merged
        earlier, has itself. Only keys that are written twice in one mapping are there twice.
        """
        if isinstance(self.node, yaml.MappingNode):
            own = list(_own(self.node))
            written = {key for key, _ in own}
            merged: dict[str, Tree] = {}
            for key, value in _merged(self.node):
                if key not in written:
                    merged.setdefault(key, value)
            yield from merged.items()
            yield from own

    def get(self, key: str) -> Tree | None:
        """The value of a key; the last one counts."""
        found = None
        for name, value in self.pairs():
            found = value if name == key else found
        return found

    def line_in_text(self, text: str, offset: int) -> int:
        """The line of a character of a scalar's text."""
        if self.node.style in ("|", ">"):
            return self.line + 1 + text.count("\n", 0, offset)
        return self.line


def _own(node: yaml.MappingNode) -> Iterator[tuple[str, Tree]]:
    for key, value in node.value[:MAX_ENTRIES]:
        if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
            yield str(key.value), Tree(value)


def _merged(node: yaml.MappingNode) -> Iterator[tuple[str, Tree]]:
    """What a mapping takes over, in the order in which the first of one key counts."""
    # A mapping that is reached again has nothing new, so that this grows with the file alone.
    seen = {id(node)}
    waiting = _merges(node)
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen or len(seen) > MAX_ENTRIES:
            continue
        seen.add(id(each))
        found = dict(_own(each))
        yield from found.items()
        waiting = _merges(each) + waiting


def _merges(node: yaml.MappingNode) -> list[yaml.MappingNode]:
    merged: list[yaml.MappingNode] = []
    for key, value in node.value[:MAX_ENTRIES]:
        if key.tag == _MERGE:
            each = value.value if isinstance(value, yaml.SequenceNode) else [value]
            merged += [one for one in each[:MAX_ENTRIES] if isinstance(one, yaml.MappingNode)]
    return merged


def read_yaml(text: str) -> Tree | None:
    """The only document of a text; None if it is empty.

    Raises:
        SourceError: If it is not YAML, or more than one document.
    """
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(error.problem or error.context).split())
        raise SourceError(f"not YAML: {problem}", 1 if mark is None else mark.line + 1) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SourceError(f"not YAML: {' '.join(str(error).split())}") from None
    return None if node is None else Tree(node)
