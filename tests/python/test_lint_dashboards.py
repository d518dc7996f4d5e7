"""What the checks read of a dashboard besides its panels, and what units they want."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inferometer.monitoring.lint import check_files

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
GOOD = {
    "title": "Example",
    "templating": {
        "list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {
                "name": "job",
                "type": "query",
                "datasource": SOURCE,
                "query": {"query": "label_values(up, job)"},
            },
            {"name": "quantile", "type": "custom", "query": "0.5, 0.95", "current": {}},
        ]
    },
    "annotations": {
        "list": [
            {"builtIn": 1, "datasource": {"uid": "-- Grafana --"}},
            {
                "name": "Restarts",
                "datasource": SOURCE,
                "expr": 'changes(process_start_time_seconds{job="$job"}[5m]) > 0',
                "textFormat": "{{instance}}",
            },
        ]
    },
    "panels": [
        {"type": "row", "title": "Latency", "panels": []},
        {
            "title": "P95",
            "type": "timeseries",
            "description": "d",
            "datasource": SOURCE,
            "fieldConfig": {"defaults": {"unit": "s"}},
            "targets": [
                {
                    "refId": "A",
                    "expr": "histogram_quantile($quantile, sum by (le, model_name) "
                    '(rate(inference_latency_seconds_bucket{job="$job"}[$__rate_interval])))',
                    "legendFormat": "{{model_name}}",
                }
            ],
        },
    ],
}


def checks(tmp_path: Path, board: Any) -> list[str]:
    path = tmp_path / "board.json"
    path.write_text(json.dumps(board, indent=1))
    return [finding.check for finding in check_files([path])]


def test_a_good_dashboard_passes_also_as_grafanas_api_gives_it(tmp_path: Path) -> None:
    assert checks(tmp_path, GOOD) == []
    assert checks(tmp_path, {"dashboard": GOOD, "meta": {}}) == []


@pytest.mark.parametrize(
    ("written", "becomes", "name"),
    [
        ("label_values(up, job)", "label_values(up, jbo)", "unknown-label"),
        ("label_values(up, job)", "query_result(sum(up)", "syntax-error"),
        ("label_values(up, job)", "label_values(inference_requests, job)", "unknown-metric"),
        ('{job=\\"$job\\"}[5m]', '{job=\\"$jbo\\"}[5m]', "undefined-variable"),
        ("{{instance}}", "{{model}}", "legend-label"),
        ("process_start_time_seconds", "process_start_seconds", "unknown-metric"),
        ("0.5, 0.95", "50, 95", "quantile-out-of-range"),
        ("$__rate_interval", "$__interval", "fixed-range-in-rate"),
        ("sum by (le, model_name)", "sum by (model_name)", "quantile-without-le"),
    ],
)
def test_variables_and_annotations_are_checked(
    tmp_path: Path, written: str, becomes: str, name: str
) -> None:
    text = json.dumps(GOOD)
    assert written in text
    assert name in checks(tmp_path, json.loads(text.replace(written, becomes)))


UNITS = [
    ("gpu_utilization_ratio", "percentunit", None),
    ("gpu_utilization_ratio", "percent", "panel-unit"),
    ("gpu_utilization_ratio", "", "missing-unit"),
    ("gpu_utilization_ratio * 100", "percent", None),
    ("gpu_utilization_ratio * 100", "percentunit", "panel-unit"),
    ("gpu_memory_used_bytes", "bytes", None),
    ("gpu_memory_used_bytes / 1024 / 1024", "mbytes", None),
    ("gpu_memory_used_bytes / 1e6", "mbytes", "panel-unit"),
    ("gpu_memory_used_bytes", "short", "missing-unit"),
    ("gpu_memory_used_bytes / gpu_memory_total_bytes", "percentunit", None),
    ("inference_oldest_request_seconds", "s", None),
    ("inference_oldest_request_seconds * 1000", "ms", None),
    ("inference_oldest_request_seconds * 1000", "s", "panel-unit"),
    ("process_start_time_seconds * 1000", "dateTimeFromNow", None),
    ("sum(inference_queue_depth)", "short", None),
    ("sum(inference_queue_depth)", "s", "panel-unit"),
    ("rate(inference_requests_total[$__rate_interval])", "reqps", None),
    ("rate(inference_requests_total[$__rate_interval])", "short", None),
    ("rate(inference_requests_total[$__rate_interval])", "percentunit", "panel-unit"),
    (
        "rate(nv_inference_queue_duration_us[$__rate_interval]) / "
        "rate(nv_inference_request_success[$__rate_interval])",
        "µs",
        None,
    ),
    (
        "rate(nv_inference_queue_duration_us[$__rate_interval]) / "
        "rate(nv_inference_request_success[$__rate_interval])",
        "s",
        "panel-unit",
    ),
    ("rate(nv_energy_consumption[$__rate_interval])", "watt", None),
    ("rate(nv_energy_consumption[$__rate_interval])", "joule", "panel-unit"),
    ("my_metric", "s", None),
    ("inference_oldest_request_seconds", "suffix:x", None),
]


@pytest.mark.parametrize(("expr", "unit", "name"), UNITS)
def test_units_of_panels(tmp_path: Path, expr: str, unit: str, name: str | None) -> None:
    panel = {
        "title": "t",
        "type": "stat",
        "description": "d",
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": unit}},
        "targets": [{"refId": "A", "expr": expr}],
    }
    templating = {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]}
    found = checks(tmp_path, {"title": "b", "templating": templating, "panels": [panel]})
    assert found == ([name] if name else [])


def test_findings_say_the_line_of_the_panel_or_query(tmp_path: Path) -> None:
    text = json.dumps(GOOD, indent=1).replace('"refId": "A"', '"refId": ""')
    text = text.replace("model_name}}", "model}}")
    path = tmp_path / "board.json"
    path.write_text(text)
    lines = text.splitlines()
    found = {
        finding.check: lines[finding.line - 1 : finding.line + 1] for finding in check_files([path])
    }
    assert '"title": "P95"' in "".join(found["duplicate-ref-id"])
    assert '"refId": ""' in "".join(found["legend-label"])
