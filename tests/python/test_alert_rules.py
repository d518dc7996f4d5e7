"""The committed alert rules as they stand, without scaling: syntax, virtual time, mutants."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import inferometer as im
from conftest import ROOT

RULES = ROOT / "configs/prometheus-alerts.yml"
UNIT_TESTS = sorted((ROOT / "tests/alerts").glob("*.test.yml"))


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def alert_rules() -> list[dict[str, Any]]:
    return [rule for group in load(RULES)["groups"] for rule in group["rules"]]


def expectations() -> list[dict[str, Any]]:
    """Every alert_rule_test of every file in tests/alerts."""
    return [
        expectation
        for path in UNIT_TESTS
        for test in load(path)["tests"]
        for expectation in test["alert_rule_test"]
    ]


def promtool(tools: Path, *arguments: str | Path) -> tuple[int, str]:
    """Exit status and output of a promtool command."""
    done = subprocess.run(
        [tools / "promtool", *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_promtool_accepts_the_rules(prometheus_tools: Path) -> None:
    status, output = promtool(prometheus_tools, "check", "rules", RULES)
    assert status == 0, output
    assert f"{len(alert_rules())} rules found" in output


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.name)
def test_the_rules_in_virtual_time(prometheus_tools: Path, path: Path) -> None:
    status, output = promtool(prometheus_tools, "test", "rules", path)
    assert status == 0, output


# A change of a rule that must make its unit tests fail: what is written, what it becomes.
MUTANTS = [
    ("triton_down", "== 0", "== 1"),
    ("triton_down", "== 0", ">= 0"),
    ("triton_down", 'up{job="triton"}', "up"),
    ("triton_down", "for: 1m", "for: 30s"),
    ("triton_down", "for: 1m", "for: 2m"),
    ("triton_down", "severity: critical", "severity: warning"),
    ("high_inference_latency_warning", "> 2\n", "> 20\n"),
    ("high_inference_latency_warning", "> 2\n", "< 2\n"),
    ("high_inference_latency_warning", "> 2\n", "> 1\n"),
    ("high_inference_latency_warning", "0.95", "0.9"),
    ("high_inference_latency_warning", "0.95", "0.99"),
    ("high_inference_latency_warning", "model_name, le", "model_name"),
    ("high_inference_latency_warning", "(job, model_name, le)", "(job, le)"),
    ("high_inference_latency_warning", "model_name, le", "model_name, instance, le"),
    (
        "high_inference_latency_warning",
        'rate(inference_latency_seconds_bucket{job="triton"}[5m])',
        'inference_latency_seconds_bucket{job="triton"}',
    ),
    ("high_inference_latency_warning", '{job="triton"}[5m]', "[5m]"),
    ("high_inference_latency_warning", 'bucket{job="triton"}[5m]', 'bucket{job="triton"}[1m]'),
    ("high_inference_latency_warning", "> 0.1\n", "> 0.01\n"),
    ("high_inference_latency_warning", "> 0.1\n", "> 1\n"),
    ("high_inference_latency_warning", "for: 5m", "for: 4m"),
    ("high_inference_latency_warning", "for: 5m", "for: 6m"),
]


@pytest.mark.parametrize(("name", "written", "becomes"), MUTANTS)
def test_a_wrong_rule_fails_its_unit_tests(
    prometheus_tools: Path, tmp_path: Path, name: str, written: str, becomes: str
) -> None:
    text = RULES.read_text(encoding="utf-8")
    assert written in text
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / RULES.name).write_text(text.replace(written, becomes), encoding="utf-8")
    folder = tmp_path / "tests/alerts"
    folder.mkdir(parents=True)
    unit_test = folder / f"{name}.test.yml"
    unit_test.write_text(
        (ROOT / "tests/alerts" / unit_test.name).read_text(encoding="utf-8"), encoding="utf-8"
    )
    status, output = promtool(prometheus_tools, "test", "rules", unit_test)
    assert status == 1
    assert "got:" in output, output  # an unexpected result, not a rule that cannot be read


def test_unit_tests_name_alerts_that_exist() -> None:
    # promtool takes a misspelt name that is expected not to fire for a success.
    names = {rule["alert"] for rule in alert_rules()}
    assert {expectation["alertname"] for expectation in expectations()} == names


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["alert"])
def test_every_alert_says_what_a_person_needs(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert {"summary", "description"} <= rule["annotations"].keys()
    # A value in a label makes a new alert at each evaluation: "for" would never be over.
    assert "$value" not in str(rule["labels"])
    # A section with the query as it is and what to do.
    docs = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
    (section,) = re.findall(
        rf"^## {rule['alert']}$(.*?)(?=^## |\Z)", docs, re.DOTALL | re.MULTILINE
    )
    query = " ".join([*rule["expr"].split(), "for", rule["for"]])
    assert query in " ".join(section.split())
    assert "**What to do.**" in section


def test_the_metrics_of_the_rules_are_exposed_with_an_edge_at_the_limit() -> None:
    registry = im.Registry()
    with im.Engine(lambda x: x, name="m", registry=registry):
        exposition = im.render_metrics(registry)[0].decode()
    text = RULES.read_text(encoding="utf-8")
    metrics = set(re.findall(r"inference_[a-z_]+", text))
    assert metrics == {"inference_latency_seconds_bucket", "inference_latency_seconds_count"}
    for metric in metrics:
        assert f'\n{metric}{{model_name="m"' in exposition
    # Above the limit means in a bucket above it: no interpolation decides.
    assert 'inference_latency_seconds_bucket{model_name="m",le="2.0"}' in exposition
