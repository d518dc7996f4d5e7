"""What the table shows: which values, in which unit, and what was to be reached."""

from __future__ import annotations

from typing import Final

from comparison.rows import ChangeRow, Row

from telemetry_parts.who import APP, BUSY, CLIENT, CORE, CPP, DROP_IN, NOBODY


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


def _threads(what: str, ours: str, peer: str, reach: float | None = None) -> list[Row]:
    return [
        _core(f"{what}, {name}", f"{ours}/threads:{count}", f"{peer}/threads:{count}", reach)
        for count, name in ((1, "1 thread"), (2, "2 threads"))
    ]


CPP_ROWS: Final = [
    *_threads("counter, one writer", "BM_CounterSingleWriter", COUNTER, 4),
    *_threads("application's Counter::inc()", "BM_AppCounterInc", COUNTER),
    _core("labels(a, b, c).inc()", "BM_LabelsOfAKnownSeries", "BM_PrometheusAddOfAKnownSeries"),
    *_threads("histogram, one writer", "BM_HistogramSingleWriter", HISTOGRAM, 10),
    *_threads(
        "histogram with native buckets, one writer",
        "BM_HistogramWithNativeSingleWriter",
        HISTOGRAM,
        10,
    ),
    *_threads("application's Histogram::observe()", "BM_AppHistogramObserve", HISTOGRAM),
    *_threads(
        "Histogram::observe(), native buckets", "BM_AppHistogramWithNativeObserve", HISTOGRAM
    ),
    _core("all recording for a lone request", "record_batch_of/1", f"{REQUEST}/1", 60),
    _core("all recording for a request, batches of 16", "record_batch_of/16", f"{REQUEST}/16", 25),
    _core("all recording for a request, batches of 64", "record_batch_of/64", f"{REQUEST}/64", 25),
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
    Row("memory of one with native buckets", "bytes", "memory of a native, C++", CORE),
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
    *_both_apis("text, caches cold", "text of 10,000 series, cold, Python", None, "ms"),
    *(
        Row(
            f"a thread beside text of 100,000, {who}",
            "%",
            "progress beside rendering",
            who,
            "",
            CLIENT,
            larger_is_better=True,
        )
        for who in (APP, DROP_IN)
    ),
    *_both_apis("its longest stand-still", "stood still", None, "ms"),
    *_both_apis("memory of a counter", "memory of a counter, Python", 250, "bytes"),
    *_both_apis("memory of a histogram", "memory of a histogram, Python", None, "bytes"),
    Row(
        f"memory of a histogram with native buckets, {APP}",
        "bytes",
        "memory of a native, Python",
        APP,
    ),
]

P99, UNTOUCHED = "P99 of infer_async", "P99 of untouched requests"
CHANGE_ROWS: Final = [
    ChangeRow("scrapes of ours, against phases without", (P99, APP), (P99, NOBODY), 5),
    ChangeRow("... against untouched requests", (P99, APP), (UNTOUCHED, APP), 5),
    ChangeRow("a process as busy, against phases without", (P99, BUSY), (P99, NOBODY)),
    ChangeRow("... against untouched requests", (P99, BUSY), (UNTOUCHED, BUSY)),
    ChangeRow("prometheus_client's, against phases without", (P99, CLIENT), (P99, NOBODY)),
]
