"""The committed alert rules as they stand, without scaling: syntax, virtual time, mutants."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

import inferometer as im
from conftest import ROOT
from inferometer import _core
from inferometer.monitoring import Objectives

RULES = ROOT / "configs/prometheus-alerts.yml"
RECORDING = ROOT / "configs/recording-rules.yml"
RUNBOOKS = ROOT / "docs/runbooks"
DOCUMENTS = [ROOT / "docs/alerts.md", ROOT / "docs/monitoring.md", *sorted(RUNBOOKS.glob("*.md"))]
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


# The alerts that tests/alerts is about.
TESTED = {"TritonDown", "HighInferenceLatencyWarning"}
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
    changed = yaml.safe_load(text.replace(written, becomes))
    for group in changed["groups"]:  # the others only take their time
        group["rules"] = [rule for rule in group["rules"] if rule["alert"] in TESTED]
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / RULES.name).write_text(yaml.safe_dump(changed), encoding="utf-8")
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
    tested = {expectation["alertname"] for expectation in expectations()}
    assert tested == TESTED
    assert tested <= names


def test_the_alerts_are_those_that_others_rely_on() -> None:
    assert sorted(rule["alert"] for rule in alert_rules()) == [
        "ErrorBudgetBurnFast",
        "ErrorBudgetBurnSlow",
        "GPUMemoryExhausted",
        "HighErrorRate",
        "HighGPUUtilization",
        "HighInferenceLatency",
        "HighInferenceLatencyWarning",
        "InferenceAbsent",
        "InferenceStalled",
        "LowBatchingEfficiency",
        "QueueSaturated",
        "RequestQueueBacklog",
        "ScrapeSlow",
        "TelemetryOverheadHigh",
        "TritonDown",
        "Watchdog",
    ]
    assert {group["interval"] for group in load(RULES)["groups"]} == {"30s"}


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["alert"])
def test_every_alert_says_what_a_person_needs(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["labels"]["component"] in {
        "service",
        "model",
        "queue",
        "batching",
        "gpu",
        "monitoring",
    }
    assert {"summary", "description", "runbook_url"} <= rule["annotations"].keys()
    # A value in a label makes a new alert at each evaluation: "for" would never be over.
    assert "$value" not in str(rule["labels"])
    page = rule["annotations"]["runbook_url"].rpartition("/")[2]
    assert page == f"{rule['alert']}.md"
    assert (RUNBOOKS / page).exists()


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["alert"])
def test_the_documents_say_what_the_rule_says(rule: dict[str, Any]) -> None:
    name, severity = rule["alert"], rule["labels"]["severity"]
    docs = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
    waits = rule.get("for", "at once")
    (row,) = re.findall(rf"^\| \[{name}\]\(#{name.lower()}\) \| (.*) \|$", docs, re.MULTILINE)
    cells = row.split(" | ")
    assert cells[:2] + cells[3:] == [severity, waits, f"[runbook](runbooks/{name}.md)"]
    # The query as it is, and something that explains it.
    (section,) = re.findall(rf"^## {name}$(.*?)(?=^## |\Z)", docs, re.DOTALL | re.MULTILINE)
    (query,) = re.findall(r"```promql\n(.*?)```", section, re.DOTALL)
    assert query == rule["expr"].rstrip("\n") + "\n"
    explained = section.partition("What to do](")[2].partition("\n")[2]
    assert len(explained.split()) > 20
    # The runbook and its index.
    runbook = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    how = f"for {rule['for']}" if "for" in rule else "at once"
    title, _, says, *_ = runbook.splitlines()
    assert title == f"# {name}"
    assert says.startswith(f"Severity {severity}, {how}. [The query, explained](../alerts.md#")
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert f"| [{name}]({name}.md) | {severity} | {rule['labels']['component']} |" in index


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["alert"])
def test_every_runbook_says_what_to_do(rule: dict[str, Any]) -> None:
    runbook = (RUNBOOKS / f"{rule['alert']}.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^## ", runbook, flags=re.MULTILINE)
    sections = {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}
    assert list(sections) == [
        "What it means",
        "How to see it",
        "What to do",
        "When it is false",
        "Related",
    ]
    assert "```promql" in sections["How to see it"]
    steps = re.findall(r"^(\d+)\. ", sections["What to do"], re.MULTILINE)
    assert steps == [str(number) for number in range(1, len(steps) + 1)]
    assert len(steps) >= 3
    assert sections["When it is false"].strip().startswith("- ")
    names = {other["alert"] for other in alert_rules()}
    related = re.findall(r"\[(\w+)\]\((\w+)\.md\)", sections["Related"])
    assert related
    assert all(text == page and page in names - {rule["alert"]} for text, page in related)


def test_documents_of_alerts_that_are_not_there_any_more() -> None:
    names = {rule["alert"] for rule in alert_rules()}
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == names | {"README"}


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_links_of_the_documents_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)", text)
    for target, anchor in links:
        if target.startswith(("http://", "https://")):
            continue
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert anchor in slugs, f"{target}#{anchor}"


def exposed_metrics() -> set[str]:
    """Names of the series that the library can expose, or that Prometheus makes."""
    names = {
        "up",
        "scrape_duration_seconds",
        "scrape_samples_scraped",
        "ALERTS",
        *(rule["record"] for group in load(RECORDING)["groups"] for rule in group["rules"]),
    }
    for name, kind, *_ in _core.catalogue():
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        names |= {f"{name}{suffix}" for suffix in suffixes}
    return names


def metrics_of(node: promql_parser.Expr) -> set[str]:
    """The metrics that an expression reads."""
    match node:
        case promql_parser.VectorSelector():
            return {node.name} if node.name else set()
        case promql_parser.MatrixSelector():
            return metrics_of(node.vector_selector)
        case promql_parser.BinaryExpr():
            return metrics_of(node.lhs) | metrics_of(node.rhs)
        case promql_parser.Call():
            return set().union(*(metrics_of(argument) for argument in node.args))
        case promql_parser.AggregateExpr() | promql_parser.SubqueryExpr():
            return metrics_of(node.expr)
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return metrics_of(node.expr)
        case _:
            return set()


@pytest.mark.parametrize("path", [RULES, RECORDING], ids=lambda path: path.name)
def test_every_metric_of_a_rule_exists(path: Path) -> None:
    read = {
        metric
        for group in load(path)["groups"]
        for rule in group["rules"]
        for metric in metrics_of(promql_parser.parse(rule["expr"]))
    }
    assert len(read) > 10
    assert read <= exposed_metrics()


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_every_metric_of_a_document_exists(page: Path) -> None:
    queries = re.findall(
        r"^```promql\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    for query in queries:
        read = metrics_of(promql_parser.parse(query))
        assert read <= exposed_metrics(), query


def test_the_metrics_of_the_rules_are_exposed_with_edges_at_the_limits() -> None:
    registry = im.Registry()
    with im.Engine(lambda x: x, name="m", registry=registry):
        exposition = im.render_metrics(registry)[0].decode()
    metrics = {
        metric
        for rule in alert_rules()
        for metric in metrics_of(promql_parser.parse(rule["expr"]))
        if metric.startswith(("inference_", "inferometer_"))
    }
    assert len(metrics) > 10
    # There from the start, so that no ratio lacks one side.
    for metric in metrics:
        assert f'\n{metric}{{model_name="m"' in exposition
    # Above the limit means in a bucket above it: no interpolation decides.
    for limit in (Objectives().latency_warning, Objectives().latency_critical):
        assert f'inference_latency_seconds_bucket{{model_name="m",le="{limit}"}}' in exposition
    # What the rules leave out is what there is, spelt as they spell it.
    statuses = set(
        re.findall(r'inference_requests_total{model_name="m",status="(\w+)"}', exposition)
    )
    assert {"success", "cancelled", "invalid"} < statuses
    assert 'inference_batches_total{model_name="m",reason="full"}' in exposition
