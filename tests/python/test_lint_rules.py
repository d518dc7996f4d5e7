"""What the checks know: recorded metrics, configurations, expositions; where they say it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from inferometer.monitoring.lint import Settings, check_files
from inferometer.monitoring.lint.exposition_metrics import parse_exposition
from inferometer.monitoring.lint.scrape_config import read_scrape_config
from inferometer.monitoring.lint.source_text import SourceError

ROOT = Path(__file__).resolve().parents[2]
QUANTILE = "histogram_quantile(0.95, sum by (le) (rate(inference_latency_seconds_bucket[5m])))"


def alert(expr: str, **more: object) -> dict[str, object]:
    return {
        "alert": "Example",
        "expr": expr,
        "for": "5m",
        "labels": {"severity": "warning"},
        "annotations": {"summary": "s", "description": "d"},
        **more,
    }


def check(
    tmp_path: Path, *rules: Mapping[str, object], settings: Settings | None = None
) -> list[str]:
    path = tmp_path / "rules.yml"
    document = {"groups": [{"name": "g", "rules": [dict(rule) for rule in rules]}]}
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=10_000))
    return [finding.check for finding in check_files([path], settings)]


def test_the_shipped_rules_have_no_findings() -> None:
    assert check_files([ROOT / "configs/prometheus-alerts.yml"]) == []


# The errors that are copied most, and what refuses them.
COPIED = [
    ("histogram_quantile(0.95, inference_latency_seconds_bucket) > 2", "bucket-without-rate"),
    (QUANTILE.replace("by (le)", "by (model_name)") + " > 2", "quantile-without-le"),
    (f"avg by (job) ({QUANTILE}) > 2", "quantile-averaged"),
    (
        "histogram_quantile(0.95, rate(nv_inference_request_duration_us_bucket[1m])) / 1000 > 2000",
        "bucket-of-counter",
    ),
    ("nv_gpu_utilization > 90", "value-outside-range"),
    ("avg_over_time(nv_gpu_utilization[10m]) > 95", "value-outside-range"),
    ("gpu_memory_used_bytes / gpu_memory_total_bytes > 90", "value-outside-range"),
    (
        'sum(inference_requests_total{status="failure"}) / sum(inference_requests_total) > 0.05',
        "ratio-of-totals",
    ),
    ("nv_inference_request_failure / nv_inference_request_success > 0.05", "ratio-of-totals"),
    (
        'rate(inference_requests_total{status="failure"}[5m]) / '
        'rate(inference_requests_total{status="success"}[5m]) > 0.05',
        "vectors-never-match",
    ),
    (
        "rate(nv_inference_request_failure[5m]) / rate(nv_inference_request_success[5m]) > 0.05",
        "vectors-never-match",
    ),
    ('absent(up{job=~"triton.*"})', "absent-regex"),
    ("absent(sum(up))", "absent-regex"),
    (QUANTILE + " > 100", "latency-unit"),
    (QUANTILE + " > 2000", "latency-unit"),
    (
        "rate(nv_inference_request_duration_us[5m]) / rate(nv_inference_request_success[5m]) > 2",
        "latency-unit",
    ),
    ("rate(inference_requests_total[15s]) > 10", "range-too-short"),
    ("nv_inference_request_failure > 10", "counter-without-rate"),
    (
        "sum(nv_inference_request_failure) / sum(rate(nv_inference_request_success[5m])) > 0.05",
        "counter-without-rate",
    ),
    ("avg_over_time(inference_queue_depth[10s]) > 10", "range-too-short"),
    ("changes(process_start_time_seconds[20s]) > 0", "range-too-short"),
    ("rate(sum(nv_inference_request_failure)[5m:15s]) > 10", "rate-of-aggregate"),
    ("inference_queue_depth", "comparison-missing"),
    ('inference_requests_total{status="error"} > 0', "unknown-label-value"),
]


@pytest.mark.parametrize(("expr", "name"), COPIED)
def test_copied_errors_are_refused(tmp_path: Path, expr: str, name: str) -> None:
    assert name in check(tmp_path, alert(expr))


def test_a_mean_is_said_to_be_in_the_unit_of_what_is_observed(tmp_path: Path) -> None:
    part = "rate(inference_compute_seconds_%s[5m])"
    path = tmp_path / "rules.yml"
    rule = alert(f"{part % 'sum'} / {part % 'count'} > 500")
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    (finding,) = check_files([path])
    assert finding.message.endswith("write the limit in seconds")


GOOD = [
    'up{job="triton"} == 0',
    'absent(up{job="triton"})',
    "sum by (job, model_name) (rate(inference_requests_total[5m])) == 0",
    "increase(inference_requests_total[5m]) > 0 unless on (instance) up == 0",
    "inference_queue_depth > 0 and on (model_name) rate(inference_batches_total[2m]) == 0",
    "rate(nv_inference_request_success[5m]) / rate(nv_inference_exec_count[5m]) < 2",
    "rate(inference_busy_seconds_total[5m]) > 0.9",
    "changes(process_start_time_seconds[10m]) > 3",
    "time() - process_start_time_seconds < 300",
    "avg(rate(process_cpu_seconds_total[5m])) * 100 > 90",
    'sum by (host) (label_replace(up, "host", "$1", "instance", "(.*):.*")) == 0',
    "count by (version) (inferometer_build_info) > 1",
    "kube_pod_status_ready == 0",
    "inference_oldest_request_seconds > 2 * inference_latency_objective_seconds",
    "rate(inference_compute_seconds_sum[5m]) / rate(inference_compute_seconds_count[5m]) > 1e-6",
    "max_over_time(inference_queue_depth[2m]) / inference_queue_limit > 0.9",
    "vector(1)",
    "inference_requests_total - inference_requests_total offset 1h > 100",
    "quantile(0.95, inference_oldest_request_seconds) > 2",
    "sum(up) < 2 or absent(up)",
    'ALERTS{alertname="Example", alertstate="firing"}',
    QUANTILE + " * 1000 > 2000",
]


@pytest.mark.parametrize("expr", GOOD)
def test_good_expressions_pass(tmp_path: Path, expr: str) -> None:
    assert check(tmp_path, alert(expr)) == []


P95 = {"record": "job:p95", "expr": QUANTILE.replace("(le)", "(le, job)")}


def test_what_is_recorded_is_known_with_its_range_labels_and_edges(tmp_path: Path) -> None:
    assert check(tmp_path, P95, alert("job:p95 > 2")) == []
    assert check(tmp_path, alert("job:p95 > 2000"), P95) == ["latency-unit"]
    assert check(tmp_path, P95, alert("job:p95 > 2.2")) == ["threshold-between-buckets"]
    assert check(tmp_path, P95, alert("avg(job:p95) > 2")) == ["quantile-averaged"]
    assert check(tmp_path, P95, alert("sum by (model_name) (job:p95) > 2")) == [
        "quantile-averaged",
        "unknown-label",
    ]
    own = {**P95, "labels": {"slo": "latency"}}
    assert check(tmp_path, own, alert('job:p95{slo="latency"} > 2')) == []
    chain = {"record": "half", "expr": "job:p95 / 2"}
    assert check(tmp_path, chain, P95, alert("half > 31")) == ["latency-unit"]


def test_rules_that_record_each_other_end(tmp_path: Path) -> None:
    loop = [{"record": "a", "expr": "b + 1"}, {"record": "b", "expr": "a + 1"}]
    assert check(tmp_path, *loop, alert("a > 1")) == []


def test_unknown_metrics_are_errors_with_our_prefixes_or_if_all_are_given(tmp_path: Path) -> None:
    assert check(tmp_path, alert("http_requests > 1")) == []
    assert check(tmp_path, alert("gpu_temprature_celsius > 1")) == ["unknown-metric"]
    metrics = parse_exposition('# TYPE http_requests gauge\nhttp_requests{code="200"} 1\n')
    given = replace(Settings(), metrics=metrics, all_metrics_known=True)
    assert check(tmp_path, alert('http_requests{code="500"} > 1'), settings=given) == []
    assert check(tmp_path, alert("http_request > 1"), settings=given) == ["unknown-metric"]
    assert check(tmp_path, alert('http_requests{cod="1"} > 1'), settings=given) == ["unknown-label"]
    assert check(tmp_path, alert("rate(http_requests[5m]) > 1"), settings=given) == [
        "rate-on-gauge"
    ]


def test_names_of_alerts_are_those_of_the_files(tmp_path: Path) -> None:
    def names(matcher: str) -> list[str]:
        other = alert(f"ALERTS{{{matcher}}}", alert="Other")
        return check(tmp_path, alert("up == 0"), other)

    assert names('alertname="Example"') == []
    assert names('alertname="Exampel"') == ["unknown-label-value"]
    assert names('alertname!="Watchdog"') == []


EXPOSITION = """\
# TYPE seconds histogram
seconds_bucket{le="0.5"} 1
seconds_bucket{le="+Inf"} 2
seconds_sum 3
seconds_count 2
# TYPE calls_total counter
calls_total{path="a\\"b"} 2 1700000000000
# TYPE s summary
s{quantile="0.9"} NaN
"""


def test_expositions_give_types_edges_and_labels() -> None:
    found = parse_exposition(EXPOSITION)
    kinds = {name: sample.kind for name, sample in found.items()}
    assert kinds == {
        "seconds_bucket": "bucket",
        "seconds_sum": "sum",
        "seconds_count": "count",
        "calls_total": "counter",
        "s": "quantile",
    }
    assert found["seconds_bucket"].edges == (0.5,)
    assert found["calls_total"].labels == frozenset({"path"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html>", "want a sample"),
        ('a{b="c" 1', "want name"),
        ("a", "want a value"),
        ('a_bucket{le="x"} 1', "want a number"),
    ],
)
def test_what_is_no_exposition_is_said(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        parse_exposition(text)


CONFIG = """\
global: {scrape_interval: 5s, external_labels: {region: eu}}
scrape_configs:
  - job_name: triton
    static_configs: [{targets: [a], labels: {rack: r1}}]
    metric_relabel_configs:
      - source_labels: [__name__]
        regex: nv_inference_request_latency_us_(bucket|sum|count)
        target_label: __name__
        replacement: nv_inference_request_duration_us_$1
      - {source_labels: [__name__], regex: process_.*, action: drop}
      - {regex: version, action: labeldrop}
"""


def test_relabelling_is_followed(tmp_path: Path) -> None:
    settings = replace(Settings(), scrape_config=read_scrape_config(CONFIG))

    def names(expr: str) -> list[str]:
        return check(tmp_path, alert(expr), settings=settings)

    renamed = "histogram_quantile(0.95, rate(nv_inference_request_duration_us_bucket[1m])) / 1000"
    assert names(f"{renamed} > 2000") == []
    assert names(f"{renamed} > 90000") == ["latency-unit"]
    assert names("rate(nv_inference_request_latency_us_bucket[1m]) > 1") == ["unknown-metric"]
    assert names("process_open_fds > 1000") == ["unknown-metric"]
    assert names('rate(nv_inference_count{version="1"}[1m]) > 1') == ["unknown-label"]
    assert names('up{job="tritn"} == 0') == ["unknown-label-value"]
    assert names('up{rack="r1"} == 0') == []
    assert names("rate(nv_inference_count[10s]) > 1") == ["range-too-short"]
    assert names("rate(nv_inference_count[20s]) > 1") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("groups: []", "want a Prometheus configuration"),
        ("scrape_configs: [{scrape_interval: 5}]", "want durations"),
        ("scrape_configs: [{metric_relabel_configs: [{regex: '('}]}]", r"got the regex '\('"),
    ],
)
def test_what_is_no_configuration_is_said(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_scrape_config(text)


POSITIONS = """\
groups:
  - name: g
    rules:
      - alert: A
        expr: |
          sum by (job) (
            up >> 0
          )
        for: 1m
        labels: {severity: urgent}
        annotations: {summary: s, description: d}
"""


def test_findings_say_the_line(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(POSITIONS)
    lines = {finding.check: finding.line for finding in check_files([path])}
    assert lines == {"syntax-error": 7, "unknown-severity": 10}


@pytest.mark.parametrize(
    ("expr", "before"),
    [
        ("up > = 0", "= 0"),
        ("sum(up", "(up"),
        ("rate(up[5q])", "5q"),
        ("up + ", ""),
        ("foo(up) > 0", "foo(up)"),
        ("up{job=triton}", "triton"),
        ("up and 1", ""),
        ("sum by job (up)", "job"),
        ("up == 0 for 5m", "for"),
    ],
)
def test_syntax_errors_say_the_character(tmp_path: Path, expr: str, before: str) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [alert(expr)]}]}))
    (finding,) = [f for f in check_files([path]) if f.check == "syntax-error"]
    at = int(finding.message.split()[2].rstrip(":")) - 1
    assert expr[at:].startswith(before)
    assert before == "" or f"before '{before[:1]}" in finding.message


def test_a_comment_switches_a_check_off_for_its_rule(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    rule = (
        "      - {alert: %s, expr: up == 2, for: 1m, labels: {severity: info},\n"
        "         annotations: {summary: s, description: d}}\n"
    )
    comment = "      # A reason. rules-check: ignore=value-outside-range\n"
    path.write_text("groups:\n  - name: g\n    rules:\n" + comment + rule % "A" + rule % "B")
    assert [f.where for f in check_files([path])] == ["group g, alert B"]
    path.write_text(path.read_text().replace("value-outside-range", "nothing"))
    assert "file-structure" in {f.check for f in check_files([path])}


def test_the_operators_rules_are_read(tmp_path: Path) -> None:
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "spec": {"groups": [{"name": "g", "rules": [alert("up == 2")]}]},
    }
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump(document))
    assert [finding.check for finding in check_files([path])] == ["value-outside-range"]


# Changes of the shipped rules and what has to notice each.
MUTANTS = [
    ("== 0", "== 2", "value-outside-range"),
    ("> 2\n", "> 2000\n", "latency-unit"),
    ("> 2\n", "> 2.2\n", "threshold-between-buckets"),
    ("(job, model_name, le)", "(job, model_name)", "quantile-without-le"),
    ("(job, model_name, le)", "(job, le)", "label-not-in-result"),
    ("0.95", "95", "quantile-out-of-range"),
    ("_bucket{job", "_buckets{job", "unknown-metric"),
    ('rate(inference_latency_seconds_bucket{job="triton"}[5m])',
     'inference_latency_seconds_bucket{job="triton"}', "bucket-without-rate"),
    ('count{job="triton"}[5m]', 'count{job="triton"}[10s]', "range-too-short"),
    ("and sum by (job, model_name)", "and sum by (job)", "vectors-never-match"),
    ("for: 1m", "for: 15s", "for-too-short"),
    ("$labels.model_name }} answers", "$labels.model }} answers", "label-not-in-result"),
    ("humanizeDuration", "humanizePercentage", "humanize-mismatch"),
    ("severity: critical", "severity: high", "unknown-severity"),
    ("> 0.1\n", "\n", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "becomes", "name"), MUTANTS)
def test_mutants_of_the_shipped_rules_are_noticed(
    tmp_path: Path, written: str, becomes: str, name: str | None
) -> None:
    text = (ROOT / "configs/prometheus-alerts.yml").read_text()
    assert written in text
    path = tmp_path / "rules.yml"
    path.write_text(text.replace(written, becomes))
    found = {finding.check for finding in check_files([path])}
    # A guard that was dropped is no mistake that can be seen: alert tests have to notice it.
    assert (name in found) if name else not found
