"""Checks of Prometheus rules and Grafana dashboards that know the types of the metrics.

Attributes:
    CHECKS: All checks by name.
    Finding: What a check found.
    Settings: How to check.
    check: Checks files, and says which rules and dashboards were read.
    check_files: Checks files.
"""

from inferometer.monitoring.lint.check_files import Checked, check, check_files
from inferometer.monitoring.lint.checks import CHECKS
from inferometer.monitoring.lint.finding import Finding
from inferometer.monitoring.lint.settings import Settings

__all__ = ["CHECKS", "Checked", "Finding", "Settings", "check", "check_files"]
