"""Negotiation, servers, apps, files and pushing."""

from __future__ import annotations

import asyncio
import gzip
import os
import threading
import urllib.error
import urllib.request
from collections.abc import MutableMapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.prometheus import (
    CollectorRegistry,
    Gauge,
    MetricsHandler,
    generate_latest,
    make_asgi_app,
    push_to_gateway,
    start_http_server,
    write_to_textfile,
)
from inferometer.prometheus.exposition import choose_encoder
from inferometer.prometheus.gateway import basic_auth_handler

REGISTRY = CollectorRegistry()
Gauge("g", "h", registry=REGISTRY).set(1)

MEDIA_TYPES = st.sampled_from(["application/openmetrics-text", "text/plain", "*/*", " "])
PARAMETERS = st.sampled_from(["version=", "escaping=", "q=", ";", ",", "="])
VALUES = st.sampled_from(["1.0.0", "2.0.0", "0.0.4", "1.0.x", "0.5", "dots", "values", "9" * 12])
ACCEPT_PARTS = MEDIA_TYPES | PARAMETERS | VALUES


@given(st.lists(ACCEPT_PARTS, max_size=12).map("".join) | st.text(max_size=40))
def test_no_accept_header_is_an_error(accept: str) -> None:
    encoder, content_type = choose_encoder(accept)
    body = encoder(REGISTRY)
    assert content_type.isascii() and "\n" not in content_type
    assert body.endswith(b"# EOF\n") == content_type.startswith("application/openmetrics-text")


@pytest.mark.parametrize("version", ["1.0.0\r\nX: y", "1.0.0x", "x", "1..0"])
def test_versions_are_checked_before_they_are_echoed(version: str) -> None:
    _, content_type = choose_encoder(f"application/openmetrics-text; version={version}")
    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"


def test_http_server_serves_formats_and_names() -> None:
    server, thread = start_http_server(0, addr="127.0.0.1", registry=REGISTRY)
    url = f"http://127.0.0.1:{server.server_address[1]}/metrics"
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            assert reply.read() == generate_latest(REGISTRY)
            assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        asked = urllib.request.Request(
            f"{url}?name[]=none",
            headers={
                "Accept": "application/openmetrics-text; version=1.0.0; escaping=dots",
                "Accept-Encoding": "gzip",
            },
        )
        with urllib.request.urlopen(asked, timeout=30) as reply:
            assert gzip.decompress(reply.read()) == b"# EOF\n"
            assert reply.headers["Content-Type"].endswith("escaping=dots")
        for method, status in (("OPTIONS", 200), ("POST", 405)):
            request = urllib.request.Request(url, method=method, data=b"")
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:
                    got, allow = reply.status, reply.headers["Allow"]
            except urllib.error.HTTPError as error:
                got, allow = error.code, error.headers["Allow"]
                error.close()
            assert (got, allow) == (status, "OPTIONS,GET")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_tls_files_that_are_missing_are_named() -> None:
    with pytest.raises(OSError, match="no_such_cert"):
        start_http_server(0, "127.0.0.1", REGISTRY, "no_such_cert.pem", "no_such_key.pem")
    with pytest.raises(OSError, match="no_such_ca"):
        start_http_server(
            0, "127.0.0.1", REGISTRY, "c.pem", "k.pem", client_cafile="no_such_ca.pem"
        )


def test_metrics_handler() -> None:
    server = HTTPServer(("127.0.0.1", 0), MetricsHandler.factory(REGISTRY))
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with urllib.request.urlopen(url, timeout=30) as reply:
        assert reply.read() == generate_latest(REGISTRY)
    thread.join()
    server.server_close()


def asgi(scope: dict[str, Any], *received: dict[str, Any]) -> list[MutableMapping[str, Any]]:
    """What the app sends when it is called once."""
    inbox = list(received)
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return inbox.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def call() -> None:
        await make_asgi_app(REGISTRY)(scope, receive, send)

    asyncio.run(call())
    return sent


def test_asgi_lifespan_and_other_scopes() -> None:
    sent = asgi({"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    assert [m["type"] for m in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(ValueError, match="websocket"):
        asgi({"type": "websocket"})
    scope = {"type": "http", "headers": [(b"Accept", b"\xff")], "query_string": b"\xff"}
    assert asgi(scope, {"type": "http.request"})[0]["status"] == 200
    assert asgi(scope, {"type": "http.disconnect"}) == []


def test_textfile_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "metrics.prom"
    write_to_textfile(str(path), REGISTRY)
    assert path.read_bytes() == generate_latest(REGISTRY)

    class Broken:
        def collect(self) -> list[Any]:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        write_to_textfile(str(path), Broken())
    assert os.listdir(tmp_path) == ["metrics.prom"]
    assert path.read_bytes() == generate_latest(REGISTRY)
    other = tmp_path / "other"
    other.mkdir()
    write_to_textfile(str(path), REGISTRY, tmpdir=str(other))
    assert os.listdir(other) == []


def test_push_says_what_the_gateway_answered() -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(401 if self.headers["Authorization"] is None else 202)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Refusing)

    def answer_two() -> None:
        server.handle_request()
        server.handle_request()

    thread = threading.Thread(target=answer_two)
    thread.start()
    address = f"127.0.0.1:{server.server_address[1]}"

    def authorised(**request: Any) -> Any:
        return basic_auth_handler(**request, username="u", password="p")

    with pytest.raises(OSError, match="401") as error:
        push_to_gateway(address, "job", REGISTRY)
    if isinstance(error.value, urllib.error.HTTPError):
        error.value.close()
    push_to_gateway(address, "job", REGISTRY, handler=authorised)
    thread.join()
    server.server_close()
