"""The registry and the application's metrics from Python."""

from __future__ import annotations

import math
import os
import random
import signal
import struct
import sys
import threading
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.utils import floatToGoString

import inferometer as im


def go_float(value: float) -> str:
    """`value` as prometheus_client writes it."""
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]


def samples(registry: im.Registry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of the exposition as prometheus_client's parser reads it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(im.render_metrics(registry)[0].decode())
        for sample in family.samples
    }


def test_counter() -> None:
    registry = im.Registry()
    hits = registry.counter("hits", "Hits.")
    hits.inc()
    hits.inc(2.5)
    assert hits.value == 3.5
    assert hits.name == "hits_total"
    assert registry.sample_value("hits_total") == 3.5


@pytest.mark.parametrize("amount", [-1.0, math.nan])
def test_counters_do_not_fall(amount: float) -> None:
    hits = im.Registry().counter("hits")
    with pytest.raises(im.ConfigError, match="got an increment of"):
        hits.inc(amount)
    assert hits.value == 0


def test_gauge() -> None:
    level = im.Registry().gauge("level")
    level.set(4)
    level.inc()
    level.dec(2.5)
    assert level.value == 2.5


def test_histogram() -> None:
    registry = im.Registry()
    wait = registry.histogram("wait", "Wait.", ["queue"], buckets=(1, 2.5, math.inf))
    for value in (0.5, 1, 2, 100, math.nan):
        wait.labels("a").observe(value)
    found = samples(registry)
    counts = [found["wait_bucket", (("le", le), ("queue", "a"))] for le in ("1.0", "2.5", "+Inf")]
    assert counts == [2, 3, 5]
    assert found["wait_count", (("queue", "a"),)] == 5
    assert math.isnan(found["wait_sum", (("queue", "a"),)])


def test_default_buckets_are_those_of_prometheus_client() -> None:
    from prometheus_client import Histogram as Reference

    registry = im.Registry()
    registry.histogram("wait").observe(1)
    bounds = [dict(labels)["le"] for name, labels in samples(registry) if name == "wait_bucket"]
    assert bounds == [go_float(bound) for bound in Reference.DEFAULT_BUCKETS]


def test_label_values_by_position_and_by_name_are_the_same_series() -> None:
    registry = im.Registry()
    hits = registry.counter("hits", labelnames=("path", "code"))
    hits.labels("/", 200).inc()
    hits.labels(code="200", path="/").inc()
    assert hits.labels("/", "200").value == 2
    assert registry.sample_value("hits_total", {"path": "/", "code": "200"}) == 2
    assert hits.labelnames == ("path", "code")


def test_label_values_are_escaped_as_prometheus_client_reads_them() -> None:
    registry = im.Registry()
    level = registry.gauge("level", 'Help "x" \\ \n end', ["text"])
    texts = ['a"b', "back\\slash", "new\nline", "\\n", "é€😀", "", " x ", "\0"]
    for i, text in enumerate(texts):
        level.labels(text).set(i)
    found = samples(registry)
    for i, text in enumerate(texts):
        assert found["level", (("text", text),)] == i
    (family,) = [
        family
        for family in text_string_to_metric_families(im.render_metrics(registry)[0].decode())
        if family.name == "level"
    ]
    assert family.documentation == 'Help "x" \\ \n end'


def labelled() -> im.Counter:
    return im.Registry().counter("hits", "", ["a", "b"])


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda: labelled().labels("x"), r"got 1 label values, want 2 \(a, b\)"),
        (lambda: labelled().labels("x", "y", "z"), "got 3 label values, want 2"),
        (lambda: labelled().labels(a="x"), "got no value for label b"),
        (lambda: labelled().labels(a="x", b="y", c="z"), "got 3 label values by name, want 2"),
        (lambda: labelled().labels("x", b="y"), "by position and by name"),
        (lambda: labelled().labels(), "got 0 label values"),
        (lambda: labelled().labels("x", "\ud800"), "lone surrogates"),
        (lambda: labelled().inc(), "labels"),
        (lambda: labelled().remove("x"), "got 1 label values"),
        (lambda: labelled().labels("x", "y").labels("x", "y"), "one of its series"),
        (lambda: im.Registry().gauge("g").labels("x"), "a metric without labels"),
        (lambda: im.Registry().gauge("g").remove(), "has no labels"),
        (lambda: im.Registry().gauge("no-dash"), "got metric name"),
        (lambda: im.Registry().gauge("g", "\ud800"), "help: got text with lone surrogates"),
        (lambda: im.Registry().gauge("g", "", "ab"), "labelnames: got a string"),
        (lambda: im.Registry().gauge("g", "", ["__x"]), "begin with __"),
        (lambda: im.Registry().gauge("g", "", ["le"]), "got label name"),
        (lambda: im.Registry().gauge("g", "", ["a", "a"]), "want each once"),
        (lambda: im.Registry().histogram("h", buckets=[]), "no finite bucket bound"),
        (lambda: im.Registry().histogram("h", buckets=[2, 1]), "want ascending bounds"),
        (lambda: im.Registry().histogram("h", buckets=[math.nan]), "NaN"),
        (lambda: im.Registry().counter("inference_requests_total"), "collide"),
        (lambda: im.Registry(max_series_per_family=-1), "got -1, want 0 or more"),
        (lambda: setattr(im.Registry(), "max_series_per_family", -2), "got -2, want 0"),
    ],
)
def test_errors(action: Callable[[], object], message: str) -> None:
    with pytest.raises(im.ConfigError, match=message):
        action()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda r: r.counter("c").inc("1"), "must be real number, not str"),
        (lambda r: r.counter("c").inc(1, {}, 2), "at most 2"),
        (lambda r: r.counter("c").inc(by=1), "unexpected argument 'by'"),
        (lambda r: r.counter("c").inc(1, amount=1), "second argument 'amount'"),
        (lambda r: r.counter("c").inc(exemplar="x"), "exemplar: got str, want a dict"),
        (lambda r: r.counter("c").inc(exemplar={"a": 1}), "got int in its labels, want str"),
        (lambda r: r.gauge("g").set(), "got no argument, want 'value'"),
        (lambda r: r.gauge("g").dec(None), "must be real number"),
        (lambda r: r.histogram("h").observe(), "got no argument, want 'value'"),
        (lambda r: r.histogram("h").observe(amount=1), "unexpected argument 'amount'"),
        (lambda r: im.Counter(), "cannot create"),
    ],
)
def test_wrong_arguments_are_type_errors(
    action: Callable[[im.Registry], object], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        action(im.Registry())


def test_arguments_by_name() -> None:
    registry = im.Registry()
    registry.counter("c").inc(amount=2, exemplar=None)
    registry.gauge("g").set(value=3)
    registry.gauge("d").dec(amount=1)
    registry.histogram("h").observe(value=4, exemplar={"trace_id": "x"})
    for name, value in {"c_total": 2, "g": 3, "d": -1, "h_sum": 4}.items():
        assert registry.sample_value(name) == value


def test_label_values_are_what_str_says() -> None:
    class Code(str):
        def __str__(self) -> str:
            return "said"

    many = [f"label_{i}" for i in range(20)]
    registry = im.Registry()
    level = registry.gauge("level", "", many)
    level.labels(*[Code("content"), *range(19)]).set(1)
    by_name = dict(zip(many, ["said", *map(str, range(19))], strict=True))
    assert level.labels(**by_name).value == 1
    assert registry.sample_value("level", by_name) == 1


def test_errors_are_value_errors() -> None:
    with pytest.raises(ValueError, match="got metric name"):
        im.Registry().counter("")


def test_errors_of_str_pass_through() -> None:
    class Nameless:
        def __str__(self) -> str:
            raise KeyError("no name")

    hits = im.Registry().counter("hits", "", ["who"])
    with pytest.raises(KeyError, match="no name"):
        hits.labels(Nameless())


def test_names_are_unique_in_a_registry() -> None:
    registry = im.Registry()
    registry.counter("hits")
    with pytest.raises(im.ConfigError, match='collide with the counter "hits_total"'):
        registry.gauge("hits_total")
    im.Registry().counter("hits")


def test_remove_and_clear() -> None:
    registry = im.Registry()
    level = registry.gauge("level", "", ["x"])
    kept = level.labels("a")
    kept.set(1)
    level.labels("b").set(2)
    level.remove("a")
    level.remove("never")
    assert registry.sample_value("level", {"x": "a"}) is None
    assert registry.sample_value("level", {"x": "b"}) == 2
    kept.set(5)
    assert kept.value == 5
    level.clear()
    assert registry.sample_value("level", {"x": "b"}) is None
    assert b"level" not in im.render_metrics(registry)[0]


def test_handles_outlive_the_registry() -> None:
    hits = im.Registry().counter("hits", "", ["x"]).labels("a")
    hits.inc()
    assert hits.value == 1


def test_floats_are_written_as_prometheus_client_writes_them() -> None:
    registry = im.Registry(max_series_per_family=20_000)
    level = registry.gauge("level", "", ["i"])
    rng = random.Random(5)
    values = [rng.uniform(-10, 10) * 10 ** rng.randint(-12, 22) for _ in range(5000)]
    values += [
        float(rng.randint(-(10**17), 10**17) // 10 ** rng.randint(0, 16)) for _ in range(5000)
    ]
    values += [struct.unpack("d", rng.randbytes(8))[0] for _ in range(5000)]
    values += [0.0, -0.0, math.inf, -math.inf, 5e-324, sys.float_info.max, sys.float_info.min]
    values += [
        sign * 10.0**exponent * step
        for exponent in range(-8, 19)
        for step in (1, 0.999999, 1.5)
        for sign in (1, -1)
    ]
    for i, value in enumerate(values):
        level.labels(i).set(value)
    lines = [
        line
        for line in im.render_metrics(registry)[0].decode().splitlines()
        if line[:6] == "level{"
    ]
    assert len(lines) == len(values)
    for value, line in zip(values, lines, strict=True):
        assert line.rpartition(" ")[2] == go_float(value)


def test_the_exposition_parses_and_is_bytes() -> None:
    registry = im.Registry()
    text = im.render_metrics(registry)[0]
    assert isinstance(text, bytes)
    assert text.endswith(b"\n")
    assert samples(registry)["inferometer_dropped_series_total", ()] == 0


def test_label_values_beyond_the_limit_share_the_overflow_series() -> None:
    registry = im.Registry(max_series_per_family=2)
    hits = registry.counter("hits", "", ["path", "code"])
    for path in ("a", "b", "c", "d", "c"):
        hits.labels(path, 200).inc()
    found = {labels: value for (name, labels), value in samples(registry).items() if "hits" in name}
    assert found == {
        (("code", "200"), ("path", "a")): 1,
        (("code", "200"), ("path", "b")): 1,
        (("code", "_overflow"), ("path", "_overflow")): 3,
    }
    assert registry.sample_value("inferometer_dropped_series_total") == 3
    # The limit is each metric's own, and may be changed at any time.
    other = registry.gauge("level", "", ["x"])
    other.labels("1").set(1)
    assert registry.max_series_per_family == 2
    hits.remove("a", "200")
    hits.labels("c", 200).inc()
    hits.labels("e", 200).inc()
    registry.max_series_per_family = 3
    hits.labels("e", 200).inc()
    for path in ("c", "e"):
        assert registry.sample_value("hits_total", {"path": path, "code": "200"}) == 1
    assert registry.sample_value("inferometer_dropped_series_total") == 4


def test_rendering_releases_the_gil() -> None:
    """Two threads that render and one that records all make progress and lose nothing."""
    registry = im.Registry()
    hits = registry.counter("hits", "", ["x"])
    for i in range(500):
        hits.labels(i)
    done = threading.Event()

    def scrape() -> None:
        seen = 0.0
        while not done.is_set():
            total = sum(
                value for (name, _), value in samples(registry).items() if name[:4] == "hits"
            )
            assert total >= seen
            seen = total

    threads = [threading.Thread(target=scrape) for _ in range(2)]
    for thread in threads:
        thread.start()
    for i in range(5000):
        hits.labels(i % 500).inc()
    done.set()
    for thread in threads:
        thread.join()
    assert sum(hits.labels(i).value for i in range(500)) == 5000


def in_child(action: Callable[[], bool]) -> int:
    """Forks; the child runs `action`. Returns its exit status, negative if its alarm ended it."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # pytest-timeout has one
        signal.alarm(20)
        passed = False
        try:
            passed = action()
        finally:
            os._exit(0 if passed else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# CPython 3.12 and later warn about every fork of a process with threads, which is the point here.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_can_render_while_threads_of_the_parent_scrape() -> None:
    registry = im.Registry()
    hits = registry.counter("hits", "", ["x"])
    for i in range(2000):
        hits.labels(i)
    done = threading.Event()

    def scrape() -> None:
        while not done.is_set():
            im.render_metrics(registry)[0]
            hits.labels("passing").inc()
            hits.remove("passing")

    def use() -> bool:
        hits.labels("child").inc()
        registry.gauge("made_in_the_child").set(1)
        return b'hits_total{x="child"} 1.0' in im.render_metrics(registry)[0]

    threads = [threading.Thread(target=scrape) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert [in_child(use) for _ in range(20)] == [0] * 20
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert registry.sample_value("hits_total", {"x": "child"}) is None
