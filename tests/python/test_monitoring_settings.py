"""What the monitoring files can be written for, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import inferometer as im
from inferometer.monitoring import Settings
from inferometer.monitoring.files import write
from monitoring_tools import accepted
from stack_case import stack_tools

NAME = "want letters, digits, '.', '_' and '-'"
URL = "want a URL that begins with http:// or https://"
HOST = "want a URL with a host, as http://10.0.0.5:9099/"
PORT = "want a port from 1 to 65535"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"format": "helm"}, "format: got 'helm', want 'compose' or 'local' or 'operator'"),
        ({"job": ""}, f"job: got '', {NAME}"),
        ({"job": 'a"} or vector(1)'}, "job: got "),
        ({"job": "a\n"}, f"job: got 'a\\n', {NAME}"),
        ({"job": "x" * 64}, f"job: got '{'x' * 64}', {NAME}, at most 63"),
        ({"job": None}, f"job: got None, {NAME}"),
        ({"environment": "a b"}, f"environment: got 'a b', {NAME}"),
        ({"objectives": None}, "objectives: got None, want inferometer.monitoring.Objectives"),
        ({"scrape_interval": 0}, "scrape_interval: got 0, want seconds above 0.001"),
        ({"scrape_interval": 31}, "scrape_interval: got 31, want seconds, at most 30"),
        ({"scrape_interval": "15s"}, "scrape_interval: got '15s', want seconds above 0.001"),
        ({"scrape_interval": 1e-4}, "scrape_interval: got 0.0001, want seconds above 0.001"),
        ({"retention": "2 days"}, "retention: got '2 days', want a duration such as 15d or 1h30m"),
        ({"retention": "1d1y"}, "retention: got '1d1y', want a duration"),
        ({"retention": "99999999999999y"}, "retention: got '99999999999999y', want a duration"),
        ({"retention": "\u0661d"}, "retention: got '\u0661d', want a duration"),
        ({"retention": "0d"}, "retention: got '0d', want a duration"),
        ({"retention": 15}, "retention: got 15, want a duration"),
        ({"runbook_base": "docs"}, f"runbook_base: got 'docs', {URL}"),
        ({"runbook_base": None}, f"runbook_base: got None, {URL}"),
        (
            {"webhook_url": 'http://x/"'},
            "webhook_url: got 'http://x/\"', want a URL without '\"': other characters than",
        ),
        (
            {"grafana_url": "http://x/#a: b"},
            "grafana_url: got 'http://x/#a: b', want a URL without ' '",
        ),
        (
            {"runbook_base": "http://x/{{"},
            "runbook_base: got 'http://x/{{', want a URL without '{'",
        ),
        (
            {"webhook_url": "http://x/%zz"},
            "webhook_url: got 'http://x/%zz', want a URL without '%'",
        ),
        ({"webhook_url": "http://x/\n"}, "webhook_url: got 'http://x/\\n', want a URL without"),
        ({"webhook_url": "http://[::1/"}, f"webhook_url: got 'http://[::1/', {HOST}"),
        ({"webhook_url": "http://[1.2]/"}, f"webhook_url: got 'http://[1.2]/', {HOST}"),
        ({"webhook_url": "http://"}, f"webhook_url: got 'http://', {HOST}"),
        ({"webhook_url": "http://:80/"}, f"webhook_url: got 'http://:80/', {HOST}"),
        ({"webhook_url": "http://a..b/"}, f"webhook_url: got 'http://a..b/', {HOST}"),
        ({"webhook_url": "http://x:y/"}, f"webhook_url: got 'http://x:y/', {HOST}"),
        ({"webhook_url": "http://x:99999/"}, f"port of webhook_url: got 99999, {PORT}"),
        ({"grafana_url": "ftp://x"}, f"grafana_url: got 'ftp://x', {URL}"),
        ({"prometheus_port": 0}, f"prometheus_port: got 0, {PORT}"),
        ({"http_port": 65536}, f"http_port: got 65536, {PORT}"),
        ({"grafana_port": "3000"}, f"grafana_port: got '3000', {PORT}"),
        ({"grafana_port": True}, f"grafana_port: got True, {PORT}"),
        (
            {"grafana_port": 9090},
            "grafana_port: got 9090, want another port than prometheus_port",
        ),
        ({"targets": ()}, "targets: got (), want a sequence of HOST:PORT, at least one"),
        ({"targets": "triton:8002"}, "targets: got 'triton:8002', want a sequence of HOST:PORT"),
        ({"targets": ["triton"]}, "target: got 'triton', want HOST:PORT, as triton:8002"),
        ({"targets": ["http://triton:8002"]}, "target: got 'http://triton:8002', want HOST:PORT"),
        ({"targets": ["a:8002/metrics"]}, "target: got 'a:8002/metrics', want HOST:PORT"),
        ({"targets": ['a":8002']}, "target: got 'a\":8002', want HOST:PORT"),
        ({"targets": ["[:::]:8002"]}, "target: got '[:::]:8002', want HOST:PORT"),
        ({"targets": ["a:\u0668"]}, "target: got 'a:\u0668', want HOST:PORT"),
        ({"targets": [None]}, "target: got None, want HOST:PORT"),
        ({"targets": ["a:0"]}, f"port of the target 'a:0': got 0, {PORT}"),
        ({"targets": ["a:99999"]}, f"port of the target 'a:99999': got 99999, {PORT}"),
        ({"targets": ["a:1", "a:1"]}, "targets: got ('a:1', 'a:1'), want each target once"),
        (
            {"targets": ["a:1"], "format": "operator"},
            "targets: got ('a:1',), want none with the format 'operator': a label selects them",
        ),
    ],
    ids=str,
)
def test_a_wrong_setting_says_what_came_and_what_was_wanted(
    wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(im.ConfigError) as refused:
        Settings(**wrong)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    "url",
    [
        "http://x",
        "https://user:secret@[::1]:8080/a%20b?c=d&e=[f]#g",
        "http://host.docker.internal:9099/",
        "http://under_score.example./",
    ],
)
def test_urls_are_taken_by_us_and_by_alertmanager(tmp_path: Path, url: str) -> None:
    settings = Settings(format="local", webhook_url=url, grafana_url=url, runbook_base=url)
    tools = stack_tools()
    write(tmp_path, settings)
    accepted(tools.amtool, "check-config", tmp_path / "alertmanager.yml")
    accepted(tools.promtool, "check", "rules", tmp_path / "prometheus-alerts.yml")


@pytest.mark.parametrize("target", ["triton:8002", "10.0.0.1:1", "[::1]:8002", "a-b.c_d:65535"])
def test_addresses_are_taken(target: str) -> None:
    assert Settings(targets=(target,)).addresses == (target,)


def test_without_targets_the_format_says_where_they_are() -> None:
    assert Settings().addresses == ("triton:8002",)
    assert Settings(format="local", metrics_port=18002).addresses == ("127.0.0.1:18002",)


def test_a_list_of_targets_is_kept_as_it_was() -> None:
    targets = ["a:1", "b:2"]
    settings = Settings(targets=targets)  # type: ignore[arg-type]
    targets.append("c:3")
    assert settings.targets == ("a:1", "b:2")
