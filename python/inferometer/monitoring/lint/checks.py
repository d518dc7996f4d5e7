"""All checks by name."""

from __future__ import annotations

from collections.abc import Mapping

from inferometer.monitoring.lint.check import Check
from inferometer.monitoring.lint.dashboard_checks_table import DASHBOARD_CHECKS
from inferometer.monitoring.lint.expression_checks_table import EXPRESSION_CHECKS
from inferometer.monitoring.lint.rule_checks_table import ALERT_CHECKS, FILE_CHECKS

CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (*FILE_CHECKS, *EXPRESSION_CHECKS, *ALERT_CHECKS, *DASHBOARD_CHECKS)
}
