"""What a notebook shows of engines, simulations and their numbers."""

from __future__ import annotations

import json
import os
import pickle
from html.parser import HTMLParser

import numpy as np
import pytest

import inferometer as im
from inferometer.html.quantity import amount, duration
from inferometer.html.stats import Stats
from inferometer.html.table import table

VOID = {"br", "hr", "img", "input", "link", "meta"}
ATTRIBUTES = {"style", "scope"}


class Page(HTMLParser):
    """Reads HTML as a browser would: tags must close, and only some tags and attributes may be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self.captions: list[str] = []
        self.scopes: list[str] = []
        self.styles: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in VOID
        self.tags.append(tag)
        self._open.append(tag)
        given = dict(attrs)
        assert given.keys() <= ATTRIBUTES, given
        self.styles.append(given.get("style") or "")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "th":
            self.scopes.append(given.get("scope") or "")
        if tag == "caption":
            self.captions.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        elif self._open[-1] == "caption":
            self.captions[-1] += data
        elif self._open[-1] != "code":
            raise AssertionError(f"text outside of cells: {data!r}")

    def row(self, head: str) -> list[str]:
        """The cells beside a row's head."""
        (found,) = [row[1:] for row in self.rows if row[0] == head]
        return found


def used_engine(name: str = "m") -> im.Engine:
    """An engine that has answered two requests of two rows."""
    engine = im.Engine(lambda x: x, name=name, registry=im.Registry())
    for _ in range(2):
        engine.infer(np.ones((2, 3), np.float32))
    return engine


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (1.5, "1.5 s"),
        (90, "90 s"),
        (1234.4, "1,234 s"),
        (0.0123, "12.3 ms"),
        (0.99994, "1 s"),
        (9.9996e-4, "1 ms"),
        (25e-6, "25 µs"),
        (14e-9, "14 ns"),
        (5e-11, "0.05 ns"),
        (float("nan"), "-"),
        (float("inf"), "-"),
    ],
)
def test_seconds_get_a_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (12345, "12,345"), (3.519, "3.52"), (999.7, "1,000"), (float("nan"), "-")],
)
def test_numbers_have_three_digits(number: float, text: str) -> None:
    assert amount(number) == text


def test_stats_are_a_dict_in_every_other_way() -> None:
    with used_engine() as engine:
        stats = engine.stats()
    assert isinstance(stats, dict)
    assert repr(stats) == repr(dict(stats))
    assert json.loads(json.dumps(stats)) == stats
    copy = pickle.loads(pickle.dumps(stats))
    assert copy == stats and isinstance(copy, Stats)
    assert {"requests", "latency", "batch_size", "queue_depth"} <= stats.keys()


def test_an_engine_shows_what_it_is_and_its_numbers() -> None:
    with used_engine("digits") as engine:
        html = engine._repr_html_()
        stats = engine.stats()
    page = Page(html)
    assert page.captions[0] == "Engine digits"
    assert page.row("state") == ["ready"]
    assert page.row("inputs") == ["input: float32 (any, 3)"]
    assert page.row("requests: success") == ["2"]
    latency = page.row("latency, a request")
    assert latency[0] == "2"
    assert latency[1:] == [duration(stats["latency"][of]) for of in ("mean", "p50", "p95", "p99")]
    assert page.row("batch size, rows")[:2] == ["2", "2"]
    assert Page(engine._repr_html_()).row("state") == ["closed"]


def test_tables_have_captions_and_headers_that_a_screen_reader_can_tell() -> None:
    with used_engine() as engine:
        page = Page(engine._repr_html_())
    assert "" not in [cell for row in page.rows for cell in row]
    assert len(page.captions) == page.tags.count("table") == 3
    assert all(page.captions)
    assert set(page.scopes) == {"col", "row"}
    # Every row of a body begins with its head.
    assert page.scopes.count("row") == page.tags.count("tr") - 3


def test_colours_are_the_page_s_own() -> None:
    with used_engine() as engine:
        page = Page(engine._repr_html_())
    for style in page.styles:
        for rule in filter(None, style.split(";")):
            name, _, value = rule.partition(":")
            if name == "color":
                assert value == "inherit"
            if name == "background":
                assert value == "transparent"
            assert "url" not in value


@pytest.mark.parametrize("shown", ["engine", "spec"])
def test_names_cannot_inject(shown: str) -> None:
    evil = '<script>alert("x")</script><img src=http://x onerror=y>&amp;'
    inputs = [im.Spec(evil, "float32", (-1, 3))] if shown == "spec" else None
    name = evil if shown == "engine" else "m"
    with im.Engine(lambda x: x, name=name, inputs=inputs, registry=im.Registry()) as engine:
        html = engine._repr_html_()
    page = Page(html)  # refuses tags and attributes that a table of ours has not
    assert "<script" not in html and "<img" not in html
    assert set(page.tags) == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert evil in (page.captions[0] if shown == "engine" else page.row("inputs")[0])


def test_table_escapes_everything_it_is_given() -> None:
    page = Page(table("<b>", ("<i>", "&"), [("<u>", "</table>")]))
    assert page.captions == ["<b>"]
    assert page.rows == [["<i>", "&"], ["<u>", "</table>"]]


def test_an_engine_that_records_nothing_says_so() -> None:
    with im.Engine(lambda x: x, name="m", registry=im.NO_METRICS) as engine:
        page = Page(engine._repr_html_())
    assert page.captions[1] == "Nothing is recorded (NO_METRICS)"
    assert page.row("queue depth") == ["0"]


def test_an_engine_without_requests_has_no_means() -> None:
    with im.Engine(lambda x: x, name="m", registry=im.Registry()) as engine:
        page = Page(engine._repr_html_())
    assert page.row("latency, a request") == ["0", "-", "-", "-", "-"]
    assert page.row("inputs") == ["fixed by the first request"]


def test_a_simulation_shows_where_it_is() -> None:
    simulation = im.simulate(im.Batching(max_batch_size=4), [0.0, 0.001, 0.002], (2e-3, 1e-3))
    simulation.advance(1.0)
    page = Page(simulation._repr_html_())
    assert page.captions[0] == "Simulation"
    assert page.row("simulated time") == ["1 s"]
    assert page.row("requests: success") == ["3"]
    assert page.row("successes a second") == ["3"]


def test_batched_functions_have_the_same_numbers() -> None:
    @im.batched(im.Batching(), registry=im.Registry())
    def length(texts: list[str]) -> list[int]:
        return [len(text) for text in texts]

    assert length("abc") == 3
    assert Page(length.stats()._repr_html_()).row("requests: success") == ["1"]
    length.close()


def test_a_forked_child_sees_its_parent_s_engine_without_an_error() -> None:
    with im.Engine(lambda x: x, name="<m>", registry=im.Registry()) as engine:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            try:
                os.write(write, engine._repr_html_().encode())
            finally:
                os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        with os.fdopen(read, encoding="utf-8") as pipe:
            html = pipe.read()
    page = Page(html)
    assert page.tags == ["code"]
    assert "Engine &#x27;&lt;m&gt;&#x27;" in html
