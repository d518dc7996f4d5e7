"""The files for the Prometheus operator say what the other formats say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from inferometer.monitoring import Settings
from inferometer.monitoring.files import names, render, write
from monitoring_tools import accepted, load, rules_of

FILES = ("servicemonitor.yaml", "prometheusrule.yaml", "alertmanagerconfig.yaml")


def test_the_format_has_no_files_of_the_others(tmp_path: Path) -> None:
    write(tmp_path, Settings(format="operator"))
    assert set(names(Settings(format="operator"))) >= set(FILES)
    assert not (tmp_path / "prometheus.yml").exists()


@pytest.mark.parametrize("job", ["triton", "resnet"])
def test_the_rules_are_those_of_the_other_formats(
    prometheus_tools: Path, tmp_path: Path, job: str
) -> None:
    write(tmp_path, Settings(format="operator", job=job))
    resource = load(tmp_path / "prometheusrule.yaml")
    assert (resource["apiVersion"], resource["kind"]) == (
        "monitoring.coreos.com/v1",
        "PrometheusRule",
    )
    groups = [
        group
        for name in ("prometheus-alerts.yml", "recording-rules.yml")
        for group in yaml.safe_load(render(name, Settings(job=job)))["groups"]
    ]
    assert resource["spec"] == {"groups": groups}
    # What the operator makes of it is a rule file.
    rule_file = tmp_path / "rules.yml"
    rule_file.write_text(yaml.safe_dump(resource["spec"]), encoding="utf-8")
    output = accepted(prometheus_tools / "promtool", "check", "rules", rule_file)
    assert f"{len(rules_of(resource['spec']))} rules found" in output


def snake(name: str) -> str:
    """The operator's sourceLabels are Prometheus' source_labels."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def test_scraping_is_that_of_prometheus_yml() -> None:
    settings = Settings(format="operator", job="resnet", environment="staging", scrape_interval=5)
    resource = yaml.safe_load(render("servicemonitor.yaml", settings))
    (endpoint,) = resource["spec"]["endpoints"]
    config = yaml.safe_load(render("prometheus.yml", Settings(job="resnet", scrape_interval=5)))
    assert endpoint["interval"] == config["global"]["scrape_interval"]
    assert endpoint["scrapeTimeout"] == config["global"]["scrape_timeout"]
    (scrape,) = config["scrape_configs"]
    (renaming,) = endpoint["metricRelabelings"]
    assert renaming.pop("action") == "replace"  # the default
    assert [{snake(key): value for key, value in renaming.items()}] == scrape[
        "metric_relabel_configs"
    ]
    assert {each["targetLabel"]: each["replacement"] for each in endpoint["relabelings"]} == {
        "job": "resnet",
        "service": "triton-inference-server",
        "environment": "staging",
    }
    assert resource["spec"]["selector"] == {"matchLabels": {"app.kubernetes.io/name": "resnet"}}


def matcher(each: dict[str, str]) -> str:
    return f'{each["name"]} {each["matchType"]} "{each["value"]}"'


def route(each: dict[str, Any]) -> dict[str, Any]:
    """A route of the operator as alertmanager.yml writes it."""
    plain = {snake(key): value for key, value in each.items()}
    if "matchers" in plain:
        plain["matchers"] = [matcher(part) for part in plain["matchers"]]
    if "routes" in plain:
        plain["routes"] = [route(child) for child in plain["routes"]]
    return plain


def test_routes_receivers_and_inhibition_are_those_of_alertmanager_yml() -> None:
    spec = yaml.safe_load(render("alertmanagerconfig.yaml", Settings(format="operator")))["spec"]
    # Pods are many: what a target that is down hides is as with several targets.
    several = Settings(format="local", targets=("a:1", "b:1"))
    config = yaml.safe_load(render("alertmanager.yml", several))
    assert route(spec["route"]) == config["route"]
    assert [
        {
            "source_matchers": [matcher(part) for part in rule["sourceMatch"]],
            "target_matchers": [matcher(part) for part in rule["targetMatch"]],
            "equal": rule["equal"],
        }
        for rule in spec["inhibitRules"]
    ] == config["inhibit_rules"]
    assert [
        {
            "name": receiver["name"],
            "webhook_configs": [
                {snake(key): value for key, value in hook.items()}
                for hook in receiver["webhookConfigs"]
            ],
        }
        for receiver in spec["receivers"]
    ] == config["receivers"]


@pytest.mark.parametrize(("job", "name"), [("Resnet_50.v2", "resnet-50-v2"), ("a", "a")])
@pytest.mark.parametrize("file", FILES)
def test_names_are_what_kubernetes_takes(job: str, name: str, file: str) -> None:
    metadata = yaml.safe_load(render(file, Settings(format="operator", job=job)))["metadata"]
    assert metadata == {"name": name, "labels": {"app.kubernetes.io/name": job}}


@pytest.mark.parametrize(
    "job", ["1e3", "true", "null", "0x10", "0x1F", "123", "no", "2026-01-01", "1.5"]
)
def test_a_name_that_looks_like_something_else_stays_text(job: str) -> None:
    settings = Settings(format="operator", job=job, environment=job)
    for file in FILES:
        metadata = yaml.safe_load(render(file, settings))["metadata"]
        assert metadata["name"] == re.sub("[._]", "-", job.lower())
        assert metadata["labels"] == {"app.kubernetes.io/name": job}
    resource = yaml.safe_load(render("servicemonitor.yaml", settings))
    replaced = {
        each["targetLabel"]: each["replacement"]
        for each in resource["spec"]["endpoints"][0]["relabelings"]
    }
    assert (replaced["job"], replaced["environment"]) == (job, job)
    config = yaml.safe_load(render("prometheus.yml", Settings(job=job)))
    assert config["scrape_configs"][0]["job_name"] == job
