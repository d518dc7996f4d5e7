"""Functions of a range vector: what the samples of a window before each step come to.

Windows are as in Prometheus 2: both ends belong to them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inferometer.asgi.dashboard.promql.series import Bools, Floats, QueryError, Samples


def in_milliseconds(times: Floats) -> Floats:
    """Times in seconds as whole milliseconds."""
    return np.asarray(np.rint(times * 1000.0), np.float64)


class Windows:
    """The windows of one series: samples ``first[i]`` to ``last[i]`` lie in that of step i.

    Args:
        samples: The series.
        ends: (steps,) where the windows end, seconds since the epoch.
        seconds: How long they are.
    """

    def __init__(self, samples: Samples, ends: Floats, seconds: float) -> None:
        there = ~np.isnan(samples.values)
        # Whole milliseconds, as Prometheus keeps them: their differences are exact.
        self.times = in_milliseconds(samples.times[there])
        self.values = samples.values[there]
        self.ends = in_milliseconds(ends)
        self.length = seconds * 1000.0
        self.first = np.searchsorted(self.times, self.ends - self.length, side="left")
        self.last = np.searchsorted(self.times, self.ends, side="right") - 1
        self.count = self.last - self.first + 1

    def with_at_least(self, count: int) -> tuple[Bools, Windows]:
        """Which windows hold that many samples, and those windows alone."""
        enough = self.count >= count
        rest = object.__new__(Windows)
        rest.times, rest.values, rest.length = self.times, self.values, self.length
        rest.ends, rest.count = self.ends[enough], self.count[enough]
        rest.first, rest.last = self.first[enough], self.last[enough]
        return enough, rest

    def sums(self, per_sample: Floats) -> Floats:
        """The sum of something over the samples of each window."""
        total = np.concatenate(([0.0], np.cumsum(per_sample)))
        return np.asarray(total[self.last + 1] - total[self.first], np.float64)

    def changes(self, per_step: Floats) -> Floats:
        """The sum of something over the steps between samples of each window.

        Args:
            per_step: (samples - 1,) what the step after each sample counts.
        """
        total = np.concatenate(([0.0], np.cumsum(per_step)))
        return np.asarray(total[self.last] - total[self.first], np.float64)

    def each(self, function: Callable[[Floats], float]) -> Floats:
        """A function of the samples of each window."""
        return np.array(
            [
                function(self.values[first : last + 1])
                for first, last in zip(self.first, self.last, strict=True)
            ],
            np.float64,
        )


def _extrapolated(windows: Windows, is_counter: bool, is_rate: bool) -> Floats:
    """Prometheus' own rule: the samples' increase, stretched towards the ends of the window.

    It reaches an end that is nearer than 1.1 times the mean distance of samples, else half that
    distance; a counter is not stretched to before it was 0.
    """
    values, times = windows.values, windows.times
    first, last = windows.first, windows.last
    result = values[last] - values[first]
    if is_counter:
        before, after = values[:-1], values[1:]
        result = result + windows.changes(np.where(after < before, before, 0.0))
    sampled = times[last] - times[first]
    apart = sampled / (windows.count - 1)
    to_start = times[first] - (windows.ends - windows.length)
    to_end = windows.ends - times[last]
    if is_counter:
        may_start_at_zero = (result > 0) & (values[first] >= 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            to_zero = sampled * (values[first] / result)
        to_start = np.where(may_start_at_zero & (to_zero < to_start), to_zero, to_start)
    reach = sampled
    for gap in (to_start, to_end):
        reach = reach + np.where(gap < apart * 1.1, gap, apart / 2)
    result = result * (reach / sampled)
    return np.asarray(result / (windows.length / 1000.0) if is_rate else result, np.float64)


def _of_last_two(windows: Windows, is_counter: bool, is_rate: bool) -> Floats:
    values, times, last = windows.values, windows.times, windows.last
    result = values[last] - values[last - 1]
    if is_counter:
        result = np.where(result < 0, values[last], result)
    seconds = (times[last] - times[last - 1]) / 1000.0
    return np.asarray(result / seconds if is_rate else result, np.float64)


def _changed(windows: Windows) -> Floats:
    return windows.changes((np.diff(windows.values) != 0).astype(np.float64))


def _resets(windows: Windows) -> Floats:
    return windows.changes((np.diff(windows.values) < 0).astype(np.float64))


def _maximum(window: Floats) -> float:
    return float(window.max())


def _minimum(window: Floats) -> float:
    return float(window.min())


# By name: how many samples a window must hold, and the function.
_FUNCTIONS: dict[str, tuple[int, Callable[[Windows], Floats]]] = {
    "rate": (2, lambda windows: _extrapolated(windows, True, True)),
    "increase": (2, lambda windows: _extrapolated(windows, True, False)),
    "delta": (2, lambda windows: _extrapolated(windows, False, False)),
    "irate": (2, lambda windows: _of_last_two(windows, True, True)),
    "idelta": (2, lambda windows: _of_last_two(windows, False, False)),
    "changes": (1, _changed),
    "resets": (1, _resets),
    "avg_over_time": (1, lambda windows: windows.sums(windows.values) / windows.count),
    "sum_over_time": (1, lambda windows: windows.sums(windows.values)),
    "count_over_time": (1, lambda windows: windows.count.astype(np.float64)),
    "min_over_time": (1, lambda windows: windows.each(_minimum)),
    "max_over_time": (1, lambda windows: windows.each(_maximum)),
    "last_over_time": (1, lambda windows: windows.values[windows.last]),
    "present_over_time": (1, lambda windows: np.ones_like(windows.ends)),
}

NAMES = frozenset(_FUNCTIONS)


def over_windows(name: str, samples: Samples, ends: Floats, seconds: float) -> tuple[Floats, Bools]:
    """A range function at each step.

    Args:
        name: One of `NAMES`.
        samples: The series.
        ends: (steps,) where the windows end, seconds since the epoch.
        seconds: How long they are.

    Returns:
        (steps,) values, and (steps,) where there are any.

    Raises:
        QueryError: The windows have no length.
    """
    if seconds <= 0:
        raise QueryError(f"{name}: got a window of {seconds:g} s, want more than 0")
    least, function = _FUNCTIONS[name]
    enough, windows = Windows(samples, ends, seconds).with_at_least(least)
    values = np.zeros(len(ends))
    if enough.any():
        values[enough] = function(windows)
    return values, enough
