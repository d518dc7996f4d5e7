"""What the tests of a session proved about which alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inferometer.testing.expectations import Fires

if TYPE_CHECKING:
    from inferometer.testing.alert_lab import AlertLab
    from inferometer.testing.mutation_run import MutationReport


@dataclass(frozen=True)
class Coverage:
    """Which alerts tests made fire.

    Attributes:
        alerts: All alerts of the rule files that labs have read: file and name.
        fired: Those that a test asserted to fire, and they did.
    """

    alerts: frozenset[tuple[Path, str]]
    fired: frozenset[tuple[Path, str]]

    @property
    def percent(self) -> float:
        """Of all alerts; 0 without any."""
        return 100 * len(self.fired) / len(self.alerts) if self.alerts else 0.0

    def text(self, required: float | None = None) -> str:
        """For people."""
        lines = [
            f"{len(self.fired)} of {len(self.alerts)} alerts were made to fire by a test that "
            f"asserts it ({self.percent:.0f} %)"
        ]
        missed = sorted(self.alerts - self.fired)
        lines += [f"  never: {name} ({path})" for path, name in missed]
        if required is not None and self.percent < required:
            lines.append(f"FAILED: got {self.percent:.1f} %, want {required:g} % or more")
        return "\n".join(lines)


class Ledger:
    """Collects what labs proved. Single-owner.

    Args:
        keep_labs: Keeps the labs, for mutation; they hold everything that was scraped.

    Attributes:
        labs: By test.
        mutation: What became of the mutants; None: they were not run.
    """

    def __init__(self, keep_labs: bool = False) -> None:
        self.labs: list[tuple[str, AlertLab]] = []
        self.mutation: MutationReport | None = None
        self._keep_labs = keep_labs
        self._alerts: set[tuple[Path, str]] = set()
        self._fired: set[tuple[Path, str]] = set()

    def add(self, test: str, lab: AlertLab) -> None:
        """A test is over."""
        for each in _family(lab):
            self._alerts |= {(rule.path, rule.name) for rule in each.rules.alerts}
            fired = {one.name for one in each.expectations if isinstance(one, Fires)}
            self._fired |= {
                (rule.path, rule.name) for rule in each.rules.alerts if rule.name in fired
            }
            if self._keep_labs and each.expectations:
                self.labs.append((test, each))

    def coverage(self) -> Coverage:
        """Which alerts were made to fire until now."""
        return Coverage(frozenset(self._alerts), frozenset(self._fired))


def _family(lab: AlertLab) -> Iterator[AlertLab]:
    yield lab
    for child in lab.children:
        yield from _family(child)
