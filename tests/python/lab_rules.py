"""Small rule files and expositions for tests of the alert lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inferometer.testing import AlertLab, LabOptions, tools
from inferometer.testing.errors import ToolMissingError

RULES = """
groups:
  - name: recorded
    interval: 15s
    rules:
      - record: job:load:max
        expr: max by (job) (load)
  - name: alerts
    interval: 15s
    rules:
      - alert: LoadHigh
        expr: job:load:max > 10
        for: 1m
        labels: {severity: critical}
        annotations: {summary: "the load of {{ $labels.job }} is {{ $value }}"}
      - alert: ErrorsHigh
        expr: |
          rate(errors_total{service="shop"}[1m]) / rate(requests_total{service="shop"}[1m]) > 0.5
        labels: {severity: warning}
      - alert: SlowPages
        expr: histogram_quantile(0.9, sum by (job) (rate(pages_seconds_bucket[1m]))) > 1
      - alert: AbsentUp
        expr: absent(up{job="triton"})
      - alert: BothSides
        expr: load > 1 and on (zone) weight > 1
      - alert: Watchdog
        expr: vector(1)
"""

ALERTMANAGER = """
route:
  receiver: chat
  routes:
    - {receiver: pager, matchers: ['severity = "critical"']}
receivers: [{name: chat}, {name: pager}]
inhibit_rules:
  - source_matchers: ['alertname = "LoadHigh"']
    target_matchers: ['alertname = "ErrorsHigh"']
    equal: [job]
"""


def lab(
    folder: Path,
    exposition: Callable[[float], str | bytes] | None = None,
    rules: str = RULES,
    **options: Any,
) -> AlertLab:
    """A lab of these rules. Skips where promtool is missing."""
    try:
        tools.find("promtool")
    except ToolMissingError as missing:
        pytest.skip(str(missing))
    (folder / "rules.yml").write_text(rules, encoding="utf-8")
    (folder / "alertmanager.yml").write_text(ALERTMANAGER, encoding="utf-8")
    return AlertLab(
        LabOptions(
            rules=["rules.yml"],
            alertmanager="alertmanager.yml",
            exposition=exposition,
            folder=folder,
            **options,
        )
    )


def gauge(name: str, value: Callable[[float], object], labels: str = "") -> Callable[[float], str]:
    """An exposition of one gauge."""
    return lambda now: f"# TYPE {name} gauge\n{name}{labels} {value(now)}\n"


def between(start: float, end: float, inside: object, outside: object) -> Callable[[float], object]:
    """A value for a while."""
    return lambda now: inside if start <= now < end else outside


def high(folder: Path, start: float = 120, end: float = 300, **options: Any) -> Any:
    """A load of 20 for a while, 5 otherwise, run for ten minutes."""
    made = lab(folder, gauge("load", between(start, end, 20, 5)), **options)
    made.run("10m")
    return made
