"""The monitoring files: configs/ is a fresh set, and every set is accepted by the real tools."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import inferometer as im
from conftest import ROOT
from inferometer.monitoring import Objectives, Settings
from inferometer.monitoring.files import names, render, write
from inferometer.monitoring.settings import Format
from monitoring_tools import accepted, files_below, load, rules_of

FORMATS: tuple[Format, ...] = get_args(Format)
RULES = ("prometheus-alerts.yml", "recording-rules.yml")
# Everything is another value than the default.
OTHER_OBJECTIVES = Objectives(
    **{
        name: getattr(Objectives(), name) * 0.9 if name != "availability" else 0.995
        for name in Objectives.ranges()
    }
)
OTHER: dict[str, Any] = {
    "job": "resnet-prod",
    "environment": "staging",
    "objectives": OTHER_OBJECTIVES,
    "scrape_interval": 5.0,
    "retention": "7d",
    "runbook_base": "https://wiki.example.org/runbooks/",
    "webhook_url": "https://hooks.example.org/a?b=c&d",
    "grafana_url": "https://grafana.example.org/",
    "http_port": 18000,
    "metrics_port": 18002,
    "prometheus_port": 19090,
    "alertmanager_port": 19093,
    "grafana_port": 13000,
}


def settings_of(format: Format, several: bool) -> Settings:
    """The defaults of a format, or everything else."""
    if not several:
        return Settings(format=format)
    targets = None if format == "operator" else ("10.0.0.1:8002", "10.0.0.2:8002")
    return Settings(format=format, targets=targets, **OTHER)


every_set = pytest.mark.parametrize(
    "settings",
    [settings_of(format, several) for format in FORMATS for several in (False, True)],
    ids=[f"{format} {what}" for format in FORMATS for what in ("default", "other")],
)


def test_other_settings_differ_in_everything() -> None:
    default = Settings()
    assert all(OTHER[name] != getattr(default, name) for name in OTHER)
    assert OTHER.keys() | {"format", "targets"} == {each.name for each in fields(Settings)}


def test_configs_is_a_fresh_set(tmp_path: Path) -> None:
    write(tmp_path, Settings())
    assert files_below(ROOT / "configs") == files_below(tmp_path), (
        "run: inferometer monitoring init configs --force"
    )


@every_set
def test_no_place_is_left_and_every_yaml_file_is_one(settings: Settings) -> None:
    for name in names(settings):
        text = render(name, settings)
        assert "@{" not in text
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        if name.endswith((".yml", ".yaml")):
            assert isinstance(yaml.safe_load(text), dict)


@pytest.mark.parametrize("format", ["compose", "local"])
@pytest.mark.parametrize("several", [False, True])
def test_prometheus_accepts_the_files(
    prometheus_tools: Path, tmp_path: Path, format: Format, several: bool
) -> None:
    settings = settings_of(format, several)
    write(tmp_path, settings)
    promtool = prometheus_tools / "promtool"
    output = accepted(promtool, "check", "config", tmp_path / "prometheus.yml")
    for name in RULES:
        assert f"{len(rules_of(load(tmp_path / name)))} rules found" in output
    accepted(promtool, "check", "config", tmp_path / "prometheus-multi-target.yml")


def test_everything_that_is_set_is_where_it_belongs(tmp_path: Path) -> None:
    write(tmp_path, settings_of("local", True))
    config = load(tmp_path / "prometheus.yml")
    assert config["global"] == {
        "scrape_interval": "5s",
        "scrape_timeout": "5s",
        "evaluation_interval": "5s",
    }
    (scrape,) = config["scrape_configs"]
    assert scrape["job_name"] == "resnet-prod"
    assert scrape["static_configs"] == [
        {
            "targets": ["10.0.0.1:8002", "10.0.0.2:8002"],
            "labels": {"service": "triton-inference-server", "environment": "staging"},
        }
    ]
    (manager,) = config["alerting"]["alertmanagers"]
    assert manager == {"static_configs": [{"targets": ["127.0.0.1:19093"]}]}
    source = load(tmp_path / "grafana/datasources/prometheus.yml")["datasources"][0]
    assert (source["uid"], source["url"]) == ("prometheus", "http://127.0.0.1:19090")
    assert source["jsonData"]["timeInterval"] == "5s"
    urls = {
        hook["url"]
        for receiver in load(tmp_path / "alertmanager.yml")["receivers"]
        for hook in receiver["webhook_configs"]
    }
    assert urls == {"https://hooks.example.org/a?b=c&d"}
    for rule in rules_of(load(tmp_path / RULES[0])):
        links = rule["annotations"]
        assert links["runbook_url"] == f"https://wiki.example.org/runbooks/{rule['alert']}.md"
        if "dashboard_url" in links:
            assert links["dashboard_url"].startswith("https://grafana.example.org/d/")
        assert "triton" not in rule["expr"]
    for rule in rules_of(load(tmp_path / RULES[1])):
        assert 'job="resnet-prod"' in rule["expr"]


def expression_of(settings: Settings, alert: str) -> str:
    rules = rules_of(yaml.safe_load(render(RULES[0], settings)))
    (found,) = (rule["expr"] for rule in rules if rule["alert"] == alert)
    return " ".join(found.split())


@pytest.mark.parametrize(
    ("alert", "objectives", "limits"),
    [
        ("HighErrorRate", {"error_ratio": 0.02, "minimum_request_rate": 3}, ["0.02", "3"]),
        ("HighInferenceLatency", {"latency_critical": 2.5}, ["2.5", "0.1"]),
        ("HighInferenceLatencyWarning", {"latency_warning": 0.25}, ["0.25", "0.1"]),
        ("ErrorBudgetBurnFast", {"availability": 0.99}, ["0.144", "0.144", "0.1"]),
        ("ErrorBudgetBurnSlow", {"availability": 0.99, "slow_burn": 3}, ["0.03", "0.03", "0.1"]),
        ("RequestQueueBacklog", {"queue_age": 30}, ["30"]),
        ("QueueSaturated", {"queue_saturation": 0.5}, ["0.5"]),
        ("LowBatchingEfficiency", {"batching_efficiency": 0.3, "busy_ratio": 0.9},
         ["0.3", "0.9", "0.5"]),
        ("HighGPUUtilization", {"gpu_utilization": 0.8}, ["0.8"]),
        ("GPUMemoryExhausted", {"gpu_memory": 0.99}, ["0.99"]),
        ("TelemetryOverheadHigh", {"telemetry_ratio": 0.002, "telemetry_compute": 1e-5},
         ["0.002", "1e-05", "0.1"]),
        ("ScrapeSlow", {"scrape_duration": 3}, ["3"]),
    ],
)  # fmt: skip
def test_an_objective_changes_its_alert(
    alert: str, objectives: dict[str, float], limits: list[str]
) -> None:
    changed = expression_of(Settings(objectives=replace(Objectives(), **objectives)), alert)
    assert re.findall(r"(?<= [<>] )[0-9.e-]+", changed) == limits
    # Nothing else of the query is another.
    default = expression_of(Settings(), alert)
    assert re.sub(r"[<>] [0-9.e-]+", "", changed) == re.sub(r"[<>] [0-9.e-]+", "", default)


def test_texts_name_the_limit_of_the_query() -> None:
    settings = Settings(objectives=Objectives(latency_warning=0.25, error_ratio=0.025))
    rules = {rule["alert"]: rule for rule in rules_of(yaml.safe_load(render(RULES[0], settings)))}
    latency = rules["HighInferenceLatencyWarning"]["annotations"]["description"]
    assert "the limit is 250ms" in latency
    assert "the limit is 2.5%" in rules["HighErrorRate"]["annotations"]["description"]


def test_recorded_series_say_what_the_alerts_say() -> None:
    alerts = {
        rule["alert"]: " ".join(rule["expr"].split())
        for rule in rules_of(yaml.safe_load(render(RULES[0], Settings())))
    }
    recorded = {
        rule["record"]: " ".join(rule["expr"].split())
        for rule in rules_of(yaml.safe_load(render(RULES[1], Settings())))
    }
    for series, alert in [
        ("job_model:inference_errors:ratio_rate5m", "HighErrorRate"),
        ("job_model:inference_errors:ratio_rate1h", "ErrorBudgetBurnFast"),
        ("job_model:inference_errors:ratio_rate5m", "ErrorBudgetBurnFast"),
        ("job_model:inference_errors:ratio_rate6h", "ErrorBudgetBurnSlow"),
        ("job_model:inference_errors:ratio_rate30m", "ErrorBudgetBurnSlow"),
        ("job_model:inference_latency_seconds:p95_rate5m", "HighInferenceLatency"),
        ("job_model:inference_latency_seconds:p95_rate5m", "HighInferenceLatencyWarning"),
        ("job_model:inference_batching_efficiency:ratio_rate10m", "LowBatchingEfficiency"),
        ("job_model:inference_busy:ratio_rate10m", "LowBatchingEfficiency"),
        ("job_model:inferometer_telemetry:ratio_rate10m", "TelemetryOverheadHigh"),
    ]:
        assert recorded[series] in alerts[alert]


def test_files_of_another_format_are_not_there() -> None:
    with pytest.raises(im.ConfigError, match=r"name: got 'docker-compose.yaml', want one of prom"):
        render("docker-compose.yaml", Settings(format="local"))
    with pytest.raises(im.ConfigError, match=r"name: got '../settings.py', want one of docker"):
        render("../settings.py", Settings())


def test_what_is_there_and_the_same_is_left_alone(tmp_path: Path) -> None:
    paths = write(tmp_path / "new" / "folder", Settings())
    assert [str(path.relative_to(tmp_path / "new/folder")) for path in paths] == names(Settings())
    before = [path.stat().st_mtime_ns for path in paths]
    assert write(tmp_path / "new" / "folder", Settings()) == paths
    assert [path.stat().st_mtime_ns for path in paths] == before
    # Readable for the users of containers, whatever the mask of new files is.
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o644 for path in paths)


@pytest.mark.parametrize("mine", [b"mine\n", b"\xff\xfe", b""])
def test_a_file_that_differs_is_not_overwritten(tmp_path: Path, mine: bytes) -> None:
    write(tmp_path, Settings())
    alerts = tmp_path / "prometheus-alerts.yml"
    alerts.write_bytes(mine)
    (tmp_path / "alertmanager.yml").unlink()
    with pytest.raises(im.ConfigError) as refused:
        write(tmp_path, Settings())
    assert str(refused.value) == (
        f"folder: got '{tmp_path}', want one without other versions of prometheus-alerts.yml, "
        "or force=True"
    )
    # Nothing at all was written.
    assert alerts.read_bytes() == mine
    assert not (tmp_path / "alertmanager.yml").exists()

    write(tmp_path, Settings(), force=True)
    assert alerts.read_text(encoding="utf-8") == render("prometheus-alerts.yml", Settings())
    assert (tmp_path / "alertmanager.yml").exists()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("", encoding="utf-8")
    with pytest.raises(im.ConfigError, match=rf"^folder: got '{taken}', want a folder that can"):
        write(taken, Settings())
    (tmp_path / "prometheus.yml").mkdir()
    with pytest.raises(im.ConfigError, match="Is a directory"):
        write(tmp_path, Settings())
    assert list(tmp_path.glob(".*")) == []


def test_a_dashboard_is_copied_as_it_is(tmp_path: Path) -> None:
    folder = ROOT / "python/inferometer/monitoring/files/grafana/dashboards"
    write(tmp_path, settings_of("operator", True))
    for dashboard in folder.glob("*.json"):
        copy = tmp_path / "grafana/dashboards" / dashboard.name
        assert copy.read_bytes() == dashboard.read_bytes()


def test_links_lead_to_dashboards_and_set_variables_that_they_have() -> None:
    folder = ROOT / "python/inferometer/monitoring/files/grafana/dashboards"
    dashboards = {
        content["uid"]: {variable["name"] for variable in content["templating"]["list"]}
        for content in (json.loads(path.read_text()) for path in folder.glob("*.json"))
    }
    if not dashboards:
        pytest.skip("the dashboards have not been generated")
    for rule in rules_of(load(ROOT / "configs" / RULES[0])):
        if link := rule["annotations"].get("dashboard_url"):
            uid, _, query = link.rpartition("/d/")[2].partition("?")
            variables = {part.partition("=")[0].removeprefix("var-") for part in query.split("&")}
            assert variables <= dashboards[uid]
