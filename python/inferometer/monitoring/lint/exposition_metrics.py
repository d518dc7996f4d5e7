"""Which metrics an exposition has: what ``--metrics`` reads."""

from __future__ import annotations

import http.client
import math
import re
import urllib.request
from pathlib import Path

from inferometer.monitoring.catalogue import unit_by_suffix
from inferometer.monitoring.lint.interval import ANY, NOT_NEGATIVE, UNIT, Interval
from inferometer.monitoring.lint.samples import Kind, SampleInfo
from inferometer.monitoring.lint.source_text import MAX_BYTES, SourceError, read_source
from inferometer.monitoring.lint.units import named

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_TYPE = re.compile(r"#\s*TYPE\s+(\S+)\s+(\w+)\s*")
_PARTS: dict[str, Kind] = {"_bucket": "bucket", "_sum": "sum", "_count": "count"}
_TIMEOUT_SECONDS = 10.0


def read_exposition(source: str) -> dict[str, SampleInfo]:
    """The samples of an exposition by name.

    Args:
        source: A file, or the http or https URL of a ``/metrics``.

    Raises:
        SourceError: If it cannot be read, or is not an exposition.
    """
    if source.startswith(("http://", "https://")):
        return parse_exposition(_fetch(source))
    return parse_exposition(read_source(Path(source)))


def _fetch(url: str) -> str:
    try:
        request = urllib.request.Request(url, headers={"Accept": "text/plain; version=0.0.4"})
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            body: bytes = answer.read(MAX_BYTES + 1)
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise SourceError(f"cannot be read: {error}") from None
    if len(body) > MAX_BYTES:
        raise SourceError(f"got more than {MAX_BYTES} bytes, want a smaller exposition")
    return body.decode("utf-8", "replace")


def parse_exposition(text: str) -> dict[str, SampleInfo]:
    """The samples of an exposition's text by name; those of types without series too.

    Raises:
        SourceError: At the first line that is no sample.
    """
    types: dict[str, str] = {}
    labels: dict[str, set[str]] = {}
    edges: dict[str, dict[float, str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        kind = _TYPE.fullmatch(line)
        if kind is not None:
            types[kind[1]] = kind[2]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, pairs = _sample(line, number)
        labels.setdefault(name, set()).update(pairs)
        try:
            edge = float(pairs.get("le", "inf"))
        except ValueError:
            raise SourceError(f"got le={pairs['le']!r}, want a number", number) from None
        if math.isfinite(edge):
            edges.setdefault(name.removesuffix("_bucket"), {})[edge] = pairs["le"]
    return {name: _info(name, frozenset(known), types, edges) for name, known in labels.items()} | {
        name: _info(name, None, types, edges)
        for name, kind in types.items()
        if name not in labels and kind in ("counter", "gauge", "untyped", "unknown")
    }


def _sample(line: str, number: int) -> tuple[str, dict[str, str]]:
    found = _NAME.match(line)
    if found is None:
        raise SourceError(f"got {line[:60]!r}, want a sample: name{{labels}} value", number)
    at = found.end()
    labels: dict[str, str] = {}
    if line[at : at + 1] == "{":
        at += 1
        while (label := _LABEL.match(line, at)) is not None:
            labels[label[1]] = label[2]
            at = label.end()
        if line[at : at + 1] != "}":
            raise SourceError(f"got {line[:60]!r}, want name{{labels}} value", number)
        at += 1
    if not line[at:].split():
        raise SourceError(f"got {line[:60]!r}, want a value behind the name", number)
    return found[0], labels


def _info(
    name: str,
    labels: frozenset[str] | None,
    types: dict[str, str],
    edges: dict[str, dict[float, str]],
) -> SampleInfo:
    metric, kind = name, types.get(name)
    part: Kind = "unknown"
    for suffix, what in _PARTS.items():
        stem = name.removesuffix(suffix)
        if stem != name and types.get(stem) in ("histogram", "summary"):
            metric, kind, part = stem, types[stem], what
    stem = name.removesuffix("_total")
    if kind is None and types.get(stem) == "counter":  # OpenMetrics names the family without it
        kind = "counter"
    unit = named(unit_by_suffix(metric) or "")
    if part != "unknown":
        own = edges.get(metric, {})
        values = {"le": (*own.values(), "+Inf")} if own else {}
        buckets = tuple(sorted(own))
        return SampleInfo(name, metric, part, NOT_NEGATIVE, unit, labels, buckets, values)
    if kind == "summary":
        return SampleInfo(name, metric, "quantile", ANY, unit, labels)
    if kind == "histogram":
        return SampleInfo(name, metric, "histogram", ANY, unit, labels)
    value_range: Interval = ANY
    if unit_by_suffix(metric) == "ratio":
        value_range = UNIT
    elif kind == "counter":
        value_range = NOT_NEGATIVE
    known: Kind = "counter" if kind == "counter" else "gauge" if kind == "gauge" else "unknown"
    return SampleInfo(name, metric, known, value_range, unit, labels)
