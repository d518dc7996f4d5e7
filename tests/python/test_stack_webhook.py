"""The webhook receiver: what Alertmanager sends, what it must not send, and what is kept."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inferometer.monitoring.stack import webhook as module
from inferometer.monitoring.stack.http_client import HttpError, fetch, fetch_json
from inferometer.monitoring.stack.ports import free_ports, is_free
from inferometer.monitoring.stack.waiting import wait_until
from inferometer.monitoring.stack.webhook import LONGEST_BODY, Webhook, notifications_at


def message(*names: str, status: str = "firing") -> dict[str, Any]:
    """A message as Alertmanager 0.25 sends it, shortened."""
    return {
        "version": "4",
        "receiver": "critical",
        "status": status,
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": name, "severity": "critical"},
                "annotations": {"summary": f"{name} is bad"},
                "startsAt": "2026-11-30T22:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
            }
            for name in names
        ],
    }


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "notifications.jsonl"


@pytest.fixture
def webhook(log: Path) -> Iterator[Webhook]:
    with Webhook(log=log) as running:
        yield running


def test_each_alert_is_a_notification(webhook: Webhook, log: Path) -> None:
    fetch(webhook.url, "POST", message("A", "B"))
    fetch(webhook.url, "POST", message("A", status="resolved"))
    seen = webhook.since()
    assert [(n.number, n.name, n.status) for n in seen] == [
        (0, "A", "firing"),
        (1, "B", "firing"),
        (2, "A", "resolved"),
    ]
    assert seen[0].receiver == "critical"
    assert seen[0].annotations == {"summary": "A is bad"}
    assert seen[0].time <= seen[2].time
    assert webhook.count == 3
    assert [json.loads(line)["number"] for line in log.read_text().splitlines()] == [0, 1, 2]


def test_another_process_reads_them_from_a_number_on(webhook: Webhook) -> None:
    fetch(webhook.url, "POST", message("A", "B"))
    assert notifications_at(webhook.url) == webhook.since()
    assert [n.name for n in notifications_at(webhook.url, 1)] == ["B"]
    assert fetch_json(f"{webhook.url}/notifications?since=2") == {"count": 2, "notifications": []}


@pytest.mark.parametrize(
    "content",
    [[], {}, {"alerts": 1}, {"alerts": [1]}, {"alerts": [{"status": "firing"}]},
     {"alerts": [{"status": "firing", "labels": []}]}],
)  # fmt: skip
def test_what_is_no_message_is_refused(webhook: Webhook, content: object) -> None:
    with pytest.raises(HttpError, match="want") as error:
        fetch(webhook.url, "POST", content)
    assert error.value.status == 400
    assert webhook.count == 0


def exchange(webhook: Webhook, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", webhook.port), timeout=20) as connection:
        connection.sendall(request)
        return connection.recv(4096)


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"Content-Length: %d" % (LONGEST_BODY + 1), b" 413 "),
        (b"Content-Length: x", b" 411 "),
        (b"Transfer-Encoding: chunked", b" 411 "),
    ],
)
def test_bodies_are_bounded(webhook: Webhook, header: bytes, status: bytes) -> None:
    assert status in exchange(webhook, b"POST / HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n")


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_refused(webhook: Webhook, body: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert b" 400 " in exchange(webhook, head + body)


def test_wrong_questions(webhook: Webhook) -> None:
    for path, status in (("/other", 404), ("/notifications?since=-1", 400)):
        with pytest.raises(HttpError) as error:
            fetch(webhook.url + path)
        assert error.value.status == status


def test_the_oldest_of_very_many_are_forgotten(
    webhook: Webhook, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_NOTIFICATIONS", 3)
    monkeypatch.setattr(module, "LONGEST_LOG", 500)
    for number in range(5):
        webhook.record(message(f"A{number}"))
    assert [n.number for n in webhook.since()] == [2, 3, 4]
    assert log.with_name("notifications.jsonl.1").exists()
    assert log.stat().st_size <= 1000


def test_as_a_process_it_ends_on_sigterm(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    log = tmp_path / "log"
    command = [sys.executable, "-m", module.__name__, f"--port={port}", f"--log={log}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"receiving on http://127.0.0.1:{port}\n"
        fetch(f"http://127.0.0.1:{port}/", "POST", message("A"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    wait_until(lambda: is_free(port), bool, "the port to be free", 20)
    assert json.loads(log.read_text())["labels"]["alertname"] == "A"
