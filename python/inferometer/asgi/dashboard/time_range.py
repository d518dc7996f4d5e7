"""Which moments a page asks for, within bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from inferometer.asgi.dashboard.promql.series import Floats

SHORTEST_SECONDS = 10.0
LONGEST_SECONDS = 31 * 86400.0
FEWEST_POINTS, MOST_POINTS = 20, 800

# Steps that people read easily; Grafana's own list, thinned.
_NICE = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600),
    *(7200, 10800, 21600, 43200, 86400),
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_duration(text: str) -> float | None:
    """Seconds of ``15s``, ``1m``, ``6h``; None if it is none of these."""
    match = _DURATION.fullmatch(text.strip().lstrip(">"))
    return float(match[1]) * _UNITS[match[2]] if match else None


def show_duration(seconds: float) -> str:
    """A duration as PromQL takes it, in the largest unit that divides it."""
    milliseconds = round(seconds * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


@dataclass(frozen=True)
class TimeRange:
    """A range and how finely it is looked at.

    Args:
        start: Seconds since the epoch.
        end: Likewise.
        points: How many moments at most.
        scrape_seconds: How far apart samples are: steps are no smaller.
    """

    start: float
    end: float
    points: int
    scrape_seconds: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start

    def step(self, least: float = 0.0) -> float:
        """Seconds from one moment to the next."""
        wanted = max(self.seconds / self.points, self.scrape_seconds, least)
        return next((nice for nice in _NICE if nice >= wanted), wanted)

    def steps(self, least: float = 0.0) -> Floats:
        """The moments: multiples of the step, so that a range that moves asks for the same ones."""
        step = self.step(least)
        first, last = np.ceil(self.start / step), np.floor(self.end / step)
        return np.asarray(np.arange(first, max(first, last) + 1) * step, np.float64)

    def intervals(self, least: float = 0.0) -> dict[str, str]:
        """Grafana's variables of time, by name."""
        step = self.step(least)
        rate = max(step + self.scrape_seconds, 4 * self.scrape_seconds)
        return {
            "__interval": show_duration(step),
            "__interval_ms": str(round(step * 1000)),
            "__rate_interval": show_duration(rate),
            "__range": f"{round(self.seconds)}s",
            "__range_s": str(round(self.seconds)),
            "__range_ms": str(round(self.seconds * 1000)),
        }
