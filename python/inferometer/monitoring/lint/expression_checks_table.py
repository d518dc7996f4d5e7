"""The checks of every expression, whether of a rule or a panel."""

from __future__ import annotations

from inferometer.monitoring.lint.check import Check

_LATENCY = "inference_latency_seconds"
_QUANTILE = f"histogram_quantile(0.95, sum by (le) (rate({_LATENCY}_bucket[5m])))"
_FAILED = 'inference_requests_total{status="failure"}'

EXPRESSION_CHECKS = (
    Check("syntax-error", "error", "Not PromQL; says at which character.", "sum(up", "sum(up)"),
    Check(
        "unknown-metric",
        "error",
        "A metric that nothing exposes or records: the result is empty for ever.",
        "inference_request_total",
        "inference_requests_total",
    ),
    Check(
        "unknown-label",
        "error",
        "A label that the metric does not have, in a selector, `by`, `on` or `group_left`.",
        'inference_requests_total{model="m"}',
        'inference_requests_total{model_name="m"}',
    ),
    Check(
        "unknown-label-value",
        "error",
        "A value that a label with a closed set of values never has; a `job` that is not scraped; "
        "an `alertname` that none of the given files has.",
        'inference_requests_total{status="error"}',
        _FAILED,
    ),
    Check(
        "rate-on-gauge",
        "error",
        "`rate`, `irate` or `increase` of what is not a counter: each fall is taken for a reset.",
        "rate(inference_queue_depth[5m])",
        "deriv(inference_queue_depth[5m])",
    ),
    Check(
        "delta-on-counter",
        "error",
        "`delta`, `idelta`, `deriv` or `predict_linear` of a counter: resets make it negative.",
        "delta(inference_requests_total[5m])",
        "increase(inference_requests_total[5m])",
    ),
    Check(
        "counter-without-rate",
        "error",
        "A counter compared as it is, which is true until the process restarts; or divided by a "
        "rate. A warning where it may be meant: `== 0`, or beside `and` and `unless`.",
        f"{_FAILED} > 10",
        f"increase({_FAILED}[5m]) > 10",
    ),
    Check(
        "bucket-without-rate",
        "error",
        "Buckets without `rate` or `increase` describe all requests since the start: the alert is "
        "hours late and never resolves.",
        f"histogram_quantile(0.95, sum by (le) ({_LATENCY}_bucket))",
        _QUANTILE,
    ),
    Check(
        "bucket-of-counter",
        "error",
        "Buckets of a metric that is no histogram: `nv_inference_request_duration_us_bucket` "
        "exists only after the `metric_relabel_configs` of `configs/prometheus.yml` "
        "(`--prometheus-config`).",
        "rate(nv_inference_request_duration_us_bucket[5m])",
        "rate(nv_inference_request_latency_us_bucket[5m])",
    ),
    Check(
        "quantile-without-le",
        "error",
        "`histogram_quantile` of what has lost the label `le`: empty, and no error.",
        f"histogram_quantile(0.95, sum by (model_name) (rate({_LATENCY}_bucket[5m])))",
        f"histogram_quantile(0.95, sum by (le, model_name) (rate({_LATENCY}_bucket[5m])))",
    ),
    Check(
        "quantile-without-buckets",
        "error",
        "`histogram_quantile` of what never was a histogram's buckets.",
        f"histogram_quantile(0.95, rate({_LATENCY}_sum[5m]))",
        _QUANTILE,
    ),
    Check(
        "quantile-out-of-range",
        "error",
        "A quantile that is not within 0 to 1: the result is infinite.",
        _QUANTILE.replace("0.95", "95"),
        _QUANTILE,
    ),
    Check(
        "quantile-averaged",
        "error",
        "The average or sum of quantiles, which means nothing. Add up the buckets instead.",
        f"avg(histogram_quantile(0.95, rate({_LATENCY}_bucket[5m])))",
        _QUANTILE,
    ),
    Check(
        "value-outside-range",
        "error",
        "A limit that the value cannot reach, worked out through `* 100`, `1 - x`, "
        "`avg_over_time`, parts of a whole and so on.",
        "nv_gpu_utilization > 90",
        "nv_gpu_utilization > 0.9",
    ),
    Check(
        "latency-unit",
        "error",
        "A latency compared in another unit: the limit is beyond the largest bucket edge or, in "
        "microseconds, below the smallest. For a mean, which may lie there, a warning up to ten "
        "times as far.",
        f"{_QUANTILE} > 2000",
        f"{_QUANTILE} > 2",
    ),
    Check(
        "threshold-between-buckets",
        "warning",
        "The limit on a quantile is not an edge of its histogram: an interpolation decides.",
        f"{_QUANTILE} > 2.2",
        f"{_QUANTILE} > 2.5",
    ),
    Check(
        "unit-mismatch",
        "error",
        "Values of different units added, subtracted or compared. A warning where a number has a "
        "part in it, which may have a unit: `10 * rate(…)` can be ten seconds of traffic.",
        "inference_oldest_request_seconds > inference_queue_depth",
        "inference_oldest_request_seconds > inference_latency_objective_seconds",
    ),
    Check(
        "rate-of-aggregate",
        "error",
        "`rate` of a sum: when one of its counters restarts, the whole sum seems to.",
        "rate(sum(inference_requests_total)[5m:])",
        "sum(rate(inference_requests_total[5m]))",
    ),
    Check(
        "rate-of-rate",
        "error",
        "`rate`, `irate` or `increase` of a rate, also of a recorded one: each fall is taken for a "
        "reset.",
        "increase(rate(inference_requests_total[5m])[1h:])",
        "max_over_time(rate(inference_requests_total[5m])[1h:])",
    ),
    Check(
        "buckets-without-le",
        "error",
        "A sum of buckets without `le`: each request counts once for every bucket that it is in.",
        f"sum(rate({_LATENCY}_bucket[5m])) > 100",
        f"sum(rate({_LATENCY}_count[5m])) > 100",
    ),
    Check(
        "contradicting-matchers",
        "error",
        "Conditions of a selector on one label that no value meets: all of them have to hold.",
        'inference_requests_total{status="failure", status="timeout"}',
        'inference_requests_total{status=~"failure|timeout"}',
    ),
    Check(
        "contradicting-conditions",
        "error",
        "Limits of one expression, joined by `and`, that no value meets.",
        "inference_queue_depth > 10 and inference_queue_depth < 5",
        "inference_queue_depth > 10 or inference_queue_depth < 5",
    ),
    Check(
        "ratio-of-totals",
        "error",
        "A ratio of counters as they are, since the start: after hours of good requests it hardly "
        "moves. On a dashboard a warning.",
        f"sum({_FAILED}) / sum(inference_requests_total) > 0.05",
        f"sum(rate({_FAILED}[5m])) / sum(rate(inference_requests_total[5m])) > 0.05",
    ),
    Check(
        "vectors-never-match",
        "error",
        "The labels of the two sides of an operator differ for every pair of series: empty, and "
        "no error.",
        f'rate({_FAILED}[5m]) / rate(inference_requests_total{{status="success"}}[5m])',
        f"sum by (model_name) (rate({_FAILED}[5m])) / "
        'sum by (model_name) (rate(inference_requests_total{status="success"}[5m]))',
    ),
    Check(
        "range-too-short",
        "error",
        "A range of fewer than two scrapes has no rate; with fewer than four (a warning) there are "
        "gaps. `*_over_time` needs one scrape.",
        "rate(inference_requests_total[20s])",
        "rate(inference_requests_total[1m])",
    ),
    Check(
        "absent-regex",
        "warning",
        "`absent` of a regex or an aggregation: it fires only if all are gone, and cannot say "
        "which.",
        'absent(up{job=~"triton|other"})',
        'absent(up{job="triton"})',
    ),
)
