"""The checks of dashboards."""

from __future__ import annotations

from inferometer.monitoring.lint.check import Check

DASHBOARD_CHECKS = (
    Check(
        "fixed-range-in-rate",
        "warning",
        "`rate` over a fixed range or `$__interval` on a dashboard: wrong when zoomed.",
        "rate(inference_requests_total[1m])",
        "rate(inference_requests_total[$__rate_interval])",
    ),
    Check(
        "panel-unit",
        "error",
        "The panel's unit is not that of the values.",
        "gpu_utilization_ratio, unit percent",
        "gpu_utilization_ratio, unit percentunit",
    ),
    Check(
        "missing-unit",
        "warning",
        "A panel without a unit though the values have one.",
        "gpu_memory_used_bytes, no unit",
        "gpu_memory_used_bytes, unit bytes",
    ),
    Check(
        "fixed-datasource",
        "error",
        "A datasource by its uid instead of by the dashboard's variable.",
        '"datasource": {"uid": "abc"}',
        '"datasource": {"uid": "${datasource}"}',
    ),
    Check(
        "duplicate-ref-id",
        "error",
        "Two queries of a panel with one refId, or one without: Grafana shows one of them.",
        '"refId": "A" twice',
        '"refId": "A", "refId": "B"',
    ),
    Check("missing-title", "warning", "A panel without a title.", '"title": ""', '"title": "P95"'),
    Check(
        "duplicate-title",
        "warning",
        "Two panels of one title.",
        '"title": "Latency" twice',
        '"title": "Latency P50", "title": "Latency P95"',
    ),
    Check(
        "duplicate-panel-id", "error", "Two panels of one id.", '"id": 1 twice', '"id": 1, "id": 2'
    ),
    Check(
        "panel-without-description",
        "warning",
        "A panel that does not say what it shows.",
        '"description": ""',
        '"description": "P95 of the latency, by model."',
    ),
    Check(
        "import-placeholder",
        "error",
        "`__inputs` or `${DS_…}`: only an import by hand fills them in, provisioning does not.",
        '"__inputs": […]',
        "a variable of type datasource",
    ),
    Check(
        "undefined-variable",
        "error",
        "A variable that the dashboard does not define.",
        'up{job="$jbo"}',
        'up{job="$job"}',
    ),
    Check(
        "unused-variable",
        "warning",
        "A variable that nothing uses.",
        "a variable region, no $region",
        'up{region=~"$region"}',
    ),
    Check(
        "variable-needs-regex",
        "error",
        "A variable of several values behind `=` or `!=`: no series has `(a|b)` for a value.",
        'up{instance="$instance"}',
        'up{instance=~"$instance"}',
    ),
    Check(
        "legend-label",
        "error",
        "A legend that names a label which the result does not have.",
        "sum(up), {{instance}}",
        "sum by (instance) (up), {{instance}}",
    ),
    Check(
        "panel-overlap",
        "error",
        "Panels that overlap, or stand out of the 24 columns.",
        '"gridPos": {"x": 20, "w": 8, …}',
        '"gridPos": {"x": 16, "w": 8, …}',
    ),
)
