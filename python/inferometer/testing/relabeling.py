"""Prometheus' metric_relabel_configs: which series are kept, and what they are called."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inferometer.testing.errors import LabError
from inferometer.testing.exposition_text import SeriesKey

Config = Mapping[str, Any]
Step = Callable[[dict[str, str]], "dict[str, str] | None"]

_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))")


class Relabeling:
    """The steps of one scrape configuration, in order. Const-safe.

    Regular expressions are Python's, fully anchored as in Prometheus; what RE2 writes differently
    (Unicode classes, for one) is not understood.

    Args:
        configs: The list in ``metric_relabel_configs``.

    Raises:
        LabError: An action that does not exist, or a wrong regular expression.
    """

    def __init__(self, configs: Sequence[Config]) -> None:
        self._steps = [_step(config) for config in configs]

    def __call__(self, series: SeriesKey) -> SeriesKey | None:
        """What a series is stored as; None: it is dropped."""
        labels: dict[str, str] | None = {"__name__": series.name, **dict(series.labels)}
        for step in self._steps:
            labels = step(labels or {})
            if labels is None:
                return None
            labels = {name: value for name, value in labels.items() if value}
        name = (labels or {}).pop("__name__", "")
        return SeriesKey(name, tuple(sorted((labels or {}).items()))) if name else None


def _step(config: Config) -> Step:
    action = str(config.get("action", "replace")).lower()
    sources = [str(name) for name in config.get("source_labels", [])]
    separator = str(config.get("separator", ";"))
    target = str(config.get("target_label", ""))
    replacement = str(config.get("replacement", "$1"))
    try:
        pattern = re.compile(str(config.get("regex", "(.*)")), re.DOTALL)
    except re.error as error:
        raise LabError(
            f"metric_relabel_configs: got regex {config.get('regex')!r} ({error}), want one that "
            "Python reads"
        ) from None

    def joined(labels: dict[str, str]) -> str:
        return separator.join(labels.get(name, "") for name in sources)

    def replace(labels: dict[str, str]) -> dict[str, str]:
        found = pattern.fullmatch(joined(labels))
        if found is None:
            return labels
        return labels | {_expand(target, found): _expand(replacement, found)}

    def labelmap(labels: dict[str, str]) -> dict[str, str]:
        mapped = dict(labels)
        for name, value in labels.items():
            if (found := pattern.fullmatch(name)) is not None:
                mapped[_expand(replacement, found)] = value
        return mapped

    def hashmod(labels: dict[str, str]) -> dict[str, str]:
        digest = hashlib.md5(joined(labels).encode(), usedforsecurity=False).digest()
        return labels | {target: str(int.from_bytes(digest[8:], "big") % int(config["modulus"]))}

    def named(keep: bool) -> Step:
        return lambda labels: {
            name: value
            for name, value in labels.items()
            if (pattern.fullmatch(name) is not None) == keep
        }

    actions: dict[str, Step] = {
        "replace": replace,
        "keep": lambda labels: labels if pattern.fullmatch(joined(labels)) else None,
        "drop": lambda labels: None if pattern.fullmatch(joined(labels)) else labels,
        "keepequal": lambda labels: labels if joined(labels) == labels.get(target, "") else None,
        "dropequal": lambda labels: None if joined(labels) == labels.get(target, "") else labels,
        "lowercase": lambda labels: labels | {target: joined(labels).lower()},
        "uppercase": lambda labels: labels | {target: joined(labels).upper()},
        "labelmap": labelmap,
        "labeldrop": named(keep=False),
        "labelkeep": named(keep=True),
        "hashmod": hashmod,
    }
    if action not in actions:
        raise LabError(
            f"metric_relabel_configs: got action {action!r}, want one of {', '.join(actions)}"
        )
    return actions[action]


def _expand(template: str, found: re.Match[str]) -> str:
    """Go's: ``$1``, ``${1}``, ``${name}``; what names no group is empty."""

    def group(reference: re.Match[str]) -> str:
        if reference[3]:
            return "$"
        name = reference[1] or reference[2]
        try:
            return found[int(name) if name.isdigit() else name] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(group, template)
