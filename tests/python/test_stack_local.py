"""A Prometheus and an Alertmanager of one's own: real ones, from first scrape to last alert."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import inferometer as im
from inferometer.monitoring.stack.alert_timeline import alert_timeline, notification_lines
from inferometer.monitoring.stack.binaries import Tools
from inferometer.monitoring.stack.configuration import StackSettings
from inferometer.monitoring.stack.http_client import HttpError
from inferometer.monitoring.stack.local_stack import LocalStack
from inferometer.monitoring.stack.ports import free_ports
from inferometer.monitoring.stack.processes import ProcessError
from inferometer.monitoring.stack.relocation import Runnable, runnable_alertmanager
from inferometer.monitoring.stack.waiting import WaitError, wait_until
from inferometer.monitoring.stack.webhook import Notification, Webhook
from stack_case import processes_of, stack_tools

RULES = """
groups:
  - name: g
    rules:
      - {alert: Down, expr: 'up{job="triton"} == 0', for: 1m, labels: {severity: critical}}
"""
PATIENCE = 60.0


@pytest.fixture
def tools() -> Tools:
    return stack_tools()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yml"
    path.write_text(RULES, encoding="utf-8")
    return path


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


def stack_of(folder: Path, webhook: Webhook, tools: Tools, **options: object) -> LocalStack:
    settings = replace(StackSettings(factor=60), **options)  # type: ignore[arg-type]
    return LocalStack(folder / "stack", settings, f"{webhook.url}/", tools=tools)


def first_of(webhook: Webhook, name: str, status: str) -> Notification:
    def seen() -> Notification | None:
        wanted = (n for n in webhook.since() if (n.name, n.status) == (name, status))
        return next(wanted, None)

    found = wait_until(seen, lambda got: got is not None, f"{name} {status}", PATIENCE)
    assert found is not None
    return found


@pytest.mark.slow
def test_an_alert_fires_and_resolves_at_the_webhook(
    tmp_path: Path, webhook: Webhook, tools: Tools, rules: Path
) -> None:
    begin = time.time()
    with im.serve_metrics(port=0) as listener:
        port = listener.port
        target = f"127.0.0.1:{port}"
        stack = stack_of(tmp_path, webhook, tools, rules=[rules], targets={"triton": [target]})
        with stack:
            stack.wait_until_scraped()
            assert stack.prometheus.value('up{job="triton"}') == 1
            assert stack.prometheus.rule_names() == {"Down"}
            assert webhook.since() == []
            listener.close()
            fired = first_of(webhook, "Down", "firing")
            assert fired.labels["instance"] == target
            with im.serve_metrics(port=port):
                resolved = first_of(webhook, "Down", "resolved")
            assert resolved.labels == fired.labels
            drawn = alert_timeline(stack.prometheus, begin, time.time())
            assert stack.complaints() == []
    (row,) = [line for line in drawn.splitlines() if "Down" in line]
    assert row.index("\u2592") < row.index("\u2588")
    assert f"instance={target}, job=triton" in row
    lines = notification_lines(webhook.since(), begin)
    assert [line.split()[2:4] for line in lines] == [["firing", "Down"], ["resolved", "Down"]]
    assert processes_of(str(tmp_path)) == []


@pytest.mark.slow
def test_rules_change_while_it_runs_and_wrong_ones_are_refused(
    tmp_path: Path, webhook: Webhook, tools: Tools, rules: Path
) -> None:
    (nobody,) = free_ports(1)
    targets = {"triton": [f"127.0.0.1:{nobody}"]}
    with stack_of(tmp_path, webhook, tools, rules=[rules], targets=targets) as stack:
        first_of(webhook, "Down", "firing")
        with pytest.raises(WaitError, match="scrapes of"):
            stack.wait_until_scraped(seconds=0.2)

        wrong = tmp_path / "wrong.yml"
        wrong.write_text("groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]")
        with pytest.raises(HttpError, match="500"):
            stack.use_rules(wrong)
        assert stack.prometheus.rule_names() == {"Down"}
        unscalable = tmp_path / "unscalable.yml"
        unscalable.write_text("groups: [{name: g, rules: [{alert: A, expr: 'a @ 1 > 0'}]}]")
        with pytest.raises(ValueError, match="want range selectors only"):
            stack.use_rules(unscalable)

        other = tmp_path / "other.yml"
        other.write_text("groups: [{name: g, rules: [{alert: Other, expr: vector(1)}]}]")
        stack.use_rules(other)
        assert stack.prometheus.rule_names() == {"Other"}
        first_of(webhook, "Other", "firing")

        # A fresh start: what has been told before is told again.
        stack.use_rules(rules)
        seen = webhook.count
        stack.begin_anew(stack.settings)
        wait_until(
            lambda: [n.name for n in webhook.since(seen) if n.status == "firing"],
            lambda names: "Down" in names,
            "the alert again",
            PATIENCE,
        )


class Abort(Exception):
    """What a user's code may raise."""


@pytest.mark.slow
def test_nothing_is_left_behind_whatever_happens(
    tmp_path: Path, webhook: Webhook, tools: Tools, rules: Path
) -> None:
    with pytest.raises(Abort), stack_of(tmp_path, webhook, tools, rules=[rules]):
        assert len(processes_of(str(tmp_path))) == 2
        raise Abort
    assert processes_of(str(tmp_path)) == []

    (taken,) = free_ports(1)
    with im.serve_metrics(port=taken):
        stack = LocalStack(
            tmp_path / "second",
            StackSettings(),
            f"{webhook.url}/",
            prometheus_port=taken,
            tools=tools,
        )
        with pytest.raises(ProcessError, match=r"(?s)prometheus has ended.*address already in use"):
            stack.start()
    assert processes_of(str(tmp_path)) == []


def test_an_alertmanager_that_is_installed_or_not_debians_runs_as_it_is(tmp_path: Path) -> None:
    program = tmp_path / "usr/bin/alertmanager"
    program.parent.mkdir(parents=True)
    program.write_bytes(b"/usr/share/prometheus/alertmanager")
    assert runnable_alertmanager(program) == Runnable(program)  # no templates beside it
    unpacked = tmp_path / "usr/share/prometheus/alertmanager"
    unpacked.mkdir(parents=True)
    (unpacked / "default.tmpl").write_text("")
    assert runnable_alertmanager(program, system=unpacked) == Runnable(program)
    program.write_bytes(b"another path")
    assert runnable_alertmanager(program) == Runnable(program)


def test_one_that_was_only_unpacked_gets_its_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "inferometer.monitoring.stack.relocation.cache_folder", lambda: tmp_path / "cache"
    )
    program = tmp_path / "usr/bin/prometheus-alertmanager"
    unpacked = tmp_path / "usr/share/prometheus/alertmanager"
    for folder in (program.parent, unpacked):
        folder.mkdir(parents=True)
    (unpacked / "default.tmpl").write_text("")
    content = b"A/usr/share/prometheus/alertmanagerB/usr/share/prometheus/alertmanager/ui/C"
    program.write_bytes(content)
    runnable = runnable_alertmanager(program, system=tmp_path / "none")
    assert runnable.folder == unpacked
    here = b"." + b"/" * 33
    assert runnable.program.read_bytes() == b"A" + here + b"B" + here + b"/ui/C"
    assert runnable.program.stat().st_mode & 0o111
    assert program.read_bytes() == content
    assert runnable_alertmanager(program, system=tmp_path / "none") == runnable
