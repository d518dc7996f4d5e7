"""What a table shows: which values, in which unit, and what was to be reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table: ours beside a peer's, which may be a value of another name."""

    what: str
    unit: str
    ours: str
    who: str
    peer: str = ""  # what was measured of the peer, if it has another name
    beside: str = ""  # who the peer is; none if empty
    reach: float | None = None  # at most, or at least if larger is better
    scale: float = 1.0
    larger_is_better: bool = False
    times: float | None = None  # so many times better than the peer at least


@dataclass(frozen=True)
class ChangeRow:
    """One line of the table that says how much higher, in per cent, one value is than another."""

    what: str
    value: tuple[str, str]  # what was measured, and of whom
    than: tuple[str, str]
    reach: float | None = None
