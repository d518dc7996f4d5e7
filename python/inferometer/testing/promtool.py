"""The real rule engine: promtool test rules, asked for all instead of tested for something."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inferometer.testing import promtool_output, tools
from inferometer.testing.durations import text_of
from inferometer.testing.exposition_text import SeriesKey
from inferometer.testing.promtool_output import Answers
from inferometer.testing.rule_files import RuleFiles

PENDING = 'ALERTS{alertstate="pending"}'

_SECONDS = 300.0


@dataclass(frozen=True)
class Scenario:
    """What the rules are evaluated on.

    Attributes:
        rules: The rules.
        series: What was scraped, in promtool's notation.
        scrape_interval: Seconds between its values.
        evaluation_interval: Seconds between evaluations. promtool goes by this alone, not by the
            interval of a group.
        moments: When the rules are evaluated.
        end: The last moment, in seconds since the first scrape.
        external_labels: As in prometheus.yml.
    """

    rules: RuleFiles
    series: Mapping[SeriesKey, str]
    scrape_interval: float
    evaluation_interval: float
    moments: Sequence[float]
    end: float
    external_labels: Mapping[str, str] = field(default_factory=dict)


def states(scenario: Scenario) -> Answers:
    """Asks which alerts are pending and which fire, at every evaluation."""
    names = list(dict.fromkeys(rule.name for rule in scenario.rules.alerts))
    expected = [(name, moment) for moment in scenario.moments for name in names]
    return _ask(scenario, expected, [(PENDING, moment) for moment in scenario.moments])


def values(scenario: Scenario, queries: Sequence[tuple[str, float]]) -> Answers:
    """Asks what some queries give, each at a moment."""
    return _ask(scenario, [], queries)


def _ask(
    scenario: Scenario,
    alerts: Sequence[tuple[str, float]],
    queries: Sequence[tuple[str, float]],
) -> Answers:
    promtool = tools.find("promtool")
    with tempfile.TemporaryDirectory(prefix="alert-lab-") as name:
        folder = Path(name)
        for index, document in enumerate(scenario.rules.documents):
            # JSON is YAML.
            (folder / f"rules-{index}.yml").write_text(json.dumps(document), encoding="utf-8")
        path = folder / "lab.yml"
        path.write_text("\n".join(_lines(scenario, alerts, queries)), encoding="utf-8")
        done = subprocess.run(
            [promtool, "test", "rules", path],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    return promtool_output.parse(done.stdout + done.stderr)


def _lines(
    scenario: Scenario,
    alerts: Sequence[tuple[str, float]],
    queries: Sequence[tuple[str, float]],
) -> Iterator[str]:
    """The test file. Every expectation is of nothing, so that what there is shows as a failure."""
    quote = json.dumps
    files = [f"rules-{index}.yml" for index in range(len(scenario.rules.documents))]
    yield f"rule_files: {quote(files)}"
    yield f"evaluation_interval: {text_of(scenario.evaluation_interval)}"
    # Without it promtool takes groups in a random order.
    yield f"group_eval_order: {quote(scenario.rules.group_order())}"
    yield "tests:"
    yield f"- interval: {text_of(scenario.scrape_interval)}"
    yield f"  external_labels: {quote(dict(scenario.external_labels))}"
    yield "  input_series:"
    for key, values in scenario.series.items():
        yield f"  - {{series: {quote(str(key))}, values: {quote(values)}}}"
    # promtool evaluates up to the latest of these; and every file needs one.
    yield "  promql_expr_test:"
    yield f"  - {{expr: vector(0), eval_time: {text_of(scenario.end)}, exp_samples: []}}"
    for query, moment in queries:
        yield f"  - {{expr: {quote(query)}, eval_time: {text_of(moment)}, exp_samples: []}}"
    if alerts:
        yield "  alert_rule_test:"
    for name, moment in alerts:
        yield f"  - {{eval_time: {text_of(moment)}, alertname: {quote(name)}, exp_alerts: []}}"
