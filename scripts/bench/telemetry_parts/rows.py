"""What the table shows: which values, in which unit, and what was to be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from telemetry_parts.samples import APP, BUSY, CLIENT, CORE, CPP, DROP_IN, NOBODY


@dataclass(frozen=True)
class Row:
    """One line of the table: ours beside a peer's, which may be a value of another name."""

    what: str
    unit: str
    ours: str
    who: str
    peer: str = ""  # what was measured of the peer, if it has another name
    beside: str = ""  # who the peer is; none if empty
    reach: float | None = None
    scale: float = 1.0
    larger_is_better: bool = False


@dataclass(frozen=True)
class ChangeRow:
    """One line of the table that says how much higher, in per cent, a value is than another."""

    what: str
    value: str
    who: str
    than: str
    reach: float | None = None


def _core(what: str, ours: str, peer: str = "", reach: float | None = None) -> Row:
    return Row(what, "ns", ours, CORE, peer, CPP if peer else "", reach)


def _both_apis(
    what: str, statement: str, reach: float | None = None, unit: str = "ns"
) -> list[Row]:
    return [
        Row(f"{what}, {who}", unit, statement, who, "", CLIENT, reach) for who in (APP, DROP_IN)
    ]


COUNTER, HISTOGRAM = "BM_PrometheusCounterIncrement", "BM_PrometheusHistogramObserve"
REQUEST = "prometheus_record_batch_of"

CPP_ROWS: Final = [
    _core("counter, one writer", "BM_CounterSingleWriter/threads:1", f"{COUNTER}/threads:1", 4),
    _core("... 2 threads", "BM_CounterSingleWriter/threads:2", f"{COUNTER}/threads:2", 4),
    _core("application's Counter::inc()", "BM_AppCounterInc/threads:1", f"{COUNTER}/threads:1"),
    _core("... 2 threads, one series", "BM_AppCounterInc/threads:2", f"{COUNTER}/threads:2"),
    _core("labels(a, b, c).inc()", "BM_LabelsOfAKnownSeries", "BM_PrometheusAddOfAKnownSeries"),
    _core(
        "histogram, 21 buckets, one writer",
        "BM_HistogramSingleWriter/threads:1",
        f"{HISTOGRAM}/threads:1",
        10,
    ),
    _core("... 2 threads", "BM_HistogramSingleWriter/threads:2", f"{HISTOGRAM}/threads:2", 10),
    _core(
        "... with native buckets too",
        "BM_HistogramWithNativeSingleWriter/threads:1",
        f"{HISTOGRAM}/threads:1",
        10,
    ),
    _core(
        "... with native buckets too, 2 threads",
        "BM_HistogramWithNativeSingleWriter/threads:2",
        f"{HISTOGRAM}/threads:2",
        10,
    ),
    _core(
        "application's Histogram::observe()",
        "BM_AppHistogramObserve/threads:1",
        f"{HISTOGRAM}/threads:1",
    ),
    _core(
        "... 2 threads, one series", "BM_AppHistogramObserve/threads:2", f"{HISTOGRAM}/threads:2"
    ),
    _core(
        "... with native buckets too",
        "BM_AppHistogramWithNativeObserve/threads:1",
        f"{HISTOGRAM}/threads:1",
    ),
    _core("all recording for a lone request", "record_batch_of/1", f"{REQUEST}/1", 60),
    _core("... in batches of 16", "record_batch_of/16", f"{REQUEST}/16", 25),
    _core("... in batches of 64", "record_batch_of/64", f"{REQUEST}/64", 25),
    *(
        Row(
            f"text of {series} series",
            "ms",
            f"BM_RenderCounters/{each}",
            CORE,
            f"BM_PrometheusRenderCounters/{each}",
            CPP,
            reach,
            1e-6,
        )
        for series, each, reach in (("10,000", 100, 0.6), ("100,000", 1000, 10))
    ),
    Row("memory of a counter", "bytes", "memory of a counter, C++", CORE, "", CPP, 250),
    Row("memory of a histogram, 21 buckets", "bytes", "memory of a histogram, C++", CORE, "", CPP),
    Row("... with native buckets too", "bytes", "memory of a native, C++", CORE),
]

PYTHON_ROWS: Final = [
    *_both_apis("Counter.inc()", "counter.inc()", 30),
    *_both_apis("Histogram.observe()", "histogram.observe(0.3)", 45),
    *_both_apis("labels(a, b).inc()", "labels(a, b).inc()", 150),
    *_both_apis("labels(a=a, b=b).inc()", "labels(a=a, b=b).inc()"),
    *_both_apis("Gauge.set()", "gauge.set(3.0)"),
    *_both_apis("Counter.inc(exemplar=...)", "counter.inc(exemplar=...)"),
    Row(f"Summary.observe(), {DROP_IN}", "ns", "summary.observe(0.3)", DROP_IN, "", CLIENT),
    *_both_apis("text of 10,000 series", "text of 10,000 series, Python", 0.6, "ms"),
    *(
        Row(
            f"a thread's progress beside that of 100,000, {who}",
            "%",
            "progress beside rendering",
            who,
            "",
            CLIENT,
            larger_is_better=True,
        )
        for who in (APP, DROP_IN)
    ),
    *_both_apis("... its longest stand-still", "stood still", None, "ms"),
    *_both_apis("memory of a counter", "memory of a counter, Python", 250, "bytes"),
    *_both_apis("memory of a histogram", "memory of a histogram, Python", None, "bytes"),
    Row(f"... with native buckets too, {APP}", "bytes", "memory of a native, Python", APP),
]

P99: Final = "P99 of infer_async"
CHANGE_ROWS: Final = [
    ChangeRow("P99 of infer_async(), scraped every 100 ms", P99, APP, NOBODY, 5),
    ChangeRow("... beside a process as busy as that scraper", P99, BUSY, NOBODY),
    ChangeRow("... prometheus_client's server scraped", P99, CLIENT, NOBODY),
]
