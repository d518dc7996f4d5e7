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
        """Keys and values of a mapping, merged ones (``<<``) first; of anything else none."""
        if isinstance(self.node, yaml.MappingNode):
            yield from _pairs(self.node, 0)

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


def _pairs(node: yaml.MappingNode, depth: int) -> Iterator[tuple[str, Tree]]:
    entries = node.value[:MAX_ENTRIES]
    for key, value in entries:
        # One level of merging; deeper ones could be made to grow without bound.
        if key.tag == "tag:yaml.org,2002:merge" and depth == 0:
            merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for each in merged[:10]:
                if isinstance(each, yaml.MappingNode):
                    yield from _pairs(each, 1)
    for key, value in entries:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            yield str(key.value), Tree(value)


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
