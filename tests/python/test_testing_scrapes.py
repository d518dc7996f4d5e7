"""Durations, expositions, relabeling and what a scrape leaves, apart from any rule."""

from __future__ import annotations

from typing import Any

import pytest

from inferometer.testing.durations import seconds_of, text_of
from inferometer.testing.errors import LabError
from inferometer.testing.exposition_text import SeriesKey, sample_of
from inferometer.testing.relabeling import Relabeling
from inferometer.testing.scrapes import ScrapeHistory, Target

TARGET = Target()
OWN = {"job": "triton", "instance": "triton:8002"}


def key(name: str, **labels: str) -> SeriesKey:
    return SeriesKey(name, tuple(sorted(labels.items())))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h30m", 5400), ("250ms", 0.25), ("0s", 0), ("1d", 86400), ("1m30s250ms", 90.25)],
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of("x", text) == seconds
    assert seconds_of("x", text_of(seconds)) == seconds


@pytest.mark.parametrize("wrong", ["", "5", "m", "1.5m", "1 m", -1, float("nan"), True, None])
def test_what_is_no_duration(wrong: Any) -> None:
    with pytest.raises(LabError, match=r"within: got .*, want seconds or a text such as '1h30m'"):
        seconds_of("within", wrong)


@pytest.mark.parametrize(
    ("line", "series", "value"),
    [
        ("up 1", key("up"), "1"),
        ("up{} 1", key("up"), "1"),
        ('a:b{x="1",y="2",} +Inf', key("a:b", x="1", y="2"), "+Inf"),
        (r'a{x="q\"\\\n, }"} NaN', key("a", x='q"\\\n, }'), "NaN"),
        ("up 1 1700000000000", key("up"), "1"),
        ('a_bucket{le="1"} 5 # {trace_id="x"} 0.3 1.5', key("a_bucket", le="1"), "5"),
    ],
)
def test_lines_of_an_exposition(line: str, series: SeriesKey, value: str) -> None:
    assert sample_of(line) == (series, value)


@pytest.mark.parametrize("line", ["up", "{a=1} 2", 'a{b="c} 1', "a{b=c} 1", "1a 2"])
def test_what_is_no_sample(line: str) -> None:
    with pytest.raises(LabError, match=r"exposition: got the line .*, want a sample"):
        sample_of(line)


def test_series_that_come_and_go() -> None:
    history = ScrapeHistory(15)
    for text in ("a 1\n", "a 1\nb 2\n", "b 3\n", "b 3\n", "a 4\n"):
        history.scrape(TARGET, text, 0.1)
        history.next_moment()
    series = history.series(["a", "b"])
    assert series == {
        key("a", **OWN): "1x1 stale _x1 4",
        key("b", **OWN): "_x1 2 3x1 stale",
    }


def test_what_a_target_does_not_say_itself() -> None:
    history = ScrapeHistory(
        15, Relabeling([{"action": "drop", "source_labels": ["x"], "regex": "1"}])
    )
    history.scrape(TARGET, '# HELP a b\na{x="1"} 1\na{x="2"} 1\n', 0.25)
    history.next_moment()
    history.fail(TARGET, 10.0)
    history.next_moment()
    history.next_moment()  # nobody scraped: the target is gone
    assert {name.name: text for name, text in history.series().items()} == {
        "a": "1 stale _x1",
        "up": "1 0 stale",
        "scrape_duration_seconds": "0.25 10.0 stale",
        "scrape_samples_scraped": "2 0 stale",
        "scrape_samples_post_metric_relabeling": "1 0 stale",
    }


def test_a_sample_that_is_there_twice_counts_once() -> None:
    history = ScrapeHistory(15)
    history.scrape(TARGET, "a 1\na 2\n", 0.1)
    history.next_moment()
    assert history.series(["a"]) == {key("a", **OWN): "1"}


def test_labels_that_the_target_has_already() -> None:
    history = ScrapeHistory(15)
    history.scrape(Target("i:1", "j", {"team": "t"}), 'a{job="x",team="y",z="z"} 1\n', 0.1)
    history.next_moment()
    assert list(history.series(["a"])) == [
        key("a", job="j", instance="i:1", team="t", exported_job="x", exported_team="y", z="z")
    ]


def relabeled(*configs: dict[str, Any], name: str = "a", **labels: str) -> SeriesKey | None:
    return Relabeling(configs)(key(name, **labels))


def test_relabeling() -> None:
    def replace(**config: Any) -> dict[str, Any]:
        return {"source_labels": ["__name__"], "target_label": "__name__", **config}

    triton = replace(regex="nv_(.*)_latency_us_(bucket|sum)", replacement="nv_${1}_us_$2")
    assert relabeled(triton, name="nv_x_latency_us_sum") == key("nv_x_us_sum")
    # As in Go, "$1_us" is the group called "1_us", which is none.
    assert relabeled(replace(replacement="x$1_us"), b="1") == key("x", b="1")
    assert relabeled(triton, name="nv_x_latency_us_sum_more") == key("nv_x_latency_us_sum_more")
    assert relabeled(replace(target_label="copy"), b="1") == key("a", b="1", copy="a")
    assert relabeled(replace(target_label="b", replacement=""), b="1") == key("a")
    assert relabeled(replace(replacement=""), b="1") is None
    two = {"source_labels": ["b", "c"], "separator": "-", "target_label": "d"}
    assert relabeled(two, b="1", c="2") == key("a", b="1", c="2", d="1-2")
    keep = {"action": "keep", "source_labels": ["b"], "regex": "x.*"}
    assert relabeled(keep, b="xy") == key("a", b="xy")
    assert relabeled(keep, b="yx") is None
    assert relabeled({**keep, "action": "drop"}, b="xy") is None
    assert relabeled({"action": "labeldrop", "regex": "b.*"}, b="1", bc="2", d="3") == key(
        "a", d="3"
    )
    assert relabeled({"action": "labelkeep", "regex": "__name__|d"}, b="1", d="3") == key(
        "a", d="3"
    )
    assert relabeled({"action": "labelmap", "regex": "x_(.*)"}, x_b="1") == key("a", x_b="1", b="1")
    upper = {"action": "uppercase", "source_labels": ["b"], "target_label": "b"}
    assert relabeled(upper, b="xy") == key("a", b="XY")
    equal = {"action": "keepequal", "source_labels": ["b"], "target_label": "c"}
    assert relabeled(equal, b="1", c="2") is None
    assert relabeled({**equal, "action": "dropequal"}, b="1", c="1") is None


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"action": "keepp"}, "metric_relabel_configs: got action 'keepp', want one of replace"),
        ({"regex": "("}, r"metric_relabel_configs: got regex '\(' .*, want one that Python reads"),
    ],
)
def test_wrong_relabeling(config: dict[str, Any], text: str) -> None:
    with pytest.raises(LabError, match=text):
        Relabeling([config])
