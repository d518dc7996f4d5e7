"""The load with a constant rate: what it sends, whether or not it is answered."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from sklearn.datasets import load_digits

from inferometer.monitoring.stack import steady_load as module
from inferometer.monitoring.stack.ports import free_ports
from inferometer.monitoring.stack.steady_load import SteadyLoad, digit_bodies, infer_body
from inferometer.monitoring.stack.waiting import wait_until


class Server(ThreadingHTTPServer):
    """Answers 200, or the status that is its turn, once it is allowed to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.allowed = threading.Event()
        self.allowed.set()
        self.bodies: list[bytes] = []
        self.connections: set[int] = set()
        self.statuses: list[int] = []
        self.close_after_each = False
        # What the load gives up on at its end is no defect.
        self.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self.server_address[1]}/infer"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.connections.add(self.client_address[1])
        self.server.allowed.wait(60)
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "2")
        if self.server.close_after_each:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.allowed.set()
        server.shutdown()
        thread.join()


def wait_for(load: SteadyLoad, status: int, number: int) -> None:
    wait_until(lambda: load.statuses[status], lambda seen: seen >= number, f"{status}s", 30)


def test_bodies_are_sent_in_turn_on_few_connections(server: Server) -> None:
    with SteadyLoad(server.url, [b"1", b"22", b"333"], rate=200) as load:
        wait_for(load, 200, 30)
    # Connections overtake each other, so this is not the order of sending.
    seen = Counter(server.bodies)
    assert seen.keys() == {b"1", b"22", b"333"}
    assert min(seen.values()) * 2 > max(seen.values())
    assert len(server.connections) < 30
    assert load.summary()["sent"] == load.sent >= 30
    assert set(load.statuses) <= {0, 200}


def test_it_sends_on_while_nothing_is_answered(server: Server) -> None:
    server.allowed.clear()
    with SteadyLoad(server.url, [b"1"], rate=100) as load:
        wait_until(lambda: len(server.bodies), lambda seen: seen >= 20, "requests", 30)
        assert not load.statuses
        server.allowed.set()
        wait_for(load, 200, 20)


def test_beyond_the_bound_nothing_is_sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IN_FLIGHT", 5)
    server.allowed.clear()
    with SteadyLoad(server.url, [b"1"], rate=200) as load:
        wait_until(lambda: load.skipped, lambda seen: seen >= 5, "requests left out", 30)
        assert load.sent == 5


def test_every_status_is_counted(server: Server) -> None:
    server.statuses += [500, 503, 500]
    with SteadyLoad(server.url, [b"1"], rate=100) as load:
        wait_for(load, 200, 3)
    assert (load.statuses[500], load.statuses[503]) == (2, 1)


def test_a_server_that_closes_connections_is_served_too(server: Server) -> None:
    server.close_after_each = True
    with SteadyLoad(server.url, [b"1"], rate=100) as load:
        wait_for(load, 200, 10)
    assert len(server.connections) >= 10


def test_without_a_server_requests_fail_and_go_on() -> None:
    (port,) = free_ports(1)
    with SteadyLoad(f"http://127.0.0.1:{port}/", [b"1"], rate=100) as load:
        wait_for(load, 0, 5)


@pytest.mark.parametrize(
    ("url", "bodies", "rate", "message"),
    [
        ("http://127.0.0.1/", [b"1"], 0, "rate: got 0, want requests a second"),
        ("http://127.0.0.1/", [b"1"], float("nan"), "rate: got nan"),
        ("http://127.0.0.1/", [], 1, "bodies: got none"),
        ("https://127.0.0.1/", [b"1"], 1, "want one that begins with http://"),
        ("127.0.0.1:8000", [b"1"], 1, "want one that begins with http://"),
    ],
)
def test_wrong_options(url: str, bodies: list[bytes], rate: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SteadyLoad(url, bodies, rate)


def test_digits_are_those_of_scikit_learn() -> None:
    bodies = digit_bodies()
    images = load_digits().images
    assert len(bodies) == len(images)
    (tensor,) = json.loads(bodies[7])["inputs"]
    assert (tensor["name"], tensor["shape"], tensor["datatype"]) == ("image", [1, 1, 8, 8], "FP32")
    assert np.array_equal(np.array(tensor["data"]).reshape(8, 8), images[7])


def test_a_body_is_one_of_kserve() -> None:
    assert json.loads(infer_body("x", (2, 1), [1.0, 2.0])) == {
        "inputs": [{"name": "x", "shape": [2, 1], "datatype": "FP32", "data": [1.0, 2.0]}]
    }
