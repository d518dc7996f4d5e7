"""Alerts proved in virtual time: a service, its scrapes, the real rules and rule engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from inferometer.testing import alertmanager, rule_files
from inferometer.testing.durations import Duration, seconds_of, text_of
from inferometer.testing.errors import LabError
from inferometer.testing.expectations import (
    Expectation,
    Fires,
    IsPending,
    NeverFires,
    OnlyFire,
    Resolves,
    Text,
    Window,
)
from inferometer.testing.explanation import explained
from inferometer.testing.faults import Fault, checked
from inferometer.testing.lab_options import LabOptions, scraping_of
from inferometer.testing.loads import Load
from inferometer.testing.query_result import Query
from inferometer.testing.relabeling import Relabeling
from inferometer.testing.rule_engine import RuleEngine
from inferometer.testing.rule_files import RuleFiles
from inferometer.testing.scrapes import ScrapeHistory
from inferometer.testing.targets import LabTarget
from inferometer.testing.timeline import Episode, Timeline

T = TypeVar("T")


class AlertLab:
    """A service under load in virtual time, and what the rules make of it. Single-owner.

        lab = AlertLab(LabOptions(rules=["alerts.yml"]))
        lab.run("10m", load=20)
        lab.run("10m", load=20, faults=[Delay(2.5)])
        lab.assert_fires("HighInferenceLatencyWarning", after="10m", within="7m")

    In pytest the fixture ``alert_lab`` is one. See docs/alert_testing.md.

    Args:
        options: How it is set up.

    Attributes:
        expectations: What was asserted so far and is true.
        children: The labs that ``fresh()`` made.

    Raises:
        LabError: Rule files or options that cannot be used.
    """

    def __init__(self, options: LabOptions) -> None:
        self.options = options
        self.expectations: list[Expectation] = []
        self.children: list[AlertLab] = []
        self._scraping = scraping_of(options)
        patterns = options.rules or self._scraping.rule_files
        if not patterns:
            raise LabError("rules: got none, want rule files (the ini key alerts_rules, or rules=)")
        self.rules: RuleFiles = rule_files.load(rule_files.find(patterns, options.folder))
        self._history = ScrapeHistory(
            self._scraping.interval, Relabeling(self._scraping.relabeling)
        )
        self._targets = [
            LabTarget(instance, options, self._scraping) for instance in self._scraping.instances
        ]
        self._now = 0.0
        self._engine: RuleEngine | None = None

    @property
    def now(self) -> float:
        """Seconds since the lab began."""
        return self._now

    def fresh(self, **changes: Any) -> AlertLab:
        """Another lab at second 0, with the options of this one but for what is changed."""
        lab = AlertLab(self.options.changed(changes))
        self.children.append(lab)
        return lab

    def run(self, duration: Duration, load: Load = None, faults: Sequence[Fault] = ()) -> None:
        """Lets time go by. What happens in one call is a phase; the next goes on from there.

        Args:
            duration: How long.
            load: Requests a second, a shape of ``inferometer.testing``, or one for each model.
            faults: What is wrong during this phase.

        Raises:
            LabError: Wrong durations, loads or faults.
        """
        end = self._now + seconds_of("duration", duration)
        own = self.options.exposition is not None
        models = None if own else self.options.models_by_name()
        faults = checked(faults, self._scraping.instances, models)
        for target in self._targets:
            target.begin(end, load, faults)
        while (moment := self._history.count * self._scraping.interval) <= end:
            for target in self._targets:
                target.advance_to(moment)
                target.scrape(moment, self._history)
            self._history.next_moment()
        for target in self._targets:
            target.advance_to(end)
        self._now = end
        self._engine = None

    @property
    def engine(self) -> RuleEngine:
        """What evaluates the rules on all that was scraped until now."""
        if self._engine is None:
            interval = self._scraping.evaluation
            if self.options.evaluation_interval is None:
                interval = self.rules.evaluation_interval(interval)
            self._engine = RuleEngine(
                self.rules, self._history, self._scraping, interval, self._now
            )
        return self._engine

    @property
    def timeline(self) -> Timeline:
        """The states of all alerts until now, as promtool's rule engine finds them."""
        return self.engine.timeline()

    def expr(self, query: str) -> Query:
        """A query on what was scraped and recorded: ``lab.expr("up").at("5m").value``.

        Raises:
            LabError: It is none; asked at a moment that the lab has not reached.
        """
        return Query(query, self.engine.ask, self._now)

    def assert_fires(
        self,
        name: str,
        after: Duration = 0,
        within: Duration | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, Text] | None = None,
    ) -> Episode:
        """The alert begins to fire in a window of time.

        Args:
            name: The alert's.
            after: When the window begins; it must not fire already.
            within: How long it is; None: until now.
            labels: Those that it has, among others.
            annotations: What is said when it begins to fire: the text, a compiled pattern that is
                found in it, or a function that says whether it is right.

        Returns:
            When it was pending, fired and ended, with labels and annotations.

        Raises:
            AssertionError: It does not; the text says what holds it back.
            LabError: There is no such alert; the window is longer than the lab has run.
        """
        window = self._window(after, within)
        expected = Fires(
            name, _mapping("labels", labels), window, _mapping("annotations", annotations)
        )
        self._expect(expected)
        return expected.episode(self.engine.timeline([name]))

    def assert_resolves(
        self,
        name: str,
        after: Duration | None = None,
        within: Duration | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """What fires stops to.

        Args:
            name: The alert's.
            after: When it must still fire; None: at any time before.
            within: How long after that it has resolved at the latest; None: until now.
            labels: Those that it has, among others.

        Raises:
            AssertionError: It never fired, or still does.
            LabError: There is no such alert; ``within`` without ``after``.
        """
        if after is None and within is not None:
            raise LabError(f"within: got {within!r} without after, want both")
        since = None if after is None else seconds_of("after", after)
        window = self._window(after or 0, within)
        self._expect(Resolves(name, _mapping("labels", labels), window, since))

    def assert_pending(
        self,
        name: str,
        after: Duration = 0,
        within: Duration | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """The alert is pending at some evaluation of a window. Arguments as of ``assert_fires``."""
        self._expect(IsPending(name, _mapping("labels", labels), self._window(after, within)))

    def assert_never(
        self,
        name: str,
        after: Duration = 0,
        within: Duration | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """The alert fires at no evaluation of a window. Arguments as of ``assert_fires``."""
        self._expect(NeverFires(name, _mapping("labels", labels), self._window(after, within)))

    def assert_only(
        self, names: Iterable[str], after: Duration = 0, within: Duration | None = None
    ) -> None:
        """Exactly these alerts fire in a window; those that always fire need not be named."""
        if not isinstance(names, Iterable):
            raise LabError(f"names: got {names!r}, want the names of alerts")
        wanted = frozenset([names] if isinstance(names, str) else names)
        for name in wanted:
            self.rules.alert(name)
        ignored = frozenset(self.rules.always_firing()) - wanted
        self._expect(OnlyFire("", {}, self._window(after, within), wanted, ignored))

    def assert_inhibited(self, name: str, by: str, labels: Mapping[str, str] | None = None) -> None:
        """Alertmanager does not send the alert while another one fires.

        Args:
            name: The alert that is hidden.
            by: The one that hides it; both fire at some evaluation.
            labels: Those of the hidden one, among others.

        Raises:
            AssertionError: They do not fire together, or it is not hidden.
            LabError: There is no such alert, or no ``alertmanager`` among the options.
            ToolMissingError: There is no Alertmanager.
        """
        self.rules.alert(name), self.rules.alert(by)
        config = self._alertmanager_config()
        wanted = _mapping("labels", labels)
        timeline = self.engine.timeline([name, by])
        for moment in timeline.moments:
            firing = timeline.firing_at(moment)
            hidden = [one for one in firing if one.name == name and one.has(wanted)]
            hiding = [one for one in firing if one.name == by]
            if hidden and hiding:
                break
        else:
            raise AssertionError(
                f"{name} and {by} do not fire at the same time\n{timeline.draw([name, by])}"
            )
        alerts = [self._sent(episode) for episode in (*hidden, *hiding)]
        inhibited_by = alertmanager.inhibitions(config, alerts)
        for index, episode in enumerate(hidden):
            if not inhibited_by[index]:
                raise AssertionError(
                    f"{name} is sent while {by} fires: at {text_of(moment)} no inhibit rule of "
                    f"{config.name} hides {self._sent(episode)} for {alerts[len(hidden) :]}"
                )

    def assert_routed(
        self, name: str, to: str | Sequence[str], labels: Mapping[str, str] | None = None
    ) -> None:
        """Alertmanager sends the alert to these receivers. It fires at some evaluation.

        Raises:
            AssertionError: It does not fire, or goes elsewhere.
            LabError: There is no such alert, or no ``alertmanager`` among the options.
            ToolMissingError: There is no amtool.
        """
        config = self._alertmanager_config()
        wanted = [to] if isinstance(to, str) else list(to)
        episode = self.assert_fires(name, labels=labels)
        got = alertmanager.receivers(config, self._sent(episode))
        if got != wanted:
            raise AssertionError(f"{name} goes to {got}, want {wanted}: {self._sent(episode)}")

    def _alertmanager_config(self) -> Any:
        if self.options.alertmanager is None:
            raise LabError("alertmanager: got none, want its file (ini key alerts_alertmanager)")
        return self.options.path(self.options.alertmanager)

    def _sent(self, episode: Episode) -> dict[str, str]:
        labels = {"alertname": episode.name, **episode.labels}
        return {**self._scraping.external_labels, **labels}

    def _window(self, after: Duration, within: Duration | None) -> Window:
        """A window that the lab has seen the whole of: of the rest nothing is known.

        Raises:
            LabError: It ends later.
        """
        start = seconds_of("after", after)
        length = None if within is None else seconds_of("within", within)
        if start > self._now:
            raise self._not_reached(f"after: got {after!r}")
        end = round(start + (length or 0.0), 3)
        if end > self._now:
            got = f"within: got {within!r} from {text_of(start)}, until {text_of(end)}"
            raise self._not_reached(got)
        return Window(start, length)

    def _not_reached(self, got: str) -> LabError:
        return LabError(f"{got}, but the lab has run until {text_of(self._now)}: run() for longer")

    def _expect(self, expected: Expectation) -> None:
        for name in expected.names():
            self.rules.alert(name)
        failure = expected.failure(self.engine.timeline(expected.reads()))
        if failure is not None:
            raise AssertionError(explained(expected, failure, self.engine))
        self.expectations.append(expected)


def _mapping(what: str, given: Mapping[str, T] | None) -> dict[str, T]:
    if given is not None and not isinstance(given, Mapping):
        raise LabError(f"{what}: got {given!r}, want names with values")
    return dict(given or {})
