"""The rules evaluated on what a lab has scraped until now."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from inferometer.testing import promtool
from inferometer.testing.errors import LabError
from inferometer.testing.lab_options import Scraping
from inferometer.testing.promtool import Scenario
from inferometer.testing.promtool_output import Answers
from inferometer.testing.rule_files import Rule, RuleFiles
from inferometer.testing.scrapes import ScrapeHistory
from inferometer.testing.timeline import Timeline

# promtool needs about 0.25 ms for one rule at one moment: with more of them than this, several
# processes share the work.
_EVALUATIONS_A_PROCESS = 600


class RuleEngine:
    """Asks promtool, once for each alert. Single-owner.

    Args:
        rules: The rules.
        history: What was scraped; it must not grow meanwhile.
        scraping: How Prometheus is set up.
        interval: Seconds between evaluations.
        end: The last moment.

    Raises:
        LabError: Nothing was scraped yet.
    """

    def __init__(
        self,
        rules: RuleFiles,
        history: ScrapeHistory,
        scraping: Scraping,
        interval: float,
        end: float,
    ) -> None:
        if not history.count:
            raise LabError("the lab: got an assertion at second 0, want a run() before")
        self.rules = rules
        self._history = history
        self._scraping = scraping
        self._interval = interval
        self._end = end
        self._known: set[str] = set()
        self._answers = Answers()

    def with_rules(self, rules: RuleFiles) -> RuleEngine:
        """Other rules on the same scrapes."""
        return RuleEngine(rules, self._history, self._scraping, self._interval, self._end)

    def refused(self, until: float) -> Mapping[str, Sequence[tuple[float, str]]]:
        """By target the moments of what Prometheus would refuse up to one, and why."""
        found = {
            instance: [(moment, why) for moment, why in refusals if moment <= until]
            for instance, refusals in self._history.refused.items()
        }
        return {instance: refusals for instance, refusals in found.items() if refusals}

    def timeline(self, names: Collection[str] | None = None) -> Timeline:
        """The states of some alerts; None: of all."""
        wanted = [
            rule
            for rule in self.rules.alerts
            if (names is None or rule.name in names) and rule.name not in self._known
        ]
        if wanted:
            for answers in self._states(wanted):
                self._answers.firing += answers.firing
                self._answers.values |= {
                    key: self._answers.values.get(key, ()) + samples
                    for key, samples in answers.values.items()
                }
            self._known |= {rule.name for rule in wanted}
        return Timeline(self._answers, self._moments())

    def _states(self, alerts: Sequence[Rule]) -> Iterable[Answers]:
        if self.rules.read_alerts():  # then they have to be evaluated together
            self._answers = Answers()
            self._known |= {rule.name for rule in self.rules.alerts}
            return [promtool.states(self._scenario(self.rules.needed()))]
        count = min(
            len(alerts) * len(self._moments()) // _EVALUATIONS_A_PROCESS + 1, os.cpu_count() or 1
        )
        parts = [alerts[at::count] for at in range(count)]
        scenarios = [self._scenario(self.rules.needed_by(part)) for part in parts]
        with ThreadPoolExecutor(count) as threads:
            return list(threads.map(promtool.states, scenarios))

    def ask(self, queries: Sequence[tuple[str, float]]) -> Answers:
        """Evaluates queries, each at a moment, in one run of promtool."""
        texts = [query for query, _ in queries]
        reads_alerts = any("ALERTS" in query for query in texts)
        rules = self.rules.needed(texts) if reads_alerts else self.rules.needed_by((), texts)
        return promtool.values(self._scenario(rules, texts), queries)

    def _moments(self) -> list[float]:
        count = int(self._end / self._interval + 1e-9) + 1
        return [index * self._interval for index in range(count)]

    def _scenario(self, rules: RuleFiles, queries: Iterable[str] = ()) -> Scenario:
        return Scenario(
            rules=rules,
            series=self._history.series(rules.metrics(queries)),
            scrape_interval=self._scraping.interval,
            evaluation_interval=self._interval,
            moments=self._moments(),
            end=self._end,
            external_labels=self._scraping.external_labels,
        )
