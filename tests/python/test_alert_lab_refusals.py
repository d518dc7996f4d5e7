"""What the alert lab refuses: what cannot be, and what would prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inferometer.testing import (
    AlertLab,
    Delay,
    Errors,
    Flood,
    Gpu,
    LabError,
    LabOptions,
    Random,
    Recorded,
    SlowScrape,
    Stall,
    Steady,
    TargetDown,
)
from lab_rules import gauge, high, lab


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"models": []}, r"models: got \[\], want one or more"),
        ({"models": ["a", "a"]}, r"models: got \['a', 'a'\], want one or more, each with a name"),
        ({"scrape_interval": "soon"}, "scrape_interval: got 'soon', want seconds or a text"),
        ({"scrape_interval": 0}, "scrape_interval: got 0, want more than 0"),
        ({"evaluation_interval": -1}, "evaluation_interval: got -1, want seconds or a text"),
        ({"prometheus": "none.yml"}, "prometheus: got .*none.yml .*, want a prometheus.yml"),
    ],
)
def test_wrong_options(tmp_path: Path, options: dict[str, Any], text: str) -> None:
    with pytest.raises(LabError, match=text):
        lab(tmp_path, **options)


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ("groups: [", "rules: got .*rules.yml .*, want a file of rules"),
        ("alerts: []", "rules: got .*rules.yml without groups, want a file of rules"),
        (
            "groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]",
            r"A: got expr 'sum\(' .*, want a query",
        ),
        (
            "groups: [{name: g, rules: [{alert: A, expr: up, for: long}]}]",
            "for: got 'long', want seconds",
        ),
    ],
)
def test_wrong_rules(tmp_path: Path, rules: str, text: str) -> None:
    with pytest.raises(LabError, match=f"(?s){text}"):
        lab(tmp_path, rules=rules)


def test_what_else_is_refused(tmp_path: Path) -> None:
    made = lab(tmp_path)
    with pytest.raises(LabError, match="got an assertion at second 0, want a run"):
        made.assert_never("LoadHigh")
    with pytest.raises(LabError, match="load: got 'much', want requests a second, Steady"):
        made.run("1m", load="much")  # type: ignore[arg-type]
    with pytest.raises(LabError, match="load: got one for 'x', want models among model"):
        made.run("1m", load={"x": 1})
    with pytest.raises(LabError, match="Gpu: got index 0, want one of the lab's 0 gpus"):
        made.run("1m", faults=[Gpu(0, {"utilization": 1})])
    with pytest.raises(LabError, match="the option 'rulez', want one of rules, prometheus"):
        made.fresh(rulez=[])
    with pytest.raises(LabError, match=r"rules: got 'none\.yml', want a file in"):
        made.fresh(rules=["none.yml"])
    with pytest.raises(LabError, match="rules: got none, want rule files"):
        made.fresh(rules=[])
    own = lab(tmp_path, gauge("load", lambda now: 1))
    with pytest.raises(LabError, match="load: got 5, want none: the exposition is your own"):
        own.run("1m", load=5)
    own.run("1m")
    with pytest.raises(LabError, match=r"(?s)expr: got 'sum\(' .*, want a query"):
        own.expr("sum(")
    with pytest.raises(LabError, match="within: got '1m' without after, want both"):
        own.assert_resolves("LoadHigh", within="1m")
    with pytest.raises(AssertionError, match="nothing_there at 1m: got nothing, want one element"):
        _ = own.expr("nothing_there").at("1m").value
    with pytest.raises(LabError, match="alertmanager: got none, want its file"):
        own.fresh(alertmanager=None).assert_routed("LoadHigh", to="x")
    assert LabOptions().rules == ()


@pytest.mark.parametrize(
    "refused", ["load much", "{} 1", "m 1 extra junk here", 'm{a="1",a="2"} 1', "garbage {{{"]
)
def test_what_prometheus_would_refuse_is_a_failed_scrape(tmp_path: Path, refused: str) -> None:
    made = lab(tmp_path, lambda now: f"load 20\n{refused}\n".encode())
    made.run("5m")
    assert made.expr("up").at("5m").value == 0
    assert made.expr("load").at("5m").samples == ()
    made.assert_never("LoadHigh")
    with pytest.raises(AssertionError, match=r"Prometheus would refuse the scrape of triton:8002"):
        made.assert_fires("LoadHigh")


def test_bytes_that_are_no_utf8_are_a_failed_scrape(tmp_path: Path) -> None:
    made = lab(tmp_path, lambda now: b'load{a="\xff"} 20\n')
    made.run("1m")
    assert made.expr("up").at("1m").value == 0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda m: m.assert_never("LoadHigh", after="3h"), "after: got '3h', but the lab has run"),
        (lambda m: m.assert_never("LoadHigh", after="5m", within="2h"),
         "within: got '2h' from 5m, until 2h5m, but the lab has run until 10m: run"),
        (lambda m: m.assert_only((), after="10m1s"), "after: got '10m1s', but the lab has run"),
        (lambda m: m.assert_fires("LoadHigh", within=601), "within: got 601 from 0s, until 10m1s"),
        (lambda m: m.assert_pending("LoadHigh", after="11m"), "after: got '11m', but the lab"),
        (lambda m: m.assert_resolves("LoadHigh", after="9m", within="2m"), "within: got '2m' from"),
        (lambda m: m.expr("up").at("1h"), "at: got 1h, but the lab has run until 10m: run"),
    ],
)  # fmt: skip
def test_of_what_was_not_simulated_nothing_is_proved(
    tmp_path: Path, call: Callable[[AlertLab], object], text: str
) -> None:
    made = high(tmp_path)
    with pytest.raises(LabError, match=text):
        call(made)
    assert made.expectations == []


def test_a_window_may_end_where_the_lab_does(tmp_path: Path) -> None:
    made = high(tmp_path)
    made.assert_never("LoadHigh", after="5m", within="5m")
    made.assert_only((), after="10m")
    made.run(0.3)
    made.assert_never("LoadHigh", after=600.1, within=0.2)  # as floats their sum is more than 600.3


@pytest.mark.parametrize(
    ("faults", "text"),
    [
        ([Delay(3, model="nope")], "faults: got one for 'nope', want models among model$"),
        (
            [Delay(3, instance="nope:1")],
            "faults: got one for 'nope:1', want instances among tri",
        ),
        ([TargetDown(instance="b:1")], "faults: got one for 'b:1', want instances among"),
        (Delay(1), r"faults: got Delay\(.*\), want a list of them"),
        (5, "faults: got 5, want a list of them"),
        ([Delay], "faults: got <class '.*Delay'>, want faults such as"),
        ("Delay", "faults: got 'D', want faults such as"),
    ],
)
def test_faults_that_meet_nobody(tmp_path: Path, faults: Any, text: str) -> None:
    made = lab(tmp_path)
    with pytest.raises(LabError, match=text):
        made.run("1m", faults=faults)
    assert made.now == 0


@pytest.mark.parametrize("fault", [Delay(3), Errors(0.5), Stall(), Flood(5), TargetDown(model="m")])
def test_of_ones_own_service_only_scrapes_can_fail(tmp_path: Path, fault: Any) -> None:
    made = lab(tmp_path, gauge("load", lambda now: 1))
    with pytest.raises(LabError, match="want those of scrapes alone: the exposition is your own"):
        made.run("1m", faults=[fault])
    made.run("1m", faults=[TargetDown()])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Delay("2"), "Delay: got seconds '2', want a number, 0 or more"),  # type: ignore
        (lambda: Delay(-1), "Delay: got seconds -1, want a number, 0 or more"),
        (lambda: Delay(float("nan")), "Delay: got seconds nan, want a number"),
        (lambda: Errors(2), "Errors: got ratio 2, want a number from 0 to 1"),
        (lambda: Flood(True), "Flood: got rate True, want a number"),
        (lambda: Flood(1, rows=0), "Flood: got rows 0, want a whole number, 1 or more"),
        (lambda: TargetDown("long"), "TargetDown: after: got 'long', want seconds or a text"),
        (lambda: SlowScrape("30s"), "SlowScrape: got seconds '30s', want a number"),  # type: ignore
        (lambda: Gpu("0", {}), "Gpu: got index '0', want a whole number"),  # type: ignore
        (lambda: Gpu(0, 97), "Gpu: got readings 97, want names with values"),  # type: ignore
        (lambda: Steady("5"), "Steady: got rate '5', want a number"),  # type: ignore
        (lambda: Random(5, rows=0.5), "Random: got rows 0.5, want a whole number"),  # type: ignore
        (lambda: Recorded(5), "Recorded: got seconds 5, want a tuple of numbers"),  # type: ignore
        (lambda: Recorded((1, "2")), "Recorded: got seconds '2', want a number"),  # type: ignore
    ],
)
def test_wrong_numbers(make: Callable[[], object], text: str) -> None:
    with pytest.raises(LabError, match=text):
        make()


def test_what_is_of_another_type(tmp_path: Path) -> None:
    for options, text in (
        ({"models": "digits"}, "models: got 'digits', want a list of them"),
        ({"instances": "a:1"}, "instances: got 'a:1', want a list of them"),
        ({"gpus": {"utilization": 5}}, "gpus: got {'utilization': 5}, want a list of them"),
        ({"labels": ["a"]}, r"labels: got \['a'\], want names with values"),
        ({"exposition": "load 1"}, "exposition: got 'load 1', want a function of the second"),
    ):
        with pytest.raises(LabError, match=text):
            LabOptions(**options)
    number: Any = 5
    with pytest.raises(LabError, match="exposition: got 5 at 0s, want text or bytes"):
        lab(tmp_path, lambda now: number).run("1m")
    made = high(tmp_path)
    with pytest.raises(LabError, match="labels: got 5, want names with values"):
        made.assert_never("LoadHigh", labels=number)
    with pytest.raises(LabError, match="annotations: got 5, want names with values"):
        made.assert_fires("LoadHigh", annotations=number)
    with pytest.raises(LabError, match="names: got 5, want the names of alerts"):
        made.assert_only(number)
    with pytest.raises(LabError, match="alert: got 5, want one of the 6 in the rule files"):
        made.assert_never(number)
    with pytest.raises(LabError, match=r"expr: got 5 .*, want a query"):
        made.expr(number)
    with pytest.raises(LabError, match="load: got one for 5, want models among model"):
        lab(tmp_path).run("1m", load={number: 1, "x": 2})
