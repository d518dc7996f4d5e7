"""The files of a local stack: Prometheus' own tools accept them, and only what has to differs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from inferometer.monitoring import Settings
from inferometer.monitoring.files import render
from inferometer.monitoring.stack.configuration import (
    StackAddresses,
    StackSettings,
    write_configuration,
)
from inferometer.monitoring.stack.scaled_rules import durations
from stack_case import stack_tools

ADDRESSES = StackAddresses(9190, 9193, "http://127.0.0.1:9199/")
TARGETS = {"triton": ["127.0.0.1:8002", "127.0.0.1:8003"], "other": ["127.0.0.1:1"]}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("factor", [1, 60])
def test_the_tools_accept_the_files(tmp_path: Path, factor: int) -> None:
    tools = stack_tools()
    write_configuration(tmp_path, StackSettings(TARGETS, factor=factor), ADDRESSES)
    commands: list[list[str | Path]] = [
        [tools.promtool, "check", "config", tmp_path / "prometheus.yml"],
        [tools.amtool, "check-config", tmp_path / "alertmanager.yml"],
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_in_real_time_rules_and_routes_are_those_that_are_shipped(tmp_path: Path) -> None:
    write_configuration(tmp_path, StackSettings(TARGETS), ADDRESSES)
    shipped = Settings(format="local")
    for name in ("prometheus-alerts.yml", "recording-rules.yml"):
        assert read(tmp_path / name) == yaml.safe_load(render(name, shipped))
    routes = yaml.safe_load(render("alertmanager.yml", shipped))
    for receiver in routes["receivers"]:
        receiver["webhook_configs"][0]["url"] = ADDRESSES.webhook
    written = read(tmp_path / "alertmanager.yml")
    assert written["receivers"] == routes["receivers"]
    assert written["inhibit_rules"] == routes["inhibit_rules"]
    assert [route["receiver"] for route in written["route"]["routes"]] == [
        route["receiver"] for route in routes["route"]["routes"]
    ]


def test_targets_are_scraped_as_the_shipped_job_is(tmp_path: Path) -> None:
    write_configuration(tmp_path, StackSettings(TARGETS, scrape_interval="5s"), ADDRESSES)
    config = read(tmp_path / "prometheus.yml")
    assert config["global"]["scrape_interval"] == "5000ms"
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert jobs["triton"]["static_configs"][0]["targets"] == TARGETS["triton"]
    assert jobs["other"]["static_configs"][0]["targets"] == TARGETS["other"]
    shipped = yaml.safe_load(render("prometheus.yml", Settings(format="local")))
    assert (
        jobs["triton"]["metric_relabel_configs"]
        == shipped["scrape_configs"][0]["metric_relabel_configs"]
    )
    (alertmanagers,) = config["alerting"]["alertmanagers"]
    assert alertmanagers["static_configs"] == [{"targets": ["127.0.0.1:9193"]}]


def test_a_factor_divides_every_duration(tmp_path: Path) -> None:
    slow, fast = tmp_path / "slow", tmp_path / "fast"
    for folder, factor in ((slow, 1), (fast, 60)):
        folder.mkdir()
        write_configuration(folder, StackSettings(TARGETS, factor=factor), ADDRESSES)
    for name in ("prometheus-alerts.yml", "recording-rules.yml"):
        assert durations(read(slow / name)) == [ms * 60 for ms in durations(read(fast / name))]
    before = read(slow / "alertmanager.yml")["route"]
    after = read(fast / "alertmanager.yml")["route"]
    assert (before["group_interval"], after["group_interval"]) == ("300000ms", "5000ms")
    critical = next(route for route in after["routes"] if route["receiver"] == "critical")
    assert critical["group_wait"] == "83ms"


def test_own_rules_take_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yml"
    mine.write_text("groups: [{name: g, rules: [{alert: A, expr: up == 0, for: 1m}]}]")
    write_configuration(tmp_path, StackSettings(rules=[mine], factor=60), ADDRESSES, " 7")
    config = read(tmp_path / "prometheus.yml")
    assert config["rule_files"] == ["rules-0.yml"]
    assert read(tmp_path / "rules-0.yml") == {
        "groups": [{"name": "g 7", "rules": [{"alert": "A", "expr": "up == 0", "for": "1000ms"}]}]
    }


def test_thresholds_of_the_shipped_rules_can_be_others(tmp_path: Path) -> None:
    settings = StackSettings(thresholds={"gpu_memory": 0.125})
    write_configuration(tmp_path, settings, ADDRESSES)
    rules = [r for g in read(tmp_path / "prometheus-alerts.yml")["groups"] for r in g["rules"]]
    (rule,) = [rule for rule in rules if rule["alert"] == "GPUMemoryExhausted"]
    assert rule["expr"].endswith("> 0.125")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 0}, "factor: got 0"),
        ({"scrape_interval": "5"}, "scrape_interval: got '5', want a duration"),
        ({"scrape_interval": "31s"}, "scrape_interval: got '31s', want more than 1ms and at most"),
        ({"scrape_interval": "0s"}, "scrape_interval: got '0s', want more than 1ms"),
        ({"retention": "for ever"}, "retention: got 'for ever'"),
        ({"retention": "1d1y"}, "retention: got '1d1y', want a duration"),
        ({"retention": "0s"}, "retention: got '0s', want a duration above 0"),
    ],
)
def test_wrong_settings(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StackSettings(**options)


@pytest.mark.parametrize("text", ["", "[]", "groups: 1", "groups"])
def test_what_is_no_rule_file(tmp_path: Path, text: str) -> None:
    mine = tmp_path / "mine.yml"
    mine.write_text(text)
    with pytest.raises(ValueError, match=r"mine.yml: got .*, want Prometheus rules"):
        write_configuration(tmp_path, StackSettings(rules=[mine]), ADDRESSES)


def test_a_rule_file_that_is_no_yaml(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yml"
    mine.write_text("groups: [{")
    with pytest.raises(ValueError, match=r"mine.yml: while parsing"):
        write_configuration(tmp_path, StackSettings(rules=[mine]), ADDRESSES)
