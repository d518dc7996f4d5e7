#!/usr/bin/env python3
"""Prints what the tests of a run reported: pytest's counts, then `N passed, N failed` over all.

Usage: scripts/count_tests.py REPORTS STAGE_FAILED

REPORTS holds gtest-*/*.json and pytest.xml. STAGE_FAILED is 1 if any stage failed; where no test
did (a lint finding, a build error), that counts as one failure.
"""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def gtest_counts(reports: Path) -> tuple[int, int]:
    """Returns (passed, failed) over the JSON files of all GoogleTest binaries."""
    passed = failed = 0
    for path in reports.glob("gtest-*/*.json"):
        report = json.loads(path.read_text(encoding="utf-8"))
        failed += report["failures"]
        passed += report["tests"] - report["failures"] - report["disabled"]
    return passed, failed


def pytest_counts(reports: Path) -> tuple[int, int, int, float]:
    """Returns (passed, failed, skipped, seconds) of pytest's JUnit file; zeros without one."""
    path = reports / "pytest.xml"
    if not path.exists():
        return 0, 0, 0, 0.0
    suite = next(ElementTree.parse(path).getroot().iter("testsuite"))
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return total - failed - skipped, failed, skipped, float(suite.get("time", 0))


def main(arguments: list[str]) -> int:
    """Prints the counts."""
    reports, stage_failed = Path(arguments[0]), int(arguments[1])
    passed, failed = gtest_counts(reports)
    if passed or failed:
        print(f"GoogleTest: {passed} passed, {failed} failed")
    python_passed, python_failed, skipped, seconds = pytest_counts(reports)
    if python_passed or python_failed:
        print(
            f"pytest: {python_passed} passed, {python_failed} failed, {skipped} skipped"
            f" in {seconds:.2f}s"
        )
    passed += python_passed
    failed += python_failed
    if stage_failed and not failed:
        print("a stage failed in which no test did")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
