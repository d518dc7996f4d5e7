"""Where the checks leave what they find."""

from __future__ import annotations

from dataclasses import dataclass, field

from inferometer.monitoring.lint.checks import CHECKS
from inferometer.monitoring.lint.finding import Finding, Severity

MAX_FINDINGS = 1000


@dataclass
class Findings:
    """All findings of a run; the same one twice is one."""

    ignored: frozenset[str] = frozenset()
    found: dict[Finding, None] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Adds one unless its check is ignored."""
        if finding.check not in self.ignored and len(self.found) < MAX_FINDINGS:
            self.found.setdefault(finding)


@dataclass(frozen=True)
class Report:
    """Findings about one place.

    Attributes:
        findings: Where they go.
        path: The file.
        line: The line in it.
        where: Group and rule, or dashboard and panel.
        ignored: Checks that are switched off for this place.
    """

    findings: Findings
    path: str
    line: int = 1
    where: str = ""
    ignored: frozenset[str] = frozenset()

    def __call__(
        self, check: str, message: str, severity: Severity | None = None, line: int | None = None
    ) -> None:
        """Reports a finding; the severity is the check's unless given."""
        if check in self.ignored:
            return
        level = severity or CHECKS[check].severity
        one_line = " ".join(message.split())
        at = line or self.line
        self.findings.add(Finding(self.path, at, check, level, self.where, one_line))

    def at(self, line: int, where: str, ignored: frozenset[str] = frozenset()) -> Report:
        """For a place in the same file."""
        one_line = " ".join(where.split())
        return Report(self.findings, self.path, line, one_line, self.ignored | ignored)
