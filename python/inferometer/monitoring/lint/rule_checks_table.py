"""The checks of files and of alerting rules."""

from __future__ import annotations

from inferometer.monitoring.lint.check import Check

FILE_CHECKS = (
    Check(
        "broken-file",
        "error",
        "A file that cannot be read, is too large, or is neither YAML nor JSON.",
        "groups: [",
        "groups: []",
    ),
    Check(
        "file-structure",
        "error",
        "What Prometheus or Grafana would refuse or overlook: an unknown field, a missing `expr`, "
        "a rule that is both alert and record, an invalid name.",
        "- alert: A\n  exp: up == 0",
        "- alert: A\n  expr: up == 0",
    ),
)

ALERT_CHECKS = (
    Check(
        "comparison-missing",
        "error",
        "No condition leaves anything out (`bool` does not either): the alert always fires. "
        "`vector(1)` by itself is taken for a watchdog. A warning where being there may be the "
        "condition: unknown metrics, a count, an info metric of one version.",
        "expr: inference_queue_depth",
        "expr: inference_queue_depth > 100",
    ),
    Check(
        "always-true",
        "error",
        "A condition that every possible value meets, of what is always there: "
        "`count(up == 0) >= 1` is not, `absent(x) == 1` neither.",
        "expr: inference_queue_depth >= 0",
        "expr: inference_queue_depth > 100",
    ),
    Check(
        "never-true",
        "error",
        "A condition that no possible value meets, though the limit is within the range.",
        "expr: nv_gpu_utilization > 1",
        "expr: nv_gpu_utilization > 0.9",
    ),
    Check(
        "value-in-label",
        "error",
        "`$value` in a label: each change is a new alert, and `for` never ends.",
        'labels: {depth: "{{ $value }}"}',
        'annotations: {summary: "{{ $value }} wait"}',
    ),
    Check(
        "label-not-in-result",
        "error",
        "A template that names a label which the result of the expression does not have.",
        'expr: sum(up) == 0, summary: "{{ $labels.instance }}"',
        'expr: up == 0, summary: "{{ $labels.instance }}"',
    ),
    Check(
        "template-syntax",
        "error",
        "Braces that do not pair, or a function that Prometheus' templates do not have.",
        '"{{ $value | humanisePercentage }}"',
        '"{{ $value | humanizePercentage }}"',
    ),
    Check(
        "humanize-mismatch",
        "error",
        "`humanizePercentage` of what is not 0 to 1, `humanize1024` of a ratio, `humanizeDuration` "
        "of what is not in seconds.",
        'nv_gpu_utilization > 0.9, "{{ $value | humanize1024 }}"',
        'nv_gpu_utilization > 0.9, "{{ $value | humanizePercentage }}"',
    ),
    Check(
        "for-too-short",
        "warning",
        "`for` of less than two scrapes on `up` or `absent`: one lost scrape or a restart fires.",
        "expr: up == 0, for: 0s",
        "expr: up == 0, for: 1m",
    ),
    Check(
        "bad-duration",
        "error",
        "`for`, `keep_firing_for` or `interval` that is no duration.",
        "for: 5 minutes",
        "for: 5m",
    ),
    Check(
        "duplicate-rule",
        "error",
        "Two rules of one name and labels, or two groups of one name in a file.",
        "alert: A twice",
        "alert: A and alert: B",
    ),
    Check(
        "missing-severity", "error", "An alert without `severity`.", "labels: {}", "severity: info"
    ),
    Check(
        "unknown-severity",
        "error",
        "A severity that is not one of `--severities`: no route takes it.",
        "severity: urgent",
        "severity: critical",
    ),
    Check(
        "missing-summary", "error", "An alert without `summary`.", "annotations: {}", "summary: …"
    ),
    Check(
        "missing-description",
        "error",
        "An alert without `description`.",
        "annotations: {}",
        "description: …",
    ),
    Check(
        "missing-runbook",
        "error",
        "An alert without `runbook_url`, where other alerts have one or `--runbooks` is given.",
        "annotations: {}",
        "runbook_url: https://…/docs/runbooks/A.md",
    ),
    Check(
        "runbook-not-found",
        "error",
        "The page of the `runbook_url` is not in the folder of `--runbooks`.",
        "runbook_url: https://…/Mispelt",
        "runbook_url: https://…/TritonDown",
    ),
)
