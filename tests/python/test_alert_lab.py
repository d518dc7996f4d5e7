"""The alert lab: phases, scrapes, assertions and what they refuse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import inferometer as im
from inferometer.testing import (
    Delay,
    Flood,
    LabError,
    Model,
    Random,
    Recorded,
    SlowScrape,
    Steady,
    TargetDown,
    TargetGone,
)
from lab_rules import between, gauge, high, lab


def test_firing_and_resolving_to_the_second(tmp_path: Path) -> None:
    made = high(tmp_path)
    episode = made.assert_fires("LoadHigh")
    assert (episode.active_at, episode.fired_at, episode.resolved_at) == (120, 180, 300)
    assert episode.labels == {"job": "triton", "severity": "critical"}
    assert episode.annotations == {"summary": "the load of triton is 20"}
    made.assert_resolves("LoadHigh")
    made.assert_pending("LoadHigh", after="2m", within="30s")


@pytest.mark.parametrize(
    ("after", "within", "fires"),
    [
        ("2m", "1m", True),
        (120, 60.0, True),
        (0, None, True),
        ("2m", "45s", False),
        ("3m15s", None, False),
        (0, "2m", False),
    ],
)
def test_windows(tmp_path: Path, after: Any, within: Any, fires: bool) -> None:
    made = high(tmp_path)
    if fires:
        made.assert_fires("LoadHigh", after, within)
    else:
        with pytest.raises(AssertionError, match=r"LoadHigh (did not begin to fire|fired already)"):
            made.assert_fires("LoadHigh", after, within)


def test_what_never_means(tmp_path: Path) -> None:
    made = high(tmp_path)
    made.assert_never("LoadHigh", after=0, within="2m45s")
    made.assert_never("LoadHigh", after="5m")
    made.assert_never("LoadHigh", labels={"job": "other"})
    with pytest.raises(AssertionError, match="LoadHigh fired at 3m, want it never to between"):
        made.assert_never("LoadHigh")


def test_what_only_means(tmp_path: Path) -> None:
    made = high(tmp_path)
    made.assert_only({"LoadHigh"})  # Watchdog reads nothing and always fires
    made.assert_only({"LoadHigh", "Watchdog"})
    made.assert_only((), after="5m")
    with pytest.raises(AssertionError, match=r"got LoadHigh firing between .*, want no alert"):
        made.assert_only([])
    with pytest.raises(AssertionError, match=r"got LoadHigh firing .*, want ErrorsHigh, LoadHigh"):
        made.assert_only({"LoadHigh", "ErrorsHigh"})


def test_what_resolves_means(tmp_path: Path) -> None:
    made = high(tmp_path)
    made.assert_resolves("LoadHigh", after="4m", within="1m")
    with pytest.raises(AssertionError, match="LoadHigh still fired at 4m30s, want it resolved"):
        made.assert_resolves("LoadHigh", after="4m", within="30s")
    with pytest.raises(AssertionError, match="LoadHigh did not fire at 1m, want it to and to"):
        made.assert_resolves("LoadHigh", after="1m")
    with pytest.raises(AssertionError, match="Watchdog still fired at 10m, want it resolved"):
        made.assert_resolves("Watchdog")


@pytest.mark.parametrize(
    ("want", "right"),
    [
        ("the load of triton is 20", True),
        (re.compile(r"is \d+$"), True),
        (lambda text: text.startswith("the load"), True),
        ("the load", False),
        (re.compile("^load"), False),
        (str.isdigit, False),
    ],
)
def test_annotations(tmp_path: Path, want: Any, right: bool) -> None:
    made = high(tmp_path)
    if right:
        made.assert_fires("LoadHigh", annotations={"summary": want})
    else:
        with pytest.raises(AssertionError, match="its annotation summary is 'the load of triton"):
            made.assert_fires("LoadHigh", annotations={"summary": want})


@pytest.mark.parametrize(
    "call", ["assert_fires", "assert_resolves", "assert_pending", "assert_never", "assert_only"]
)
def test_a_misspelt_name_is_refused(tmp_path: Path, call: str) -> None:
    # promtool would say that an alert that does not exist does not fire: a success.
    made = high(tmp_path)
    with pytest.raises(LabError, match=r"alert: got 'LoadHihg', .* did you mean LoadHigh\?"):
        getattr(made, call)("LoadHihg")


def test_routing_and_inhibition(tmp_path: Path) -> None:
    def exposition(now: float) -> str:
        bad = now >= 120
        counted = int(now) * 10
        return (
            f"load {20 if bad else 5}\n"
            f'requests_total{{service="shop"}} {counted}\n'
            f'errors_total{{service="shop"}} {counted if bad else 0}\n'
        )

    made = lab(tmp_path, exposition)
    made.run("10m")
    made.assert_routed("LoadHigh", to="pager")
    made.assert_routed("ErrorsHigh", to=["chat"])
    made.assert_inhibited("ErrorsHigh", by="LoadHigh")
    with pytest.raises(AssertionError, match=r"LoadHigh goes to \['pager'\], want \['chat'\]"):
        made.assert_routed("LoadHigh", to="chat")
    with pytest.raises(AssertionError, match="LoadHigh is sent while ErrorsHigh fires"):
        made.assert_inhibited("LoadHigh", by="ErrorsHigh")
    with pytest.raises(AssertionError, match="SlowPages and LoadHigh do not fire at the same"):
        made.assert_inhibited("SlowPages", by="LoadHigh")


def test_phases_follow_each_other(tmp_path: Path) -> None:
    made = lab(tmp_path, models=[Model("digits", im.Batching(1))])
    made.run("1m", load=10)
    made.run("1m", load=10, faults=[Delay(1.5)])
    made.run("1m", load=Recorded((1.0, 2.0)))
    assert made.now == 180
    count = made.expr('inference_requests_total{status="success"}')
    assert [result.value for result in count.over(["1m", "3m"])] == [600, 1202]
    fast = made.expr('inference_latency_seconds_bucket{le="1.0"}').over(["1m", "2m"])
    assert [result.value for result in fast] == [600, 600]


@pytest.mark.parametrize(
    ("load", "requests"),
    [
        (2, 120),
        (Steady(0.5), 30),
        (Steady(1, rows=3), 60),
        (Recorded((0, 1, 59.5, 60.5)), 3),
        ({"digits": 1}, 60),
        (None, 0),
    ],
)
def test_loads(tmp_path: Path, load: Any, requests: int) -> None:
    made = lab(tmp_path, models=["digits", "letters"])
    made.run("1m", load=load)
    made.run("1m")
    result = made.expr('inference_requests_total{status="success"}').at("2m").by("model_name")
    assert result["digits"] == requests
    assert result["letters"] == (0 if isinstance(load, dict) else requests)


def test_random_loads_are_the_same_every_time(tmp_path: Path) -> None:
    times = [Random(5, seed=seed).arrivals(60, 120)[:, 0].tolist() for seed in (1, 1, 2)]
    assert times[0] == times[1] != times[2]
    assert 200 < len(times[0]) < 400
    assert all(60 <= moment < 120 for moment in times[0])


def test_a_flood_is_added_to_the_load(tmp_path: Path) -> None:
    made = lab(tmp_path, models=["digits", "letters"])
    made.run("1m", load=1, faults=[Flood(10, model="digits")])
    made.run("15s")
    result = made.expr('inference_requests_total{status="success"}').at("75s").by("model_name")
    assert result == {"digits": 660, "letters": 60}


def test_what_failed_scrapes_leave(tmp_path: Path) -> None:
    made = lab(tmp_path)
    made.run("1m", load=1)
    made.run("1m", load=1, faults=[TargetDown("20s")])
    made.run("1m", load=1, faults=[TargetGone()])
    made.run("1m", load=1, faults=[SlowScrape(2.5)])
    made.run("1m", load=1, faults=[SlowScrape(30)])

    def values(query: str) -> list[float | None]:
        results = made.expr(query).over([60, 120, 180, 240, 300])
        return [result.samples[0].value if result.samples else None for result in results]

    assert values("up") == [1, 0, None, 1, 0]
    assert values("scrape_duration_seconds") == [0.005, 10, None, 2.5, 10]
    assert values("inference_queue_depth") == [0, None, None, 0, None]
    assert values("scrape_samples_scraped > bool 0") == [1, 0, None, 1, 0]


def test_an_exposition_that_raises_is_a_failed_scrape(tmp_path: Path) -> None:
    def exposition(now: float) -> bytes:
        if now >= 60:
            raise ConnectionRefusedError
        return b"load 1\n"

    made = lab(tmp_path, exposition)
    made.run("2m")
    assert [one.value for one in made.expr("up").over(["45s", "1m"])] == [1, 0]


def test_labels_of_the_target_and_relabeling(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text("""
global: {scrape_interval: 10s, external_labels: {site: north}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: other
  - job_name: mine
    static_configs: [{targets: ["one:1", "two:2"], labels: {team: vision}}]
    metric_relabel_configs:
      - {source_labels: [__name__], regex: lo(.*), target_label: __name__, replacement: hi$1}
""")
    made = lab(
        tmp_path,
        gauge("load", lambda now: 1, '{job="theirs"}'),
        prometheus="prometheus.yml",
        job="mine",
    )
    made.run("1m")
    samples = made.expr("hiad").at("1m").samples
    assert sorted(dict(sample.labels).pop("instance") for sample in samples) == ["one:1", "two:2"]
    for sample in samples:
        labels = dict(sample.labels)
        assert (labels["job"], labels["exported_job"], labels["team"]) == (
            "mine",
            "theirs",
            "vision",
        )
    assert made.expr("count_over_time(hiad[1m])").at("1m").samples[0].value == 7


def test_another_lab_begins_at_second_0(tmp_path: Path) -> None:
    made = high(tmp_path)
    other = made.fresh(exposition=gauge("load", lambda now: 1))
    assert other.now == 0
    other.run("5m")
    other.assert_never("LoadHigh")
    assert made.children == [other]


def test_evaluations_are_as_far_apart_as_the_groups_say(tmp_path: Path) -> None:
    slow = "groups: [{name: g, interval: 1m, rules: [{alert: A, expr: load > 10, for: 2m}]}]"
    made = lab(tmp_path, gauge("load", between(100, 600, 20, 5)), rules=slow)
    made.run("10m")
    assert made.assert_fires("A").fired_at == 240
    often = made.fresh(evaluation_interval="15s")
    often.run("10m")
    assert often.assert_fires("A").fired_at == 225


def test_rules_that_read_alerts(tmp_path: Path) -> None:
    rules = """
groups:
  - name: g
    interval: 15s
    rules:
      - {alert: Load, expr: load > 10}
      - alert: Any
        expr: count(ALERTS{alertname="Load", alertstate="firing"}) > 0
"""
    made = lab(tmp_path, gauge("load", between(60, 120, 20, 5)), rules=rules)
    made.run("5m")
    assert made.assert_fires("Any").fired_at == 60


def test_a_rule_that_cannot_be_evaluated(tmp_path: Path) -> None:
    rules = "groups: [{name: g, rules: [{alert: A, expr: load + on (zone) weight > 1}]}]"
    text = 'load{a="1"} 1\nload{a="2"} 1\nweight 1\n'
    made = lab(tmp_path, lambda now: text, rules=rules, evaluation_interval="15s")
    made.run("1m")
    with pytest.raises(LabError, match=r"promtool: .*many-to-one|promtool: .*multiple matches"):
        made.assert_never("A")
