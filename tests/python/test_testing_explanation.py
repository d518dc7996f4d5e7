"""What a failing assertion says: one test for each thing that can hold an alert back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inferometer.testing import AlertLab
from lab_rules import between, gauge, lab


def failure(made: AlertLab, name: str, **arguments: object) -> str:
    """The text of the assertion that an alert fires."""
    with pytest.raises(AssertionError) as raised:
        made.assert_fires(name, **arguments)  # type: ignore[arg-type]
    return str(raised.value)


def held_back(text: str) -> tuple[str, str]:
    """The cause and its explanation."""
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("held back by: "))
    return lines[at].removeprefix("held back by: "), lines[at + 1].strip()


def counters(errors: Callable[[float], object], requests: Callable[[float], object]) -> object:
    return lambda now: (
        f'errors_total{{service="shop"}} {errors(now)}\n'
        f'requests_total{{service="shop"}} {requests(now)}\n'
    )


def test_the_whole_text(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("load", between(120, 150, 20, 5)))
    made.run("5m")
    assert failure(made, "LoadHigh", after="1m", within="3m") == (
        "LoadHigh did not begin to fire between 1m and 4m\n"
        'LoadHigh{job="triton"}  ········▒▒···········\n'
        "                        from 0s to 5m, a column is 15s: · inactive ▒ pending █ firing\n"
        "held back by: for\n"
        "  it was pending from 2m until 2m30s, and waits for 1m\n"
        "values at 2m15s:\n"
        '  … > 10  →  job:load:max{job="triton"} 20\n'
        '    job:load:max  →  job:load:max{job="triton"} 20'
    )


def test_for(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("load", between(260, 900, 20, 5)))
    made.run("5m")
    cause, why = held_back(failure(made, "LoadHigh"))
    assert (cause, why) == (
        "for",
        "it was pending from 4m30s until the lab's end, and waits for 1m",
    )


def test_the_threshold(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("load", lambda now: 9.5))
    made.run("5m")
    cause, why = held_back(failure(made, "LoadHigh"))
    assert (cause, why) == ("threshold", 'job:load:max is 9.5 {job="triton"}, want > 10')


def test_a_missing_metric(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("laod", lambda now: 20))
    made.run("10m")
    cause, why = held_back(failure(made, "LoadHigh"))
    assert cause == "missing metric"
    assert why == (
        "nothing is recorded as job:load:max: no series of load at 10m or up to five minutes before"
    )


def test_a_label_that_no_series_has(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("errors_total", lambda now: now, '{service="bank"}'))
    made.run("5m")
    cause, why = held_back(failure(made, "ErrorsHigh"))
    assert cause == "label mismatch"
    assert why == 'errors_total has service="bank", and service="shop" is asked for'


def test_a_label_that_the_rule_sets_otherwise(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("load", lambda now: 20))
    made.run("5m")
    cause, why = held_back(failure(made, "LoadHigh", labels={"severity": "page"}))
    assert cause == "label mismatch"
    assert why == 'the rule sets severity="critical", and severity="page" is asked for'


def test_a_label_that_was_aggregated_away(tmp_path: Path) -> None:
    text = 'pages_seconds_bucket{le="1"} %d\npages_seconds_bucket{le="+Inf"} %d\n'
    made = lab(tmp_path, lambda now: text % (now, now * 2))
    made.run("5m")
    cause, why = held_back(failure(made, "SlowPages"))
    assert cause == "label mismatch"
    assert why == (
        "sum by (job)(rate(pages_seconds_bucket[1m])) has no label le, so it is no histogram: "
        "keep le in by (…)"
    )


def test_sides_that_do_not_find_each_other(tmp_path: Path) -> None:
    made = lab(tmp_path, lambda now: 'load{zone="a"} 2\nweight{zone="b"} 2\n')
    made.run("5m")
    cause, why = held_back(failure(made, "BothSides"))
    assert cause == "label mismatch"
    assert "nothing on the left of 'and' has the labels of anything on the right" in why
    assert 'zone="a"' in why
    assert 'zone="b"' in why


def test_nan(tmp_path: Path) -> None:
    made = lab(tmp_path, counters(lambda now: 0, lambda now: 7))  # type: ignore[arg-type]
    made.run("5m")
    cause, why = held_back(failure(made, "ErrorsHigh"))
    assert cause == "NaN"
    assert why.endswith("is NaN, which is > nothing: 0 / 0")


def test_too_few_samples(tmp_path: Path) -> None:
    made = lab(tmp_path, counters(int, int), scrape_interval="45s")  # type: ignore[arg-type]
    made.run("42s")
    cause, why = held_back(failure(made, "ErrorsHigh"))
    assert cause == "too few samples"
    assert "needs two samples in its range; it has" in why


def test_what_is_there_is_not_absent(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("load", lambda now: 1))
    made.run("5m")
    cause, why = held_back(failure(made, "AbsentUp"))
    assert cause == "threshold"
    assert why == 'up{job="triton"} is there: up{instance="triton:8002", job="triton"} 1'


def test_a_metric_that_the_asked_for_model_has_not(tmp_path: Path) -> None:
    made = lab(tmp_path, lambda now: 'load{zone="a"} 2\nweight{zone="a"} 2\n')
    made.run("5m")
    cause, why = held_back(failure(made, "BothSides", labels={"zone": "b"}))
    assert cause == "label mismatch"
    assert why.startswith("load has no series with the labels asked for: load{")


def test_the_labels_asked_for_decide_which_values_count(tmp_path: Path) -> None:
    made = lab(tmp_path, lambda now: 'load{zone="a"} 2\nload{zone="b"} 0.5\nweight{zone="b"} 2\n')
    made.run("5m")
    cause, why = held_back(failure(made, "BothSides", labels={"zone": "b"}))
    assert cause == "threshold"
    assert why.startswith("load is 0.5 {")
    assert why.endswith(", want > 1")


def test_an_alert_that_fires_too_early(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("load", between(60, 900, 20, 5)))
    made.run("5m")
    text = failure(made, "LoadHigh", after="3m")
    assert text.startswith("LoadHigh fired already since 2m, want between 3m and 5m\n")
    assert "held back" not in text
    assert 'values at 2m:\n  … > 10  →  job:load:max{job="triton"} 20\n' in text


def test_what_prometheus_would_refuse_is_said(tmp_path: Path) -> None:
    def exposition(now: float) -> str:
        return "load 20\n" if now < 60 else "load 20\ngarbage {{{\n"

    made = lab(tmp_path, exposition)
    made.run("5m")
    refused = (
        "Prometheus would refuse the scrape of triton:8002 at 1m and 16 more until 5m, "
        "so up is 0:\n"
        "  exposition: got the line 'garbage {{{', want a sample: name{labels} value\n"
    )
    assert refused in failure(made, "LoadHigh")
    early = failure(made, "LoadHigh", within="1m")
    assert "would refuse the scrape of triton:8002 at 1m, so up is 0:" in early
    assert "would refuse" not in failure(made, "LoadHigh", within="45s")
    with pytest.raises(AssertionError) as raised:
        made.assert_only(["LoadHigh"])
    assert refused.rstrip() in str(raised.value)


def test_long_timelines_show_the_most_of_each_column(tmp_path: Path) -> None:
    made = lab(tmp_path, gauge("load", between(3600, 3700, 20, 5)))
    made.run("2h")
    drawn = made.timeline.draw(["LoadHigh"]).splitlines()
    assert "a column is 2m" in drawn[1]
    assert drawn[0].count("█") == 1
    assert len(drawn[0]) < 100
