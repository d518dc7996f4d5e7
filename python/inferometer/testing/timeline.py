"""What became of each alert over time: inactive, pending, firing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from inferometer.html.table import table
from inferometer.testing.durations import text_of
from inferometer.testing.exposition_text import Labels, labels_text
from inferometer.testing.promtool import PENDING
from inferometer.testing.promtool_output import Answers

INACTIVE, WAITING, FIRING = "·", "▒", "█"
_WIDTH = 64


@dataclass(frozen=True)
class Episode:
    """One time that an alert was active, from its first evaluation that was not inactive.

    Attributes:
        name: The alert's.
        labels: Its labels, without ``alertname``.
        active_at: Since when it was pending, or fired at once.
        fired_at: Since when it fired; None: it never did.
        ended_at: The first evaluation at which it was inactive again; None: it still was active.
        annotations: Those when it began to fire.
    """

    name: str
    labels: Mapping[str, str]
    active_at: float
    fired_at: float | None
    ended_at: float | None
    annotations: Mapping[str, str]

    @property
    def resolved_at(self) -> float | None:
        """When it resolved: None if it never fired, or still does."""
        return None if self.fired_at is None else self.ended_at

    def has(self, labels: Mapping[str, str]) -> bool:
        """Whether it has these labels, and perhaps more."""
        return _has(tuple(self.labels.items()), labels)


class Timeline:
    """The states of all alerts at all evaluations. Const-safe.

    Args:
        answers: What promtool said.
        moments: When the rules were evaluated, evenly spaced.
    """

    def __init__(self, answers: Answers, moments: Sequence[float]) -> None:
        self.moments = list(moments)
        self.interval = moments[1] - moments[0] if len(moments) > 1 else 0.0
        self._states: dict[tuple[str, Labels], list[str]] = {}
        self._annotations: dict[tuple[str, Labels, float], Mapping[str, str]] = {}
        index = {moment: at for at, moment in enumerate(moments)}
        for (query, moment), samples in answers.values.items():
            for sample in samples if query == PENDING else ():
                labels = dict(sample.labels)
                name = labels.pop("alertname")
                del labels["__name__"], labels["alertstate"]
                self._track(name, tuple(labels.items()))[index[moment]] = WAITING
        for alert in answers.firing:
            self._track(alert.name, alert.labels)[index[alert.at]] = FIRING
            self._annotations[alert.name, alert.labels, alert.at] = alert.annotations

    def _track(self, name: str, labels: Labels) -> list[str]:
        return self._states.setdefault((name, labels), [INACTIVE] * len(self.moments))

    def episodes(
        self, name: str | None = None, labels: Mapping[str, str] | None = None
    ) -> Iterator[Episode]:
        """Every time that an alert was active, each set of labels for itself.

        Args:
            name: Of this alert alone; None: of all.
            labels: Of alerts with these labels, and perhaps more.
        """
        for (alert, own), states in self._states.items():
            if (name is None or alert == name) and _has(own, labels):
                yield from self._episodes(alert, own, states)

    def _episodes(self, name: str, labels: Labels, states: list[str]) -> Iterator[Episode]:
        at = 0
        while at < len(states):
            if states[at] == INACTIVE:
                at += 1
                continue
            first = at
            while at < len(states) and states[at] != INACTIVE:
                at += 1
            fired = states.index(FIRING, first, at) if FIRING in states[first:at] else None
            fired_at = None if fired is None else self.moments[fired]
            yield Episode(
                name,
                dict(labels),
                self.moments[first],
                fired_at,
                self.moments[at] if at < len(states) else None,
                {} if fired_at is None else self._annotations[name, labels, fired_at],
            )

    def firing_at(self, moment: float) -> list[Episode]:
        """The alerts that fire at an evaluation."""
        return [
            episode
            for episode in self.episodes()
            if episode.fired_at is not None
            and episode.fired_at <= moment
            and (episode.ended_at is None or moment < episode.ended_at)
        ]

    def draw(self, names: Collection[str] | None = None) -> str:
        """The timeline as text, a line for each alert and set of labels that was ever active.

        Args:
            names: Of these alerts; those that were never active have a line too. None: of all that
                were.
        """
        lines: list[tuple[str, list[str]]] = [
            (name + labels_text(_telling(labels)), states)
            for (name, labels), states in self._states.items()
            if names is None or name in names
        ]
        idle = [INACTIVE] * len(self.moments)
        active = {name for name, _ in self._states}
        lines += [(name, idle) for name in names or () if name not in active]
        width = max((len(title) for title, _ in lines), default=0)
        step = max(-(-len(self.moments) // _WIDTH), 1)
        drawn = [f"{title:{width}}  {_columns(states, step)}" for title, states in lines]
        legend = (
            f"{'':{width}}  from 0s to {text_of(self.moments[-1])}, a column is "
            f"{text_of(step * self.interval)}: "
            f"{INACTIVE} inactive {WAITING} pending {FIRING} firing"
        )
        return "\n".join([*drawn, legend])

    def _repr_html_(self) -> str:
        """A table for notebooks: a row for each time that an alert was active."""
        step = max(-(-len(self.moments) // _WIDTH), 1)
        rows = [
            (
                name + labels_text(_telling(labels)),
                *map(_time, (episode.active_at, episode.fired_at, episode.resolved_at)),
                _columns(states, step),
            )
            for (name, labels), states in self._states.items()
            for episode in self._episodes(name, labels, states)
        ]
        caption = (
            f"Alerts from 0s to {text_of(self.moments[-1])}, a column is "
            f"{text_of(step * self.interval)}: "
            f"{INACTIVE} inactive {WAITING} pending {FIRING} firing"
        )
        columns = ("alert", "active at", "firing at", "resolved at", "over time")
        return table(caption, columns, rows)


def _time(moment: float | None) -> str:
    return "-" if moment is None else text_of(moment)


def _columns(states: list[str], step: int) -> str:
    """Several evaluations in one column show the most that there was."""
    order = INACTIVE + WAITING + FIRING
    return "".join(
        max(states[at : at + step], key=order.index) for at in range(0, len(states), step)
    )


def _has(own: Labels, wanted: Mapping[str, str] | None) -> bool:
    return all(dict(own).get(name, "") == value for name, value in (wanted or {}).items())


def _telling(labels: Labels) -> Labels:
    """Without what is the same for all instances of a rule."""
    return tuple((name, value) for name, value in labels if name not in ("severity", "component"))
