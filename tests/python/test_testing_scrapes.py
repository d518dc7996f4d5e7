"""Durations, expositions, relabeling and what a scrape leaves, apart from any rule."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from exposition_lines import REFUSED, TAKEN
from inferometer.testing.durations import seconds_of, text_of
from inferometer.testing.errors import LabError
from inferometer.testing.exposition_text import SeriesKey, check_comment, number_text, sample_at
from inferometer.testing.relabeling import Relabeling
from inferometer.testing.scrapes import ScrapeHistory, Target
from polling import wait_until
from prometheus_server import PrometheusServer

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
    ],
)
def test_lines_of_an_exposition(line: str, series: SeriesKey, value: str) -> None:
    sample, end = sample_at(line, 0)
    assert (sample.key, sample.value, end) == (series, {"+Inf": "Inf"}.get(value, value), len(line))


def test_openmetrics_has_exemplars_and_fractions_of_seconds() -> None:
    line = 'a_bucket{le="1"} 5 # {trace_id="x"} 0.3 1.5'
    sample, _ = sample_at(line, 0, openmetrics=True)
    assert (sample.key, sample.value) == (key("a_bucket", le="1"), "5")
    assert sample_at("a 5 1.5", 0, openmetrics=True)[0].value == "5"
    check_comment("# TYPE a stateset", openmetrics=True)
    history = ScrapeHistory(15)
    history.scrape(TARGET, f"# TYPE a_info info\n{line}\n# EOF\n", 0.1)
    assert not history.refused


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("up", "want a sample: name"),
        ("{a=1} 2", "want a sample: name"),
        ('a{b="c} 1', "want a sample: name"),
        ("1a 2", "want a sample: name"),
        ("a much", "with the value 'much', want a number"),
        ("a 1 junk", "want no more behind the value than a timestamp"),
        ('a{b="1",c="2",b="3"} 1', "with the label b twice, want it once"),
        ('a{b="\udcff"} 1', "with a label b that is not UTF-8, want UTF-8"),
        ("a" * 200, "a…', want a sample"),
    ],
)
def test_what_is_no_sample(line: str, text: str) -> None:
    with pytest.raises(LabError, match=f"exposition: got the line .*{text}"):
        sample_at(line, 0)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("# TYPE a nothing", "want a type among counter, gauge"),
        ("# TYPE 1a gauge", "want a metric's name and then its text"),
        ("# HELP ", "want a metric's name behind HELP"),
        ("# HELP a \udcff", "want UTF-8"),
    ],
)
def test_what_is_no_comment(line: str, text: str) -> None:
    with pytest.raises(LabError, match=f"exposition: got the line .*{text}"):
        check_comment(line)


def test_labels_do_not_make_it_slow() -> None:
    line = "a{" + 'b = "1" , ' * 2000 + "} 1 junk {"
    with pytest.raises(LabError, match="want"):
        sample_at(line, 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1", "1"), ("-0.5e3", "-0.5e3"), ("+1", "1.0"), ("0012", "12.0"), ("5.", "5.0"),
     ("nan", "NaN"), ("infinity", "Inf"), ("-INF", "-Inf"), ("1e999", None), ("0x1", None)],
)  # fmt: skip
def test_numbers_are_written_so_that_promtool_reads_the_same(value: str, text: str | None) -> None:
    assert number_text(value) == text


def taken(text: str) -> bool:
    history = ScrapeHistory(15)
    history.scrape(TARGET, text, 0.1)
    history.scrape(TARGET, text, 0.1)  # what is known from the first time is found another way
    return not history.refused


@pytest.mark.parametrize("text", TAKEN)
def test_what_prometheus_takes(text: str) -> None:
    assert taken(text)


@pytest.mark.parametrize("text", REFUSED)
def test_what_prometheus_refuses(text: str) -> None:
    assert not taken(text)


@contextmanager
def serving(texts: Sequence[str]) -> Iterator[int]:
    """The port on which each text is at its number."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = texts[int(self.path.removeprefix("/"))].encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_real_prometheus_says_the_same(prometheus_tools: Path, tmp_path: Path) -> None:
    texts = [*TAKEN, *REFUSED]
    with serving(texts) as port:
        jobs = [
            {
                "job_name": str(at),
                "metrics_path": f"/{at}",
                "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
            }
            for at in range(len(texts))
        ]
        intervals = {"scrape_interval": "1s", "scrape_timeout": "1s"}
        config = {"global": intervals, "scrape_configs": jobs}
        with PrometheusServer(prometheus_tools, tmp_path / "prometheus", config) as prometheus:
            targets = wait_until(
                lambda: prometheus.get("targets")["activeTargets"],
                lambda found: (
                    len(found) == len(texts)
                    and all(target["health"] != "unknown" for target in found)
                ),
                "every target is scraped",
                60.0,
            )
    health = {int(target["labels"]["job"]): target["health"] for target in targets}
    said = [text for at, text in enumerate(texts) if health[at] == "up"]
    assert said == list(TAKEN)


def test_a_refused_scrape_stores_nothing_and_is_remembered() -> None:
    history = ScrapeHistory(15)
    for text in ("a 1\n", "a 2\nb 2\nbad\nc 1\n", "a 3\n"):
        history.scrape(TARGET, text, 0.1)
        history.next_moment()
    series = {name.name: text for name, text in history.series().items()}
    assert series["a"] == "1 stale 3"
    assert series["up"] == "1 0 1"
    assert series["scrape_samples_scraped"] == "1 2 1"
    assert series["b"] == "_x3"
    ((moment, why),) = history.refused[TARGET.instance]
    assert (moment, "'bad'" in why) == (15, True)


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
