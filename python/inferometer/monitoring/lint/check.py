"""What is said about a check."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.monitoring.lint.finding import Severity


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: Stable name.
        severity: Of most of its findings.
        finds: What it finds and why that matters.
        wrong: An example that it refuses.
        right: What to write instead.
    """

    name: str
    severity: Severity
    finds: str
    wrong: str
    right: str
