"""Running the mutants of rules against what tests have asserted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from inferometer.testing.errors import LabError
from inferometer.testing.mutation import Mutant, mutants_of
from inferometer.testing.rule_files import Rule, RuleFiles

if TYPE_CHECKING:
    from inferometer.testing.alert_lab import AlertLab

Survivors = Mapping[tuple[str, str], str]
"""Why a mutant, by rule and title, need not be noticed."""


@dataclass(frozen=True)
class MutationReport:
    """What became of the mutants.

    Attributes:
        killed: Mutants that a test noticed, with the test.
        accepted: Mutants that none noticed, with the reason in the list.
        survived: Mutants that none noticed and that are not in the list.
        stale: Entries of the list for what is noticed, or does not exist.
    """

    killed: Sequence[tuple[Mutant, str]]
    accepted: Sequence[tuple[Mutant, str]]
    survived: Sequence[Mutant]
    stale: Sequence[tuple[str, str]]

    @property
    def passed(self) -> bool:
        """Whether every mutant was noticed or is listed, and the list is right."""
        return not self.survived and not self.stale

    def text(self) -> str:
        """For people."""
        count = len(self.killed) + len(self.accepted) + len(self.survived)
        lines = [
            f"{count} mutants: {len(self.killed)} killed, {len(self.accepted)} listed with a "
            f"reason, {len(self.survived)} survived"
        ]
        kinds = sorted({mutant.kind for mutant, _ in self.killed})
        lines += [
            f"  {kind}: {sum(mutant.kind == kind for mutant, _ in self.killed)} killed"
            for kind in kinds
        ]
        lines += [f"  survived: {one.rule.name}: {one.title}" for one in self.survived]
        lines += [f"  listed, but killed or gone: {rule}: {title}" for rule, title in self.stale]
        return "\n".join(lines)


def read_survivors(path: Path) -> Survivors:
    """Reads a list of ``{rule:, mutant:, reason:}``.

    Raises:
        LabError: A file that cannot be read, or an entry without one of them.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LabError(f"alerts_survivors: got {path} ({error}), want a list in YAML") from None
    listed = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        if not isinstance(entry, dict) or not all(entry.get(key) for key in _KEYS):
            raise LabError(f"alerts_survivors: got {entry!r}, want rule, mutant and reason")
        listed[str(entry["rule"]), str(entry["mutant"])] = str(entry["reason"])
    return listed


_KEYS = ("rule", "mutant", "reason")


def run(labs: Sequence[tuple[str, AlertLab]], listed: Survivors) -> MutationReport:
    """Asks of every mutant whether a test would have failed.

    Args:
        labs: Labs with what was asserted of them, by test.
        listed: Mutants that need not be noticed.
    """
    # Those that are quick to ask come first.
    labs = sorted(labs, key=lambda pair: pair[1].now)
    mutants: dict[tuple[Path, tuple[int, int, int]], list[Mutant]] = {}
    for _, lab in labs:
        lab.engine.timeline([])  # made here: threads share it
        for rule in _read_by_alerts(lab.rules):
            if (rule.path, rule.place) not in mutants:
                mutants[rule.path, rule.place] = mutants_of(rule)
    flat = [mutant for ones in mutants.values() for mutant in ones]
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        killers = list(threads.map(lambda mutant: _killer(mutant, labs), flat))
    killed, accepted, survived = [], [], []
    for mutant, test in zip(flat, killers, strict=True):
        reason = listed.get((mutant.rule.name, mutant.title))
        if test is not None:
            killed.append((mutant, test))
        elif reason is not None:
            accepted.append((mutant, reason))
        else:
            survived.append(mutant)
    known = {(mutant.rule.name, mutant.title) for mutant, _ in accepted}
    return MutationReport(killed, accepted, survived, [key for key in listed if key not in known])


def _killer(mutant: Mutant, labs: Sequence[tuple[str, AlertLab]]) -> str | None:
    """The test that fails with a mutant; None: they all pass."""
    for test, lab in labs:
        own = [rule for rule in lab.rules.rules if rule.path == mutant.rule.path]
        if mutant.rule.place not in {rule.place for rule in own}:
            continue
        concerned = _dependents(mutant.rule, lab.rules)
        expectations = [
            narrowed
            for expectation in lab.expectations
            if (narrowed := expectation.narrowed(concerned)) is not None
        ]
        if not expectations:
            continue
        engine = lab.engine.with_rules(lab.rules.with_query(mutant.rule, mutant.query))
        try:
            timeline = engine.timeline(concerned)
        except LabError:
            return test  # it cannot even be evaluated
        if any(expectation.failure(timeline) is not None for expectation in expectations):
            return test
    return None


def _read_by_alerts(rules: RuleFiles) -> Iterable[Rule]:
    return rules.needed().rules


def _dependents(rule: Rule, rules: RuleFiles) -> frozenset[str]:
    """The alerts that change when a rule does."""
    if rule.alerting:
        return frozenset([rule.name])
    return frozenset(
        alert.name
        for alert in rules.alerts
        if rule.name in {one.name for one in rules.needed_by([alert]).rules}
    )
