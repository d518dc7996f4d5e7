"""pytest --alerts-lint: an item for each rule and dashboard."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
BAD = ROOT / "tests/data/bad_rules"
RULES = ROOT / "configs/prometheus-alerts.yml"
SHIPPED = RULES.read_text(encoding="utf-8").count("- alert: ")


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    for name in ("value-outside-range.yml", "panel-unit.json", "range-too-short.good.yml"):
        shutil.copy(BAD / name, pytester.path / name)
    pytester.copy_example(str(RULES))
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_good_rules_pass_one_item_each(project: pytest.Pytester) -> None:
    result = run(project, "--alerts-lint", "--alerts-rules=prometheus-alerts.yml", "-v")
    result.assert_outcomes(passed=SHIPPED)
    result.stdout.fnmatch_lines(["*prometheus-alerts.yml::group *, alert TritonDown*"])


def test_a_bad_rule_fails_with_its_findings(project: pytest.Pytester) -> None:
    result = run(project, "--alerts-lint", "--alerts-rules=range*.yml", "--alerts-rules=value*.yml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*value-outside-range.yml:5: error?value-outside-range?: group example, alert Example: *"]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_dashboard_is_one_item(project: pytest.Pytester) -> None:
    result = run(project, "--alerts-lint", "--alerts-dashboards=panel-unit.json")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*error?panel-unit?: panel Requests: *"])


def test_ini_keys_and_ignoring(project: pytest.Pytester) -> None:
    project.makeini(
        "[pytest]\nalerts_rules = value-outside-range.yml\nalerts_dashboards = panel-unit.json\n"
        "alerts_lint_ignore = value-outside-range"
    )
    run(project, "--alerts-lint").assert_outcomes(passed=1, failed=1)


def test_without_the_option_nothing_is_checked(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nalerts_rules = value-outside-range.yml\n")
    run(project).assert_outcomes()


def test_items_can_be_chosen(project: pytest.Pytester) -> None:
    result = run(project, "--alerts-lint", "--alerts-rules=*.yml", "-k", "TritonDown")
    result.assert_outcomes(passed=1, deselected=SHIPPED + 1)


def test_warnings_fail_only_when_strict(project: pytest.Pytester) -> None:
    shutil.copy(BAD / "threshold-between-buckets.yml", project.path / "warn.yml")
    run(project, "--alerts-lint", "--alerts-rules=warn.yml").assert_outcomes(passed=1)
    run(project, "--alerts-lint-strict", "--alerts-rules=warn.yml").assert_outcomes(failed=1)


def test_a_file_that_cannot_be_read_fails_as_a_whole(project: pytest.Pytester) -> None:
    project.makefile(".yml", broken="groups: [")
    result = run(project, "--alerts-lint", "--alerts-rules=broken.yml", "-v")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*broken.yml::file*FAILED*", "*error?broken-file?*"])


@pytest.mark.parametrize(
    ("arguments", "ini", "message"),
    [
        ([], "", "got no files, want --alerts-rules or alerts_rules"),
        (["--alerts-rules=none.yml"], "", "got none.yml, which is no file"),
        (["--alerts-rules=*.yml"], "alerts_lint_ignore = nothing", "got nothing, want the name"),
        (["--alerts-rules=*.yml"], "alerts_runbooks = none", "got none, want a folder"),
        (["--alerts-rules=*.yml"], "alerts_metrics = none", "none:1: cannot be read"),
        (["--alerts-rules=*.yml"], "alerts_prometheus = panel-unit.json", "want a Prometheus"),
    ],
)
def test_what_cannot_be_checked_is_said(
    project: pytest.Pytester, arguments: list[str], ini: str, message: str
) -> None:
    project.makeini(f"[pytest]\n{ini}\n")
    result = run(project, "--alerts-lint", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
