"""What Alertmanager's webhook receiver sends, recorded with the time of its arrival.

    python -m inferometer.monitoring.stack.webhook --port 9099 --log notifications.jsonl

Alertmanager POSTs groups of alerts to ``/``; each alert is one notification. ``GET
/notifications?since=N`` answers those from number N on, as JSON. The log has one JSON line each.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from inferometer.monitoring.stack.http_client import fetch_json

LONGEST_BODY = 1 << 20
MOST_NOTIFICATIONS = 10_000
LONGEST_LOG = 16 << 20
READ_SECONDS = 10.0


@dataclass(frozen=True)
class Notification:
    """One alert as it arrived.

    Attributes:
        number: Counted from 0.
        time: Of its arrival, in seconds since 1970.
        status: ``"firing"`` or ``"resolved"``.
        receiver: The receiver in Alertmanager's configuration.
        labels: With ``alertname``.
        annotations: ``summary`` and others.
        starts_at: When it began to fire, as RFC 3339.
        ends_at: When it ended; the year 1 while it has not.
    """

    number: int
    time: float
    status: str
    receiver: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: str
    ends_at: str

    @property
    def name(self) -> str:
        """The name of the alert."""
        return self.labels.get("alertname", "")


class Webhook:
    """A webhook receiver on a thread of its own, while its ``with`` block runs. Thread-safe.

    Args:
        port: Of 127.0.0.1; 0 picks a free one.
        log: A file for one JSON line a notification; beyond 16 MB it is put aside as ``NAME.1``.
    """

    def __init__(self, port: int = 0, log: Path | None = None) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._notifications: list[Notification] = []
        self._next = 0
        webhook = self

        class Handler(_Handler):
            owner = webhook

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.name = "webhook"
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Webhook:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def since(self, number: int = 0) -> list[Notification]:
        """The notifications from that number on; the oldest of very many are forgotten."""
        with self._lock:
            return [seen for seen in self._notifications if seen.number >= number]

    @property
    def count(self) -> int:
        """How many have come so far: the number of the next one."""
        with self._lock:
            return self._next

    def record(self, group: Any) -> None:
        """Records the alerts of one message of Alertmanager's.

        Raises:
            ValueError: It is none.
        """
        arrived = time.time()
        if not isinstance(group, dict) or not isinstance(group.get("alerts"), list):
            raise ValueError(
                "got JSON without a list 'alerts', want Alertmanager's webhook message"
            )
        with self._lock:
            new = [
                Notification(
                    number=self._next + offset,
                    time=arrived,
                    status=str(alert["status"]),
                    receiver=str(group.get("receiver", "")),
                    labels=_texts(alert["labels"]),
                    annotations=_texts(alert.get("annotations", {})),
                    starts_at=str(alert.get("startsAt", "")),
                    ends_at=str(alert.get("endsAt", "")),
                )
                for offset, alert in enumerate(_alerts(group["alerts"]))
            ]
            self._next += len(new)
            self._notifications = [*self._notifications, *new][-MOST_NOTIFICATIONS:]
            self._write(new)

    def _write(self, new: Sequence[Notification]) -> None:
        if self._log is None:
            return
        if self._log.exists() and self._log.stat().st_size > LONGEST_LOG:
            self._log.replace(self._log.with_name(put_aside(self._log.name)))
        with self._log.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(notification)) + "\n" for notification in new)


def put_aside(name: str) -> str:
    """What a log is called once it has become too long."""
    return f"{name}.1"


def _alerts(alerts: list[Any]) -> list[dict[str, Any]]:
    for alert in alerts:
        if not isinstance(alert, dict) or not {"status", "labels"} <= alert.keys():
            raise ValueError(f"got {str(alert)[:80]!r} as an alert, want its status and labels")
    return alerts


def _texts(mapping: Any) -> dict[str, str]:
    if not isinstance(mapping, dict):
        raise ValueError(f"got {str(mapping)[:80]!r}, want an object of texts")
    return {str(name): str(value) for name, value in mapping.items()}


class _Handler(BaseHTTPRequestHandler):
    owner: Webhook
    protocol_version = "HTTP/1.1"
    timeout = READ_SECONDS

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._answer(411, {"error": "want a Content-Length"})
            return
        if int(length) > LONGEST_BODY:
            self._answer(413, {"error": f"got {length} bytes, want at most {LONGEST_BODY}"})
            return
        try:
            self.owner.record(json.loads(self.rfile.read(int(length))))
        except (ValueError, RecursionError) as error:
            self._answer(400, {"error": str(error)})
            return
        self._answer(200, {})

    def do_GET(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        if parts.path not in ("/", "/notifications"):
            self._answer(404, {"error": "want /notifications?since=NUMBER"})
            return
        since = urllib.parse.parse_qs(parts.query).get("since", ["0"])[0]
        if not since.isdecimal():
            self._answer(400, {"error": f"since: got {since[:40]!r}, want a number"})
            return
        found = [asdict(notification) for notification in self.owner.since(int(since))]
        self._answer(200, {"count": self.owner.count, "notifications": found})

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status != 200:
            self.close_connection = True  # the rest of a refused body is not read
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: what matters is in the notifications' log."""


def notifications_at(url: str, since: int = 0) -> list[Notification]:
    """The notifications of a receiver in another process, from a number on.

    Raises:
        HttpError: It does not answer.
    """
    found = fetch_json(f"{url}/notifications?since={since}")["notifications"]
    return [Notification(**fields) for fields in found]


def main(argv: Sequence[str] | None = None) -> int:
    """Receives until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Record what Alertmanager's webhook sends.")
    parser.add_argument("--port", type=int, default=9099, help="of 127.0.0.1 (default 9099)")
    parser.add_argument("--log", type=Path, help="a file for one JSON line a notification")
    arguments = parser.parse_args(argv)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not set by the handler itself: this thread may hold the event's lock just then.
        signal.signal(number, lambda *_: threading.Thread(target=ended.set).start())
    with Webhook(arguments.port, arguments.log) as webhook:
        print(f"receiving on {webhook.url}", flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
