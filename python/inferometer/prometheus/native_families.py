"""What a native registry shows, as metric families: read off its own text exposition.

The text is ours (``Registry.render()``), so the grammar is as small as our writer's.
"""

from __future__ import annotations

import re

from inferometer._core import Registry
from inferometer.prometheus.metric import Metric
from inferometer.prometheus.samples import Sample

_LABEL = re.compile(r'([^=,{]+)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
_TYPE_LINE = re.compile(rb"^# TYPE (\S+) (\S+)$", re.MULTILINE)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)


def _sample(line: str) -> Sample:
    head, brace, rest = line.partition("{")
    if brace:
        inside, _, numbers = rest.rpartition("} ")
        labels = {name: _unescaped(value) for name, value in _LABEL.findall(inside)}
    else:
        head, _, numbers = line.partition(" ")
        labels = {}
    value, _, milliseconds = numbers.partition(" ")
    return Sample(head, labels, float(value), int(milliseconds) / 1000 if milliseconds else None)


def _family(name: str, documentation: str, kind: str) -> Metric:
    if kind == "counter":
        if name.endswith("_total"):
            return Metric(name.removesuffix("_total"), documentation, kind)
        # Triton's counters: every other counter's samples end in _total.
        return Metric(name, documentation, "unknown")
    return Metric(name, documentation, kind)


def families_of(registry: Registry, own_only: bool = False) -> list[Metric]:
    """The families of a native registry with their samples of now.

    Counters that do not end in ``_total`` (``nv_*``) are of unknown type, as OpenMetrics wants it.
    `own_only`: without the metrics of ``inferometer.prometheus`` that it shows too.
    """
    families: list[Metric] = []
    documentation = ""
    for line in registry.render(own_only=own_only)[0].decode("utf-8").split("\n"):
        if line.startswith("# HELP "):
            documentation = _unescaped(line.split(" ", 3)[3])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            families.append(_family(name, documentation, kind))
        elif line:
            families[-1].samples.append(_sample(line))
    return families


def families_in(text: bytes) -> list[Metric]:
    """The families in a text exposition, without documentation and samples."""
    return [_family(name.decode(), "", kind.decode()) for name, kind in _TYPE_LINE.findall(text)]
