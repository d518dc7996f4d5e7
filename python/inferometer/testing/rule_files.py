"""Alerting and recording rules as Prometheus reads them from its files."""

from __future__ import annotations

import copy
import difflib
import glob
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from inferometer.testing.durations import seconds_of
from inferometer.testing.errors import LabError
from inferometer.testing.queries import selectors_of

_DEFAULT_INTERVAL = 60.0  # Prometheus' own evaluation_interval


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: Of the alert, or of the metric that is recorded.
        alerting: Whether it is an alert.
        query: Its expression as written.
        hold: ``for``, in seconds.
        labels: What it adds, templates unexpanded.
        annotations: Templates.
        group: Its group's name.
        interval: Seconds between evaluations in its group; None: as the server is set.
        path: Its file.
        place: Its file, group and rule, counted from 0: where it is in ``RuleFiles.documents``.
    """

    name: str
    alerting: bool
    query: str
    hold: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    group: str
    interval: float | None
    path: Path
    place: tuple[int, int, int]


@dataclass(frozen=True)
class RuleFiles:
    """The rules of several files. A plain value.

    Attributes:
        documents: What the files hold, ``{"groups": […]}`` each.
        rules: All rules, in the order of the files.
    """

    documents: Sequence[Mapping[str, Any]]
    rules: Sequence[Rule]
    recorded: Mapping[str, Rule] = field(init=False)

    def __post_init__(self) -> None:
        """Finds the recording rules by name."""
        recorded = {rule.name: rule for rule in self.rules if not rule.alerting}
        object.__setattr__(self, "recorded", recorded)

    @property
    def alerts(self) -> list[Rule]:
        """The alerting rules."""
        return [rule for rule in self.rules if rule.alerting]

    def alert(self, name: str) -> Rule:
        """The alerting rule of that name; of several the first.

        Raises:
            LabError: If there is none. promtool would call it a success that it does not fire.
        """
        for rule in self.rules:
            if rule.alerting and rule.name == name:
                return rule
        names = sorted({rule.name for rule in self.alerts})
        near = difflib.get_close_matches(str(name), names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise LabError(
            f"alert: got {name!r}, want one of the {len(names)} in the rule files: "
            f"{', '.join(names)}{hint}"
        )

    def evaluation_interval(self, otherwise: float | None = None) -> float:
        """Seconds between evaluations of the alerts: the shortest of their groups'."""
        server = otherwise or _DEFAULT_INTERVAL
        return min((rule.interval or server for rule in self.alerts), default=server)

    def group_order(self) -> list[str]:
        """Groups with recording rules first: what alerts read is there when they are evaluated."""
        names = dict.fromkeys(rule.group for rule in self.rules)
        recording = {rule.group for rule in self.rules if not rule.alerting}
        return sorted(names, key=lambda name: name not in recording)

    def always_firing(self) -> list[str]:
        """The alerts that read nothing: signs of life."""
        return [rule.name for rule in self.alerts if not selectors_of(rule.query)]

    def read_alerts(self) -> bool:
        """Whether a rule reads the states of alerts."""
        return any(
            selector.name in (None, "ALERTS", "ALERTS_FOR_STATE")
            for rule in self.rules
            for selector in selectors_of(rule.query)
        )

    def needed(self, queries: Iterable[str] = ()) -> RuleFiles:
        """All alerts, and of the recording rules those that alerts and queries read."""
        return self.needed_by(self.alerts, queries)

    def needed_by(self, alerts: Sequence[Rule], queries: Iterable[str] = ()) -> RuleFiles:
        """Some alerts, and of the recording rules those that they and queries read."""
        reading = [*(rule.query for rule in alerts), *queries]
        names = {rule.name for rule in alerts}
        records: set[str] = set()
        while reading:
            for selector in selectors_of(reading.pop()):
                if selector.name is None:
                    return self
                if selector.name in self.recorded and selector.name not in records:
                    records.add(selector.name)
                    reading += [rule.query for rule in self.rules if rule.name == selector.name]
        return self.only(lambda rule: rule.name in (names if rule.alerting else records))

    def with_query(self, changed: Rule, query: str) -> RuleFiles:
        """With another expression for one rule.

        Args:
            changed: The rule, as these files have it.
            query: What it becomes.
        """
        document, group, index = changed.place
        documents = copy.deepcopy(list(self.documents))
        documents[document]["groups"][group]["rules"][index]["expr"] = query
        rules = [
            replace(rule, query=query) if rule.place == changed.place else rule
            for rule in self.rules
        ]
        return RuleFiles(documents, rules)

    def only(self, wanted: Callable[[Rule], bool]) -> RuleFiles:
        """Some of the rules, in the same groups."""
        kept = [rule for rule in self.rules if wanted(rule)]
        places = {rule.place for rule in kept}
        documents = []
        for at, document in enumerate(self.documents):
            groups = []
            for index, group in enumerate(document["groups"]):
                rules = [
                    rule
                    for place, rule in enumerate(group.get("rules") or [])
                    if (at, index, place) in places
                ]
                if rules:
                    groups.append({**group, "rules": rules})
            if groups:
                documents.append({"groups": groups})
        # Places count what was read, so they stay; nobody looks in these documents for them.
        return RuleFiles(documents, kept)

    def metrics(self, queries: Iterable[str] = ()) -> set[str] | None:
        """The metrics that the rules and other queries read; None: any could be."""
        names: set[str] = set()
        for query in (*(rule.query for rule in self.rules), *queries):
            for selector in selectors_of(query):
                if selector.name is None:
                    return None
                names.add(selector.name)
        return names


def find(patterns: Iterable[str | Path], folder: Path) -> list[Path]:
    """The files of some patterns, in order, none twice.

    Raises:
        LabError: A pattern that no file has.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        paths = sorted(glob.glob(str(folder / pattern), recursive=True))
        if not paths:
            raise LabError(f"rules: got {str(pattern)!r}, want a file in {folder}")
        found |= dict.fromkeys(map(Path, paths))
    return list(found)


def load(paths: Sequence[Path]) -> RuleFiles:
    """Reads rule files; a Kubernetes PrometheusRule is one too.

    Raises:
        LabError: A file that is not there, is no YAML, has no groups or a rule without expression.
    """
    documents: list[Mapping[str, Any]] = []
    rules: list[Rule] = []
    for path in paths:
        document = _document(path)
        for group_index, group in enumerate(document["groups"]):
            for index, content in enumerate(group.get("rules") or []):
                place = (len(documents), group_index, index)
                rules.append(_rule(content, group, path, place))
        documents.append(document)
    return RuleFiles(documents, rules)


def _document(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise LabError(f"rules: got {path} ({error}), want a file of rules") from None
    if isinstance(content, dict) and content.get("kind") == "PrometheusRule":
        content = content.get("spec")
    groups = content.get("groups") if isinstance(content, dict) else None
    if not isinstance(groups, list):
        raise LabError(f"rules: got {path} without groups, want a file of rules")
    return {"groups": groups}


def _rule(
    content: Mapping[str, Any], group: Mapping[str, Any], path: Path, place: tuple[int, int, int]
) -> Rule:
    name = content.get("alert") or content.get("record")
    query = str(content.get("expr", ""))
    try:
        promql_parser.parse(query)
    except ValueError as error:
        raise LabError(f"{path}: {name}: got expr {query!r} ({error}), want a query") from None
    return Rule(
        name=str(name),
        alerting="alert" in content,
        query=query,
        hold=seconds_of("for", content.get("for", "0s")),
        labels=content.get("labels") or {},
        annotations=content.get("annotations") or {},
        group=str(group.get("name")),
        interval=seconds_of("interval", group["interval"]) if "interval" in group else None,
        path=path,
        place=place,
    )
