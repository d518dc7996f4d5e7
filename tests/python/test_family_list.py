"""What becomes of the families of Python's collectors in the native exposition."""

from __future__ import annotations

from typing import Any

import prometheus_client
import prometheus_client.core
import pytest

import inferometer as im
from exposition_parsers import parse_delimited, parse_openmetrics
from inferometer._core import FamilyList
from inferometer.prometheus import Metric
from python_collectors import (
    OPENMETRICS,
    PROTOBUF,
    fresh_text,
    gauge,
    number_after,
    registered,
    samples_of,
)


def all_types() -> list[Any]:
    """prometheus_client's families of every type, with labels, timestamps and odd names."""
    kinds = prometheus_client.core
    counter = kinds.CounterMetricFamily("pt_counter", "c", labels=["b", "a"])
    counter.add_metric(["2", 'q"\\\n'], 1.5, created=12, timestamp=1.25)
    histogram = kinds.HistogramMetricFamily("pt_histogram", "h", labels=["a"])
    histogram.add_metric(["x"], [("1.0", 2), ("+Inf", 3)], 4.5)
    histogram.add_metric(["y"], [("1.0", 0), ("+Inf", 0)], 0)
    gaugehistogram = kinds.GaugeHistogramMetricFamily("pt_gaugehistogram", "g")
    gaugehistogram.add_metric([], [("1.0", 2), ("+Inf", 3)], 4.5)
    summary = kinds.SummaryMetricFamily("pt_summary", "s", count_value=3, sum_value=1.5)
    summary.add_sample("pt_summary", {"quantile": "0.5"}, 0.25)
    dotted = kinds.GaugeMetricFamily("pt.dotted.name", "d", labels=["l.l"])
    dotted.add_metric(["ü"], 7)
    stateset = kinds.StateSetMetricFamily("pt_stateset", "s", labels=["who"])
    stateset.add_metric(["me"], {"on": True, "off": False})
    return [
        counter,
        histogram,
        gaugehistogram,
        summary,
        dotted,
        stateset,
        kinds.InfoMetricFamily("pt_info", "i", value={"version": "1"}),
        kinds.UnknownMetricFamily("pt_unknown", "u", value=float("nan")),
        kinds.GaugeMetricFamily("pt_inf", "g", value=float("-inf")),
    ]


def test_families_are_shown_as_prometheus_clients_text_shows_them() -> None:
    class Source:
        def collect(self) -> list[Any]:
            return all_types()

    theirs = prometheus_client.CollectorRegistry()
    theirs.register(Source())

    def lines(body: str) -> dict[str, str]:
        return dict(line.rsplit("} ", 1) if "}" in line else line.split(" ", 1)
                    for line in samples_of(body, "pt_"))  # fmt: skip

    want = lines(prometheus_client.generate_latest(theirs).decode())
    del want["pt_counter_created{a=\"q\\\"\\\\\\n\",b=\"2\""]  # fmt: skip
    # What we show as a real histogram has a count and a sum.
    want |= {"pt_gaugehistogram_count": "3.0", "pt_gaugehistogram_sum": "4.5"}
    with registered(all_types):
        body = fresh_text()
        shown = lines(body)
        assert shown.keys() == want.keys()
        for head, value in want.items():
            got = [float(part) for part in shown[head].split()]
            assert str(got) == str([float(part) for part in value.split()]), head
        for kind in ("pt_counter_total counter", "pt_summary summary", "pt_info_info gauge",
                     "pt_stateset gauge", "pt_unknown untyped", "pt_histogram histogram",
                     "pt_gaugehistogram histogram", "pt_gaugehistogram_gsum gauge"):  # fmt: skip
            assert f"\n# TYPE {kind}\n" in body
        parse_openmetrics(im.render_metrics(accept=OPENMETRICS)[0])


def metric(kind: str, *samples: Any) -> Metric:
    """A family `bad` made by hand."""
    family = Metric("bad", "h", kind)
    for sample in samples:
        family.add_sample(*sample)
    return family


@pytest.mark.parametrize(
    "family",
    [
        metric("gauge", ("bad", {}, "no number")),
        metric("gauge", ("bad", {}, None)),
        metric("gauge", ("bad", {"a": "\ud800"}, 1)),
        metric("gauge", ("bad", {"a": 1}, 1)),
        metric("gauge", ("bad", None, 1)),
        metric("gauge", ("bad", {}, 1, "no time")),
        metric("gauge", ("bad", {"a.b": "1", "a_b": "2"}, 1)),
        metric("gauge", ("", {}, 1)),
        metric("histogram", ("bad_bucket", {"le": "1.0"}, 1)),
        metric("histogram", ("bad_bucket", {"le": "x"}, 1)),
        metric("histogram", ("bad_bucket", {}, 1)),
        metric("histogram", ("bad_bucket", {"le": "+Inf"}, 1.5)),
        metric("histogram", ("bad_bucket", {"le": "+Inf"}, -1)),
        metric("histogram", ("bad_bucket", {"le": "+Inf"}, float("nan"))),
        metric("histogram", ("bad_bucket", {"le": "+Inf"}, 1e300)),
        metric("histogram", ("bad_bucket", {"le": "1"}, 2), ("bad_bucket", {"le": "+Inf"}, 1)),
        metric("histogram", ("bad_sum", {}, 1)),
        metric("histogram", ("bad", {}, None)),
        metric("summary", ("bad_sum", {}, 1)),
        metric("summary", ("bad", {"quantile": "x"}, 1)),
        metric("summary", ("bad_count", {}, 0.5)),
        metric("counter", ("bad_total", {}, 1), ("bad", {}, 2)),
    ],
    ids=repr,
)
def test_what_cannot_be_represented_is_dropped_and_counted(family: Metric) -> None:
    name = "inferometer_dropped_series_total"
    before = number_after(fresh_text(), name)
    assert number_after(fresh_text(), name) == before
    with registered(lambda: [family, gauge("pb_good", 1)]):
        body = fresh_text()
        assert number_after(body, name) > before
        assert "\npb_good 1.0\n" in body
        assert samples_of(body, "bad") in ([], ["bad_total 1.0"])
        parse_openmetrics(im.render_metrics(accept=OPENMETRICS)[0])
        parse_delimited(im.render_metrics(accept=PROTOBUF)[0])


def test_documentation_that_is_no_text_costs_its_family_only() -> None:
    family = metric("gauge", ("bad", {}, 1))
    family.documentation = "\ud800"
    with registered(lambda: [family, gauge("pb_good", 1)]):
        body = fresh_text()
        assert "\npb_good 1.0\n" in body
        assert samples_of(body, "bad") == []


def test_histograms_are_completed() -> None:
    families = [
        metric("histogram", ("bad_bucket", {"le": "1"}, 1), ("bad_count", {}, 2)),
    ]
    with registered(lambda: families):
        shown = samples_of(fresh_text(), "bad")
    assert shown == [
        'bad_bucket{le="1.0"} 1',
        'bad_bucket{le="+Inf"} 2',
        "bad_sum NaN",
        "bad_count 2",
    ]


def test_samples_of_other_names_are_untyped() -> None:
    with registered(lambda: [metric("gauge", ("bad", {}, 1), ("bad_other", {"a": "b"}, 2))]):
        body = fresh_text()
    assert "# TYPE bad_other untyped\nbad_other{a=\"b\"} 2.0\n" in body  # fmt: skip
    assert "\nbad 1.0\n" in body


def test_the_native_list_refuses_what_does_not_fit() -> None:
    families = FamilyList()
    with pytest.raises(im.ConfigError, match="got a series, want a family before it"):
        families.scalar([], [], 1)
    with pytest.raises(im.ConfigError, match='got "info", want counter, gauge, histogram, summary'):
        families.family("x", "", "info")
    families.family("x", "", "gauge")
    does_not_fit = pytest.raises(im.ConfigError, match='family "x" of type gauge: got a series of')
    with does_not_fit:
        families.histogram([], [], [1], [1], 0)
    with does_not_fit:
        families.summary([], [], [], [], 0, 0)
    with does_not_fit:
        families.scalar(["a"], [], 1)
    families.family("s", "", "summary")
    with pytest.raises(im.ConfigError, match="of another type"):
        families.summary([], [], [0.5], [], 0, 0)
