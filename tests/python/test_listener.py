"""The native metrics listener, as its users and its abusers meet it."""

from __future__ import annotations

import http.client
import logging
import random
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inferometer as im
from conftest import ROOT
from test_process import run

GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def registry() -> im.Registry:
    registry = im.Registry()
    registry.counter("hits", "Hits.", ["path"]).labels("/").inc(3)
    return registry


@pytest.fixture
def listener(registry: im.Registry) -> Iterator[im.MetricsListener]:
    with im.serve_metrics(0, registry=registry) as listener:
        yield listener


def get(url: str, **fields: str) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields and body."""
    request = urllib.request.Request(url, headers=fields)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, dict(reply.headers), reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def exchange(port: int, request: bytes) -> bytes:
    """Everything that comes back to these bytes until the listener ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        received = b""
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                received += part
        except (ConnectionResetError, BrokenPipeError):
            pass
        return received


def test_serves_a_registry(listener: im.MetricsListener, registry: im.Registry) -> None:
    assert listener.url == f"http://127.0.0.1:{listener.port}/metrics"
    assert listener.host == "127.0.0.1"
    for url in (listener.url, listener.url + "/", listener.url + "?name[]=x"):
        status, fields, body = get(url, Accept="text/plain;q=0.5, */*;q=0.1")
        assert status == 200
        assert fields["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert b'hits_total{path="/"} 3.0\n' in body
        assert len(body) == int(fields["Content-Length"])


def test_the_default_registry_is_served() -> None:
    counter = im.default_registry().counter("served_by_default", "")
    counter.inc(7)
    with im.serve_metrics(0) as listener:
        assert b"served_by_default_total 7.0\n" in get(listener.url)[2]


def test_other_paths_and_methods(listener: im.MetricsListener) -> None:
    root = listener.url.removesuffix("/metrics")
    assert get(root + "/")[0] == 200
    assert b"/metrics" in get(root + "/")[2]
    status, _, body = get(root + "/elsewhere")
    assert status == 404
    assert b"/metrics" in body
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=30)
    connection.request("POST", "/metrics")
    reply = connection.getresponse()
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")
    reply.read()
    connection.request("HEAD", "/metrics")  # on the same connection
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (200, b"")
    assert int(reply.headers["Content-Length"]) > 0
    connection.request("POST", "/metrics", body=b"x" * 1_000_000)
    reply = connection.getresponse()
    assert (reply.status, reply.headers["Connection"]) == (413, "close")
    connection.close()


def test_keep_alive_pipelining_and_http_1_0(listener: im.MetricsListener) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=30)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/metrics")
        connection.getresponse().read()
        sockets.add(connection.sock)
    assert len(sockets) == 1
    connection.close()
    assert exchange(listener.port, GET * 5).count(b"HTTP/1.1 200 OK\r\n") == 5
    old = exchange(listener.port, b"GET /metrics HTTP/1.0\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in old
    assert b"hits_total" in old


def test_two_listeners_serve_their_own(listener: im.MetricsListener) -> None:
    other = im.Registry()
    other.gauge("other", "").set(5)
    with im.serve_metrics(0, registry=other) as second:
        assert second.port != listener.port
        assert b"other 5.0\n" in get(second.url)[2]
        assert b"hits_total" not in get(second.url)[2]
    assert b"hits_total" in get(listener.url)[2]


def test_sixty_four_scrapes_at_once(listener: im.MetricsListener) -> None:
    together = threading.Barrier(64)

    def scrape(_: int) -> bytes:
        together.wait(30)
        return get(listener.url)[2]

    with ThreadPoolExecutor(64) as pool:
        bodies = list(pool.map(scrape, range(64)))
    assert all(b'hits_total{path="/"} 3.0\n' in body for body in bodies)


def test_close(registry: im.Registry) -> None:
    listener = im.serve_metrics(0, registry=registry)
    with socket.create_connection(("127.0.0.1", listener.port), timeout=30) as connection:
        connection.sendall(GET + b"GET /metr")
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert not listener.closed
        listener.close()
        assert listener.closed
        listener.close()
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass  # the second request was not read any more
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", listener.port), timeout=30)
    assert repr(listener) == f"<MetricsListener {listener.url} closed>"
    with im.serve_metrics(listener.port, registry=registry) as again:
        assert get(again.url)[0] == 200


def test_it_serves_without_a_reference_to_it(registry: im.Registry) -> None:
    url = im.serve_metrics(0, registry=registry).url
    assert get(url)[0] == 200
    from inferometer import listener as module

    (forgotten,) = (live for live in module._live if live.url == url)
    forgotten.close()


def test_a_port_in_use_is_named_with_its_holder(listener: im.MetricsListener) -> None:
    with pytest.raises(im.ConfigError, match=f"127.0.0.1:{listener.port}: .*in use by this proc"):
        im.serve_metrics(listener.port)
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import socket\ns = socket.create_server(('127.0.0.1', 0))\n"
            "print(s.getsockname()[1], flush=True)\ninput()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        with pytest.raises(im.ConfigError, match=rf"in use by pid {other.pid} \(python"):
            im.serve_metrics(port)
        other.communicate("\n")


def test_a_privileged_port_is_explained() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if lowest <= 1:
        pytest.skip("every port may be bound on this machine")
    out = run(
        """
import os
import inferometer as im
im.serve_metrics  # loaded now: nobody may not be allowed to read the files
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    im.serve_metrics(1)
except im.ConfigError as error:
    print(error)
"""
    )
    assert "cannot listen on 127.0.0.1:1: ports below 1024 need root" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"port": 70000}, "port: got 70000, want an int"),
        ({"port": -1}, "port: got -1"),
        ({"port": "8002"}, "port: got '8002'"),
        ({"port": True}, "port: got True"),
        ({"host": None}, "host: got None, want a str"),
        ({"host": ""}, "host: got an empty name"),
        ({"host": "no.such.host.invalid"}, 'host: got "no.such.host.invalid"'),
        ({"host": "192.0.2.1"}, "no interface of this machine"),
        ({"host": "\ud800"}, "want valid Unicode"),
        ({"host": "a\0b"}, "NUL"),
        ({"registry": im.NO_METRICS}, "got NO_METRICS"),
        ({"registry": 1}, "got int"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(im.ConfigError) as error:
        im.serve_metrics(**{"port": 0, **arguments})  # type: ignore[arg-type]
    assert message in str(error.value)


def test_beyond_loopback_a_warning_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "inferometer"):
        with im.serve_metrics(0):
            assert caplog.messages == []
        with im.serve_metrics(0, host="0.0.0.0") as listener:
            assert get(listener.url)[0] == 200
    (message,) = caplog.messages
    assert "0.0.0.0" in message
    assert "no TLS" in message


def test_prometheus_client_reads_it(listener: im.MetricsListener) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    families = {f.name for f in text_string_to_metric_families(get(listener.url)[2].decode())}
    assert "hits" in families


def test_promtool_finds_nothing_to_say(listener: im.MetricsListener) -> None:
    found = subprocess.run(
        [str(ROOT / "scripts/fetch_prometheus.sh"), "tools"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        pytest.skip(f"Debian's package prometheus could not be had: {found.stderr[-300:]}")
    done = subprocess.run(
        [f"{found.stdout.strip()}/promtool", "check", "metrics"],
        input=get(listener.url)[2],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


# --- abuse ----------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400))
def test_any_bytes_are_answered_or_the_connection_ends(garbage: bytes) -> None:
    port = shared_listener().port
    reply = exchange(port, garbage)
    assert reply == b"" or reply.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in reply.split(b"\r\n", 1)[0]


def test_mutated_requests_are_answered_or_the_connection_ends(
    listener: im.MetricsListener,
) -> None:
    chance = random.Random(1)
    seed = (
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain;q=0.3,*/*\r\n"
        b"Accept-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"
    )
    for _ in range(300):
        request = bytearray(seed)
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(request))
            request[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        reply = exchange(listener.port, bytes(request))
        assert reply == b"" or reply.startswith(b"HTTP/1.1 "), request
        assert not reply.startswith(b"HTTP/1.1 500"), request
    assert get(listener.url)[0] == 200


def shared_listener(held: list[im.MetricsListener] = []) -> im.MetricsListener:  # noqa: B006
    """One listener for all the examples of a hypothesis test."""
    if not held:
        held.append(im.serve_metrics(0, registry=im.Registry()))
    return held[0]


def test_garbage_gets_400_and_the_end(listener: im.MetricsListener) -> None:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=30) as connection:
        connection.sendall(b"\x16\x03\x01\x00\xa5 this is a TLS hello")
        received = b""
        while part := connection.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert exchange(listener.port, b"GET / HTTP/1.1\r\nA: " + b"x" * 9000).startswith(
        b"HTTP/1.1 431 "
    )


def test_clients_that_send_nothing_more_do_not_keep_others_away(
    listener: im.MetricsListener,
) -> None:
    slow = []
    for _ in range(300):  # more than the limit of connections
        connection = socket.create_connection(("127.0.0.1", listener.port), timeout=30)
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
        slow.append(connection)
    assert get(listener.url)[0] == 200
    for connection in slow:
        connection.close()


def test_the_thread_that_logs_ends_with_the_listener(listener: im.MetricsListener) -> None:
    listener.close()
    listener._logger.join(30)
    assert not listener._logger.is_alive()
