"""Reading expositions: text 0.0.4, and what OpenMetrics writes the same way."""

from __future__ import annotations

import re
from typing import NamedTuple

from inferometer.testing.errors import LabError

Labels = tuple[tuple[str, str], ...]
"""Names and values, sorted by name, without the metric's name."""


class SeriesKey(NamedTuple):
    """Which series: the metric's name and its labels."""

    name: str
    labels: Labels

    def __str__(self) -> str:
        """As in a query."""
        return self.name + labels_text(self.labels)


_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def labels_text(labels: Labels) -> str:
    """Labels as in a query; empty text for none."""
    if not labels:
        return ""
    quoted = (
        name + '="' + value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") + '"'
        for name, value in labels
    )
    return "{" + ", ".join(quoted) + "}"


def sample_of(line: str) -> tuple[SeriesKey, str]:
    """Reads one line of a sample; a timestamp or an exemplar behind the value is left out.

    Raises:
        LabError: If it is none.
    """
    matched = _NAME.match(line)
    if matched is None:
        raise _no_sample(line)
    name, at = matched[0], matched.end()
    labels: list[tuple[str, str]] = []
    if line[at : at + 1] == "{":
        at += 1
        while (label := _LABEL.match(line, at)) is not None:
            value = re.sub(r"\\.", lambda two: _ESCAPES.get(two[0], two[0]), label[2])
            labels.append((label[1], value))
            at = label.end()
        if line[at : at + 1] != "}":
            raise _no_sample(line)
        at += 1
    rest = line[at:].split()
    if not rest:
        raise _no_sample(line)
    return SeriesKey(name, tuple(sorted(labels))), rest[0]


def _no_sample(line: str) -> LabError:
    return LabError(f"exposition: got the line {line!r}, want a sample: name{{labels}} value")
