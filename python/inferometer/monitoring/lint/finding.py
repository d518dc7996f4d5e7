"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One mistake in one place.

    Attributes:
        path: The file, as it was given.
        line: Line in it, from 1.
        check: Stable name of the check, as in ``inferometer rules check --list-checks``.
        severity: ``error``, or ``warning`` for what works but is likely not meant.
        where: Group and rule, or dashboard and panel; empty for the file as a whole.
        message: What was got, what is wanted, and what to do; one line.
    """

    path: str
    line: int
    check: str
    severity: Severity
    where: str
    message: str

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{self.path}:{self.line}: {self.severity}[{self.check}]: {where}{self.message}"
