"""What a test expects of the alerts, kept so that it can be asked of other rules too."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from inferometer.testing.durations import text_of
from inferometer.testing.exposition_text import labels_text
from inferometer.testing.timeline import Episode, Timeline

Text = str | re.Pattern[str] | Callable[[str], bool]
"""An annotation: itself, what is found in it, or whether it is right."""


@dataclass(frozen=True)
class Failure:
    """Why an expectation is not met.

    Attributes:
        text: What was expected and what was.
        moment: When to look at the rule; None: there is nothing more to see.
    """

    text: str
    moment: float | None = None


@dataclass(frozen=True)
class Window:
    """From when to when something is expected, both included.

    Attributes:
        after: Seconds.
        within: Seconds from then on; None: until the lab's end.
    """

    after: float = 0.0
    within: float | None = None

    def end(self, timeline: Timeline) -> float:
        """The last moment."""
        last = timeline.moments[-1]
        return last if self.within is None else min(self.after + self.within, last)

    def text(self, timeline: Timeline) -> str:
        """For messages."""
        return f"between {text_of(self.after)} and {text_of(self.end(timeline))}"


@dataclass(frozen=True)
class Expectation:
    """Something about one alert.

    Attributes:
        name: The alert's.
        labels: Of the instances of the rule with these labels.
        window: When.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    window: Window = field(default_factory=Window)

    def failure(self, timeline: Timeline) -> Failure | None:
        """Why it is not met; None: it is."""
        raise NotImplementedError

    def names(self) -> tuple[str, ...]:
        """The alerts that it is about."""
        return (self.name,)

    def reads(self) -> tuple[str, ...] | None:
        """The alerts whose states it needs; None: all."""
        return self.names()

    def narrowed(self, names: Collection[str]) -> Expectation | None:
        """What it expects of some alerts alone; None: nothing."""
        return self if self.name in names else None

    def title(self) -> str:
        """The alert, with the labels asked for."""
        return self.name + labels_text(tuple(self.labels.items()))

    def _fired(self, timeline: Timeline) -> Iterator[Episode]:
        for episode in timeline.episodes(self.name, self.labels):
            if episode.fired_at is not None:
                yield episode


@dataclass(frozen=True)
class Fires(Expectation):
    """It begins to fire.

    Attributes:
        annotations: What is said then.
    """

    annotations: Mapping[str, Text] = field(default_factory=dict)

    def episode(self, timeline: Timeline) -> Episode:
        """The first that meets this; there is one."""
        return next(one for one in self._in_window(timeline) if not self._wrong(one))

    def failure(self, timeline: Timeline) -> Failure | None:
        """Why it is not met; None: it is."""
        after, when = self.window.after, self.window.text(timeline)
        for episode in self._fired(timeline):
            fired, ended = episode.fired_at, episode.ended_at
            if fired is not None and fired < after and (ended is None or ended > after):
                text = f"{self.title()} fired already since {text_of(fired)}, want {when}"
                return Failure(text, fired)
        found = list(self._in_window(timeline))
        if not found:
            return Failure(f"{self.title()} did not begin to fire {when}", self._nearest(timeline))
        if all(self._wrong(episode) for episode in found):
            return Failure(f"{self.title()} fired, but {self._wrong(found[0])}", found[0].fired_at)
        return None

    def _in_window(self, timeline: Timeline) -> Iterator[Episode]:
        for episode in self._fired(timeline):
            fired = episode.fired_at
            if fired is not None and self.window.after <= fired <= self.window.end(timeline):
                yield episode

    def _wrong(self, episode: Episode) -> str:
        for name, want in self.annotations.items():
            got = episode.annotations.get(name, "")
            if isinstance(want, str):
                right = got == want
            else:
                right = bool(want.search(got) if isinstance(want, re.Pattern) else want(got))
            if not right:
                wanted = f"/{want.pattern}/" if isinstance(want, re.Pattern) else repr(want)
                return f"its annotation {name} is {got!r}, want {wanted}"
        return ""

    def _nearest(self, timeline: Timeline) -> float:
        """The last evaluation in the window that found it pending, else the window's last."""
        moments = [one for one in timeline.moments if one <= self.window.end(timeline)]
        active = [
            moment
            for moment in moments
            for episode in timeline.episodes(self.name, self.labels)
            if episode.active_at <= moment
            and moment >= self.window.after
            and (episode.ended_at is None or moment < episode.ended_at)
        ]
        return max(active, default=moments[-1])


@dataclass(frozen=True)
class Resolves(Expectation):
    """Whatever fires at the beginning of the window stops to within it."""

    since: float | None = None

    def failure(self, timeline: Timeline) -> Failure | None:
        """Why it is not met; None: it is."""
        end = self.window.end(timeline)
        fired = [
            episode
            for episode in self._fired(timeline)
            if self.since is None or _fires_at(episode, self.since)
        ]
        if not fired:
            when = "" if self.since is None else f" at {text_of(self.since)}"
            return Failure(f"{self.title()} did not fire{when}, want it to and to resolve", end)
        for episode in fired:
            if episode.ended_at is None or episode.ended_at > end:
                text = f"{self.title()} still fired at {text_of(end)}, want it resolved"
                return Failure(f"{text} {self.window.text(timeline)}", end)
        return None


@dataclass(frozen=True)
class IsPending(Expectation):
    """It is pending at some evaluation."""

    def failure(self, timeline: Timeline) -> Failure | None:
        """Why it is not met; None: it is."""
        end = self.window.end(timeline)
        for episode in timeline.episodes(self.name, self.labels):
            until = episode.fired_at if episode.fired_at is not None else episode.ended_at
            later = max(episode.active_at, self.window.after)
            waited = episode.active_at != episode.fired_at
            if waited and later <= end and (until is None or later < until):
                return None
        return Failure(f"{self.title()} was not pending {self.window.text(timeline)}", end)


@dataclass(frozen=True)
class NeverFires(Expectation):
    """It fires at no evaluation; it may be pending."""

    def failure(self, timeline: Timeline) -> Failure | None:
        """Why it is not met; None: it is."""
        for episode in self._fired(timeline):
            fired, ended = episode.fired_at, episode.ended_at
            assert fired is not None
            if fired <= self.window.end(timeline) and (ended is None or ended > self.window.after):
                at = max(fired, self.window.after)
                text = f"{self.title()} fired at {text_of(at)}, want it never to"
                return Failure(f"{text} {self.window.text(timeline)}", at)
        return None


@dataclass(frozen=True)
class OnlyFire(Expectation):
    """Of all alerts exactly these fire.

    Attributes:
        wanted: Their names.
        ignored: Alerts that always fire.
    """

    name: str = ""
    wanted: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def names(self) -> tuple[str, ...]:
        """The alerts that it is about."""
        return tuple(sorted(self.wanted))

    def reads(self) -> tuple[str, ...] | None:
        """The alerts whose states it needs; None: all."""
        return None

    def narrowed(self, names: Collection[str]) -> Expectation | None:
        """What it expects of some alerts alone."""
        return replace(self, wanted=self.wanted & frozenset(names))

    def failure(self, timeline: Timeline) -> Failure | None:
        """Why it is not met; None: it is."""
        fired = {
            episode.name
            for episode in timeline.episodes()
            if episode.fired_at is not None
            and episode.fired_at <= self.window.end(timeline)
            and (episode.ended_at is None or episode.ended_at > self.window.after)
        }
        got = fired - self.ignored
        if got == self.wanted:
            return None
        return Failure(
            f"got {_listed(got)} firing {self.window.text(timeline)}, want {_listed(self.wanted)}"
        )


def _fires_at(episode: Episode, moment: float) -> bool:
    fired, ended = episode.fired_at, episode.ended_at
    return fired is not None and fired <= moment and (ended is None or moment < ended)


def _listed(names: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(names)) or "no alert"
