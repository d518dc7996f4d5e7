"""Correct alerts as they are in common use: no errors, and only those warnings named here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from inferometer.monitoring.lint import check_files

FOLDER = Path(__file__).resolve().parents[1] / "data/good_rules"
FILES = sorted(FOLDER.glob("*.yml"))
# What may be meant so, and may not: which check says so, of which alert.
WARNINGS = {
    "FewerTargetsThanWanted": "absent-regex",
    "NeverAsked": "counter-without-rate",
    "NoTrafficNow": "counter-without-rate",
    "QueueInSeconds": "unit-mismatch",
}


def alerts() -> list[str]:
    return [
        str(rule["alert"])
        for path in FILES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_correct_alert_is_an_error(path: Path) -> None:
    found = {
        finding.where.rpartition(" ")[2]: finding.check
        for finding in check_files([path])
        if finding.severity == "warning" or pytest.fail(str(finding))
    }
    assert found == {name: WARNINGS[name] for name in found}


def test_there_are_many_and_each_warning_is_of_one() -> None:
    names = alerts()
    assert len(set(names)) == len(names) > 100
    assert WARNINGS.keys() <= set(names)


def test_promtool_takes_them_too(prometheus_tools: Path) -> None:
    subprocess.run([prometheus_tools / "promtool", "check", "rules", *FILES], check=True)


def check(tmp_path: Path, expr: str, **more: str) -> list[str]:
    rule = {
        "alert": "Example",
        "expr": expr,
        "for": "5m",
        "labels": {"severity": "warning"},
        "annotations": {"summary": "s", "description": "d", **more},
    }
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}, width=10_000))
    return [f"{finding.severity} {finding.check}" for finding in check_files([path])]


MEAN = "rate(inference_latency_seconds_sum[5m]) / rate(inference_latency_seconds_count[5m])"


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        # Always there, so that this does fire always.
        ("count(up) >= 1", "error always-true"),
        ("inferometer_build_info == 1", "error always-true"),
        ("inference_queue_depth >= 0", "error always-true"),
        # Of these nothing ever comes.
        ("count(up == 0) == 0", "error value-outside-range"),
        ("absent(up) == 0", "error never-true"),
        ("sum(up == 0) >= 1", "error never-true"),
        ("(up == 0) + 1 == 2", "error never-true"),
        # A mean may lie beyond the edges, but not at any distance.
        (f"{MEAN} > 120", "warning latency-unit"),
        (f"{MEAN} > 5000", "error latency-unit"),
        (f"1000 * {MEAN} > 5000000", "error latency-unit"),
        (f"2 * {MEAN} > 100", None),
        # Being there may be the condition.
        ("kube_pod_deletion_timestamp", "warning comparison-missing"),
        ('count(up{job="legacy"})', "warning comparison-missing"),
        ("count(up)", "error comparison-missing"),
        ("rate(my_errors_total[5m])", "error comparison-missing"),
        # Guards, and growth.
        ("inference_requests_total > 10", "error counter-without-rate"),
        ("inference_requests_total > 10 unless on (instance) up == 0", None),
        ("nv_inference_count - nv_inference_exec_count > 10", None),
        ("sum(rate(inference_latency_seconds_bucket[5m])) == 0", None),
        # Conditions on different series, or at different times, do not contradict.
        ("inference_queue_depth > 9 and on (model_name) inference_queue_depth < 5", None),
        ("inference_queue_depth > 9 and inference_queue_depth offset 1h < 5", None),
        ("inference_queue_depth > 9 and inference_queue_depth @ end() < 5", None),
        ("inference_queue_depth >= 5 and inference_queue_depth <= 5", None),
        ("inference_queue_depth >= 5 and inference_queue_depth < 5",
         "error contradicting-conditions"),
    ],
)  # fmt: skip
def test_where_the_line_is(tmp_path: Path, expr: str, found: str | None) -> None:
    got = check(tmp_path, expr)
    assert (found in got) if found else not any(one.startswith("error") for one in got)


def test_a_counter_is_said_to_grow_away_from_the_limit_or_past_it(tmp_path: Path) -> None:
    def message(expr: str) -> str:
        check(tmp_path, expr)
        (finding,) = check_files([tmp_path / "rules.yml"])
        return finding.message

    assert "once true it stays true until a restart" in message("inference_requests_total > 9")
    assert "once true it stays true until a restart" in message("9 < inference_requests_total")
    assert "true after a start until there is more" in message("inference_requests_total == 0")
    assert "true after a start until there is more" in message("9 > inference_requests_total")


def test_what_a_number_stands_for_is_not_known(tmp_path: Path) -> None:
    pages = "inference_queue_depth * 4096 > 1e9"
    assert check(tmp_path, pages, more="{{ $value | humanize1024 }}") == [
        "warning humanize-mismatch"
    ]
    percent = "nv_gpu_utilization * 100 > 90"
    assert check(tmp_path, percent, more="{{ $value | humanizePercentage }}") == [
        "error humanize-mismatch"
    ]


MERGED = """\
groups:
  - name: g
    rules:
      - &a
        alert: A
        expr: up == 0
        for: 1m
        labels: {severity: critical}
        annotations: {summary: s, description: d}
      - &b
        <<: *a
        alert: B
      - <<: [{alert: C}, *b]
      - {<<: *b, alert: D, labels: {<<: {team: x, severity: info}, severity: warning}}
"""


def test_what_is_merged_may_be_overridden(tmp_path: Path, prometheus_tools: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(MERGED)
    assert check_files([path]) == []
    promtool = [str(prometheus_tools / "promtool"), "check", "rules", str(path)]
    said = subprocess.run(promtool, check=True, capture_output=True, text=True).stdout
    assert "4 rules found" in said
    path.write_text(MERGED.replace("alert: D", "alert: D, alert: E"))
    (finding,) = check_files([path])
    assert "got the field alert twice" in finding.message
