"""Functions of a range vector: what the samples of a window before each step come to.

Windows are as in Prometheus 2: both ends belong to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from inferometer.asgi.dashboard.promql.series import Bools, Floats, QueryError, Samples, Series


def in_milliseconds(times: Floats) -> Floats:
    """Times in seconds as whole milliseconds."""
    return np.asarray(np.rint(times * 1000.0), np.float64)


class Windows:
    """Windows of series with the same times: in that of step i lie ``first[i]`` to ``last[i]``.

    Args:
        times: (samples,) in whole milliseconds.
        values: (series, samples) without NaN.
        ends: (steps,) where the windows end, in whole milliseconds.
        length: How long they are, in milliseconds.
    """

    def __init__(self, times: Floats, values: Floats, ends: Floats, length: float) -> None:
        self.times = times
        self.values = values
        self.ends = ends
        self.length = length
        self.first = np.searchsorted(times, ends - length, side="left")
        self.last = np.searchsorted(times, ends, side="right") - 1
        self.count = self.last - self.first + 1

    def with_at_least(self, count: int) -> tuple[Bools, Windows]:
        """Which windows hold that many samples, and those windows alone."""
        enough = self.count >= count
        return enough, Windows(self.times, self.values, self.ends[enough], self.length)

    def sums(self, per_sample: Floats) -> Floats:
        """The sum of something, (series, samples), over the samples of each window."""
        total = _running_total(per_sample)
        return np.asarray(total[:, self.last + 1] - total[:, self.first], np.float64)

    def changes(self, per_step: Floats) -> Floats:
        """The sum of something over the steps between samples of each window.

        Args:
            per_step: (series, samples - 1) what the step after each sample counts.
        """
        total = _running_total(per_step)
        return np.asarray(total[:, self.last] - total[:, self.first], np.float64)

    def each(self, reduce: Callable[..., Floats]) -> Floats:
        """What numpy's function makes of the samples of each window."""
        windows = zip(self.first, self.last, strict=True)
        columns = [reduce(self.values[:, first : last + 1], axis=1) for first, last in windows]
        return np.stack(columns, axis=1)


def _running_total(values: Floats) -> Floats:
    return np.concatenate((np.zeros((len(values), 1)), np.cumsum(values, axis=1)), axis=1)


def _extrapolated(windows: Windows, is_counter: bool, is_rate: bool) -> Floats:
    """Prometheus' own rule: the samples' increase, stretched towards the ends of the window.

    It reaches an end that is nearer than 1.1 times the mean distance of samples, else half that
    distance; a counter is not stretched to before it was 0.
    """
    values, times = windows.values, windows.times
    first, last = windows.first, windows.last
    result = values[:, last] - values[:, first]
    if is_counter:
        before, after = values[:, :-1], values[:, 1:]
        result = result + windows.changes(np.where(after < before, before, 0.0))
    sampled = times[last] - times[first]
    apart = sampled / (windows.count - 1)
    to_start = times[first] - (windows.ends - windows.length)
    to_end = windows.ends - times[last]
    reach = np.broadcast_to(sampled, result.shape)
    if is_counter:
        may_start_at_zero = (result > 0) & (values[:, first] >= 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            to_zero = sampled * (values[:, first] / result)
        to_start = np.where(may_start_at_zero & (to_zero < to_start), to_zero, to_start)
    for gap in (to_start, to_end):
        reach = reach + np.where(gap < apart * 1.1, gap, apart / 2)
    result = result * (reach / sampled)
    return np.asarray(result / (windows.length / 1000.0) if is_rate else result, np.float64)


def _of_last_two(windows: Windows, is_counter: bool, is_rate: bool) -> Floats:
    values, times, last = windows.values, windows.times, windows.last
    result = values[:, last] - values[:, last - 1]
    if is_counter:
        result = np.where(result < 0, values[:, last], result)
    seconds = (times[last] - times[last - 1]) / 1000.0
    return np.asarray(result / seconds if is_rate else result, np.float64)


def _count(windows: Windows) -> Floats:
    shape = (len(windows.values), len(windows.ends))
    return np.broadcast_to(windows.count.astype(np.float64), shape)


def _changed(windows: Windows) -> Floats:
    return windows.changes((np.diff(windows.values) != 0).astype(np.float64))


def _resets(windows: Windows) -> Floats:
    return windows.changes((np.diff(windows.values) < 0).astype(np.float64))


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
    "count_over_time": (1, _count),
    "min_over_time": (1, lambda windows: windows.each(np.min)),
    "max_over_time": (1, lambda windows: windows.each(np.max)),
    "last_over_time": (1, lambda windows: windows.values[:, windows.last]),
    "present_over_time": (1, lambda windows: _count(windows) ** 0),
}

NAMES = frozenset(_FUNCTIONS)


def over_windows(name: str, found: Sequence[Samples], ends: Floats, seconds: float) -> list[Series]:
    """A range function of series, at each step.

    Args:
        name: One of `NAMES`.
        found: The series.
        ends: (steps,) where the windows end, seconds since the epoch.
        seconds: How long they are.

    Returns:
        The series that have a value, with all of their labels.

    Raises:
        QueryError: The windows have no length.
    """
    if seconds <= 0:
        raise QueryError(f"{name}: got a window of {seconds:g} s, want more than 0")
    least, function = _FUNCTIONS[name]
    # Series that were sampled together are computed together.
    groups: dict[tuple[bytes, bytes], list[Samples]] = {}
    for samples in found:
        there = ~np.isnan(samples.values)
        groups.setdefault((samples.times.tobytes(), there.tobytes()), []).append(samples)
    result = []
    for members in groups.values():
        there = ~np.isnan(members[0].values)
        times = in_milliseconds(members[0].times[there])
        values = np.stack([samples.values for samples in members])[:, there]
        windows = Windows(times, values, in_milliseconds(ends), seconds * 1000.0)
        enough, windows = windows.with_at_least(least)
        if not enough.any():
            continue
        for samples, row in zip(members, function(windows), strict=True):
            over_steps = np.zeros(len(ends))
            over_steps[enough] = row
            result.append(Series(samples.labels, over_steps, enough))
    return result
