"""Reading what ``promtool test rules`` prints: the only place that knows what that looks like."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from inferometer.testing.durations import seconds_of
from inferometer.testing.errors import LabError
from inferometer.testing.exposition_text import Labels, labels_text


@dataclass(frozen=True)
class FiringAlert:
    """An alert that fired at one moment.

    Attributes:
        name: The alert's.
        at: The moment, in seconds.
        labels: Its labels, without ``alertname``.
        annotations: Its annotations, with the templates expanded.
    """

    name: str
    at: float
    labels: Labels
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class Sample:
    """One element of a query's result.

    Attributes:
        labels: With ``__name__``, if it has a name.
        value: Its value.
    """

    labels: Labels
    value: float

    def __str__(self) -> str:
        """As promtool prints it."""
        names = dict(self.labels)
        name = names.pop("__name__", "")
        return f"{name}{labels_text(tuple(names.items()))} {self.value:g}".strip()


@dataclass
class Answers:
    """What promtool said.

    Attributes:
        firing: Every alert that fired, at every moment at which it did.
        values: Results that are not empty, by query and moment.
        errors: Why a query could not be evaluated, by query and moment.
    """

    firing: list[FiringAlert] = field(default_factory=list)
    values: dict[tuple[str, float], tuple[Sample, ...]] = field(default_factory=dict)
    errors: dict[tuple[str, float], str] = field(default_factory=dict)


_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ALERT = re.compile(r"    alertname: (.*), time: (\S+), ")
_QUERY = re.compile(rf"    expr: ({_QUOTED}), time: ([^\s,]+),(?: err: (.*))?")
_LABELS = re.compile(r"              Labels:(\{.*\})")
_ANNOTATIONS = re.compile(r"              Annotations:(\{.*\}),?")
_PAIR = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)=({_QUOTED})")
_SAMPLE = re.compile(rf"(\{{(?:[^\"{{}}]|{_QUOTED})*\}}) (\S+?)(?:, (?=\{{)|$)")
# What stands around the answers.
_FRAME = re.compile(r" *(FAILED:|exp: nil|exp:\[\], |got:\[|\]|\d+:|)\s*")


def parse(text: str) -> Answers:
    """Reads the output for a test file that expects nothing of anything.

    What does not look as expected is an error: nothing is left out silently.

    Raises:
        LabError: If promtool could not evaluate, for example because of a rule's error.
    """
    answers = Answers()
    heading: tuple[str, float] | None = None
    labels: Labels | None = None
    for line in text.splitlines():
        if line.startswith("Unit Testing:") or line == "  SUCCESS":
            continue
        if (found := _ALERT.fullmatch(line)) is not None:
            heading = (found[1], seconds_of("time", found[2]))
        elif (found := _QUERY.fullmatch(line)) is not None:
            heading = (_unquoted(found[1]), seconds_of("time", found[2]))
            if found[3] is not None:
                answers.errors[heading] = found[3]
        elif heading is not None and (found := _LABELS.fullmatch(line)) is not None:
            labels = _pairs(found[1], without=("alertname",))
        elif labels is not None and (found := _ANNOTATIONS.fullmatch(line)) is not None:
            assert heading is not None
            annotations = dict(_pairs(found[1]))
            answers.firing.append(FiringAlert(*heading, labels, annotations))
            labels = None
        elif heading is not None and line.startswith("        got: "):
            answers.values[heading] = _samples(line.removeprefix("        got: "), text)
        elif _FRAME.fullmatch(line) is None:
            raise LabError(f"promtool: got {line.strip()!r}, want answers; it said:\n{text[:2000]}")
    return answers


def _samples(text: str, whole: str) -> tuple[Sample, ...]:
    if text == "nil":
        return ()
    samples = []
    at = 0
    while at < len(text):
        found = _SAMPLE.match(text, at)
        if found is None:
            raise LabError(f"promtool: got {text[at:]!r}, want samples; it said:\n{whole[:2000]}")
        samples.append(Sample(_pairs(found[1]), float(found[2])))
        at = found.end()
    return tuple(samples)


def _pairs(text: str, without: tuple[str, ...] = ()) -> Labels:
    pairs = [(name, _unquoted(value)) for name, value in _PAIR.findall(text)]
    return tuple(sorted((name, value) for name, value in pairs if name not in without))


def _unquoted(text: str) -> str:
    """Go's quotation of a text; its escapes are among Python's."""
    value: str = ast.literal_eval(text)
    return value
