"""Reading expositions as strictly as Prometheus: text 0.0.4, and what OpenMetrics adds to it."""

from __future__ import annotations

import re
from functools import lru_cache
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


class Sample(NamedTuple):
    """One sample of an exposition.

    Attributes:
        key: Its series.
        value: As promtool reads it.
        head: What stands before the value, if that is all there is.
    """

    key: SeriesKey
    value: str
    head: str | None


# No blank can belong to two parts, so that what is refused is refused at once.
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,[ \t]*)?')
_SAMPLE = re.compile(
    r"(?P<head>(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?![a-zA-Z0-9_:])[ \t]*"
    rf"(?:\{{[ \t]*(?P<labels>(?:{_LABEL.pattern})*)\}}[ \t]*)?)"
    r"(?P<value>[^{ \t\n]+)(?P<behind>[^\n]*)"
)
# A value ends a line, but for a timestamp; OpenMetrics has fractions there, and exemplars.
_BEHIND = re.compile(r"(?:[ \t]+[0-9]+)?[ \t]*")
_BEHIND_OPENMETRICS = re.compile(r"(?: -?[0-9][0-9.eE+-]*)?(?: # \{[^\n]*)?")
_META = re.compile(r"[ \t]*#[ \t]+(HELP|TYPE)[ \t]+(?:([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t](.*))?)?")
_TYPES = frozenset(["counter", "gauge", "histogram", "summary", "untyped"])
_TYPES_OPENMETRICS = _TYPES | {"unknown", "gaugehistogram", "stateset", "info"}
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|infinity)|nan", re.IGNORECASE
)
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
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


@lru_cache(maxsize=65536)
def number_text(value: str) -> str | None:
    """A value as promtool reads it; None if Prometheus would refuse it."""
    if not _NUMBER.fullmatch(value):
        return None
    number = float(value)
    if abs(number) == float("inf"):  # written so, or too large to be one
        return None if "i" not in value.lower() else "Inf" if number > 0 else "-Inf"
    if number != number:
        return "NaN"
    return value if _PLAIN.fullmatch(value) else repr(number)


def sample_at(text: str, at: int, openmetrics: bool = False) -> tuple[Sample, int]:
    """Reads one sample; a timestamp or an exemplar behind the value is left out.

    Args:
        text: An exposition.
        at: Where its line begins.
        openmetrics: Whether it is OpenMetrics.

    Returns:
        The sample, and where its line ends.

    Raises:
        LabError: Prometheus would refuse it.
    """
    found = _SAMPLE.match(text, at)
    if found is None:
        raise _refused(text, at, "want a sample: name{labels} value")
    name, value, behind = found.group("name", "value", "behind")
    number = number_text(value)
    if number is None:
        raise _refused(text, at, f"with the value {value!r}, want a number")
    if not (_BEHIND_OPENMETRICS if openmetrics else _BEHIND).fullmatch(behind):
        raise _refused(text, at, "want no more behind the value than a timestamp")
    labels: dict[str, str] = {}
    for label in _LABEL.finditer(found["labels"] or ""):
        if label[1] in labels:
            raise _refused(text, at, f"with the label {label[1]} twice, want it once")
        if not _is_utf8(label[2]):
            raise _refused(text, at, f"with a label {label[1]} that is not UTF-8, want UTF-8")
        labels[label[1]] = re.sub(r"\\.", lambda two: _ESCAPES.get(two[0], two[0]), label[2])
    key = SeriesKey(name, tuple(sorted(labels.items())))
    return Sample(key, number, None if behind else found["head"]), found.end()


def check_comment(line: str, openmetrics: bool = False) -> None:
    """Reads a line that begins with ``#``.

    Raises:
        LabError: Prometheus would refuse it.
    """
    found = _META.fullmatch(line)
    if found is None:
        # A comment like any other, unless it is HELP or TYPE of what is no name.
        if re.match(r"[ \t]*#[ \t]+(?:HELP|TYPE)[ \t]", line):
            raise _refused(line, 0, "want a metric's name and then its text")
        return
    what, name, rest = found.groups()
    if name is None:
        raise _refused(line, 0, f"want a metric's name behind {what}")
    if not _is_utf8(rest or ""):
        raise _refused(line, 0, "want UTF-8")
    types = _TYPES_OPENMETRICS if openmetrics else _TYPES
    if what == "TYPE" and rest not in types:
        raise _refused(line, 0, f"want a type among {', '.join(sorted(types))}")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that could not be decoded
        return False
    return True


def _refused(text: str, at: int, want: str) -> LabError:
    line = text[at:].split("\n", 1)[0]
    shown = line if len(line) <= 120 else line[:119] + "…"
    return LabError(f"exposition: got the line {shown!r}, {want}")
