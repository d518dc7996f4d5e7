"""What the checks need to know about where rules and dashboards run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inferometer.monitoring.lint.samples import SampleInfo
from inferometer.monitoring.lint.scrape_config import ScrapeConfig

# Labels that Prometheus' own configuration puts on every series of a target: ours, those of the
# Prometheus operator, and those that are common elsewhere.
# fmt: off
TARGET_LABELS = frozenset({
    "service", "environment", "cluster", "namespace", "pod", "container", "endpoint", "node",
    "app", "datacenter", "env", "host", "region", "stage", "team", "tenant", "zone",
})
# fmt: on


@dataclass(frozen=True)
class Settings:
    """How to check.

    Attributes:
        scrape_interval: Seconds between scrapes.
        target_labels: Labels besides ``job`` and ``instance`` that series may have from the
            configuration of their target.
        severities: What the label ``severity`` may be.
        ignore: Names of checks whose findings are left out.
        metrics: Samples that are known besides the catalogue's, by name. If given, any other name
            is an error; else only those that begin with one of our prefixes.
        all_metrics_known: Whether ``metrics`` was given.
        scrape_config: The ``metric_relabel_configs`` and labels of a Prometheus configuration.
        native_histograms: Whether histograms are scraped as native ones.
        runbooks: A folder that must have a page for each ``runbook_url``.
    """

    scrape_interval: float = 15.0
    target_labels: frozenset[str] = TARGET_LABELS
    severities: frozenset[str] = frozenset({"critical", "warning", "info", "none"})
    ignore: frozenset[str] = frozenset()
    metrics: Mapping[str, SampleInfo] = field(default_factory=dict)
    all_metrics_known: bool = False
    scrape_config: ScrapeConfig | None = None
    native_histograms: bool = False
    runbooks: Path | None = None
