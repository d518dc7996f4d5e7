"""What a Prometheus would have stored of its scrapes, in virtual time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from inferometer.testing.errors import LabError
from inferometer.testing.exposition_text import (
    SeriesKey,
    check_comment,
    number_text,
    sample_at,
)
from inferometer.testing.relabeling import Relabeling

_NO_RELABELING = Relabeling([])


@dataclass(frozen=True)
class Target:
    """Who is scraped, and which labels its series get.

    Attributes:
        instance: The label ``instance``.
        job: The label ``job``.
        labels: More labels, those of the scrape configuration.
    """

    instance: str = "triton:8002"
    job: str = "triton"
    labels: Mapping[str, str] = field(default_factory=dict)

    def all_labels(self) -> dict[str, str]:
        """With job and instance."""
        return {**self.labels, "job": self.job, "instance": self.instance}


class ScrapeHistory:
    """Every series that was scraped, a value an interval. Single-owner.

    Values stay the text that was exposed. A series that a scrape does not have any more ends with
    a staleness marker, as in Prometheus.

    Attributes:
        interval: Seconds between two scrapes.
        count: How many scrapes there were; the first is at second 0.
        refused: By target the moments of what Prometheus would refuse, and why.
    """

    def __init__(self, interval: float, relabeling: Relabeling = _NO_RELABELING) -> None:
        self.interval = interval
        self.count = 0
        self.refused: dict[str, list[tuple[float, str]]] = {}
        self._relabeling = relabeling
        self._series: dict[SeriesKey, list[str]] = {}
        # By target, and by what stands before the value in a line; None: dropped by relabeling.
        self._lists: dict[str, dict[str, list[str] | None]] = {}
        # Lines that were taken before; apart for OpenMetrics, which has more types.
        self._comments: tuple[set[str], set[str]] = (set(), set())
        self._written: dict[SeriesKey, tuple[int, str]] = {}  # up to which moment

    def scrape(self, target: Target, text: str, seconds: float) -> None:
        """Stores what a target exposed at the present moment, and what Prometheus adds.

        Of what Prometheus would refuse nothing is stored: the scrape has failed, ``up`` is 0.

        Args:
            target: Who exposed it.
            text: The exposition.
            seconds: How long the scrape took.
        """
        exposed: list[tuple[list[str] | None, str]] = []
        problem = None
        try:
            self._read(target, text, exposed)
        except LabError as error:
            problem = str(error)
            self.refused.setdefault(target.instance, []).append(
                (self.count * self.interval, problem)
            )
        kept = [(series, value) for series, value in exposed if series is not None]
        for series, value in kept if problem is None else ():
            _put(series, self.count, value)
        self._put_own(
            target,
            up="1" if problem is None else "0",
            scrape_duration_seconds=repr(seconds),
            scrape_samples_scraped=str(len(exposed)),
            scrape_samples_post_metric_relabeling=str(len(kept)),
        )

    def _read(self, target: Target, text: str, into: list[tuple[list[str] | None, str]]) -> None:
        """Puts the values of an exposition, each with the list of its series, into a list."""
        openmetrics = text.rstrip("\n").endswith("# EOF")
        lists = self._lists.setdefault(target.instance + "\0" + target.job, {})
        comments = self._comments[openmetrics]
        at = until = 0
        for line in text.split("\n"):
            begin, at = at, at + len(line) + 1
            # A label's value may be of several lines.
            if not line or begin < until or line in comments:
                continue
            head, _, value = line.rpartition(" ")
            if head in lists and (number := number_text(value)) is not None:
                into.append((lists[head], number))
            elif line.lstrip(" \t").startswith("#"):
                check_comment(line, openmetrics)
                comments.add(line)
            elif line.strip(" \t"):
                sample, until = sample_at(text, begin, openmetrics)
                series = self._list_of(target, sample.key)
                # No timestamp, no exemplar: found at once next time.
                if sample.head == head + " ":
                    lists[head] = series
                into.append((series, sample.value))

    def fail(self, target: Target, seconds: float) -> None:
        """Stores that a target could not be scraped, after so many seconds."""
        self._put_own(
            target,
            up="0",
            scrape_duration_seconds=repr(seconds),
            scrape_samples_scraped="0",
            scrape_samples_post_metric_relabeling="0",
        )

    def next_moment(self) -> None:
        """Time goes on by one interval."""
        self.count += 1

    def _put_own(self, target: Target, **values: str) -> None:
        labels = tuple(sorted(target.all_labels().items()))
        for name, value in values.items():
            _put(self._series.setdefault(SeriesKey(name, labels), []), self.count, value)

    def _list_of(self, target: Target, exposed: SeriesKey) -> list[str] | None:
        own = target.all_labels()
        labels = dict(own)
        for name, value in exposed.labels:
            labels["exported_" + name if name in own else name] = value
        key = self._relabeling(SeriesKey(exposed.name, tuple(sorted(labels.items()))))
        return None if key is None else self._series.setdefault(key, [])

    def names(self) -> set[str]:
        """The names of all metrics."""
        return {key.name for key in self._series}

    def series(self, names: Iterable[str] | None = None) -> dict[SeriesKey, str]:
        """Values as promtool reads them, up to the present moment.

        Args:
            names: Of these metrics alone; None: of all.

        Returns:
            By series, each the full length.
        """
        wanted = None if names is None else set(names)
        for key, values in self._series.items():
            if wanted is not None and key.name not in wanted:
                continue
            if self._written.get(key, (0, ""))[0] != self.count:
                self._written[key] = (self.count, _notation(values, self.count))
        return {
            key: text
            for key, (count, text) in self._written.items()
            if count == self.count and (wanted is None or key.name in wanted)
        }


def _put(series: list[str], at: int, value: str) -> None:
    missing = at - len(series)
    if missing > 0:
        if series:
            series.append("stale")
            missing -= 1
        series.extend(["_"] * missing)
    if len(series) == at:  # else it is there twice in one scrape: the first counts
        series.append(value)


def _notation(values: list[str], count: int) -> str:
    values = list(values)
    if 0 < len(values) < count:
        values.append("stale")
    values.extend(["_"] * (count - len(values)))
    words: list[str] = []
    at = 0
    while at < count:
        value, first = values[at], at
        while at < count and values[at] == value:
            at += 1
        repeated = at - first
        if value == "_":
            words.append(f"_x{repeated}")
        elif value == "stale":
            words.append("stale" + " stale" * (repeated - 1))
        else:
            words.append(value if repeated == 1 else f"{value}x{repeated - 1}")
    return " ".join(words)
