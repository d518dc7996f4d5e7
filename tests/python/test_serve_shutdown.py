"""How the service stops: signals under load, slow requests, a second signal."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
import time
from collections import Counter

import httpx
import numpy as np
import pytest

from digits_data import held_out
from polling import wait_until
from service_process import INFER, STOP_SECONDS, ServiceProcess, delay_request, image_request


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_loses_nothing(number: signal.Signals) -> None:
    replies: Counter[str] = Counter()
    lock = threading.Lock()
    over = threading.Event()
    images, _ = held_out()

    def load(url: str, worker: int) -> None:
        # One connection at a time, kept alive, until the service is gone.
        with httpx.Client(base_url=url, timeout=60) as http:
            turn = 0
            while not over.is_set():
                turn += 1
                request = image_request(images[(worker * 31 + turn) % 400][np.newaxis], turn)
                try:
                    outcome = str(http.post(INFER, json=request).status_code)
                except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError) as error:
                    outcome = type(error).__name__
                with lock:
                    replies[outcome] += 1
                if outcome == "ConnectError":
                    return

    with ServiceProcess() as process:
        threads = [
            threading.Thread(target=load, args=(process.url, worker)) for worker in range(16)
        ]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: replies["200"], lambda count: count >= 100, "100 answers", 60)
            process.signal(number)
            status = process.wait()
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert status == 0
        assert process.errors == []
    assert process.lines[-2] == f"{number.name}: finishing what was accepted"
    # Every answer that the service gave reached a client, and all were good.
    answered = replies["200"]
    assert (
        process.lines[-1] == f"stopped: {answered} requests answered, {answered} of them with 200"
    )
    assert set(replies) <= {"200", "ConnectError", "RemoteProtocolError", "ReadError"}
    print(dict(replies))


def test_slow_requests_are_finished_and_new_ones_are_not_let_in() -> None:
    answers: list[int] = []
    with ServiceProcess("--allow-fault-injection", "--delay-model", "slow=1.5") as process:

        def ask() -> None:
            answers.append(process.call("POST", "/v2/models/slow/infer", delay_request(1))[0])

        thread = threading.Thread(target=ask)
        thread.start()
        in_flight = 'inference_in_flight{model_name="slow"}'
        wait_until(process.metrics, lambda seen: seen[in_flight] == 1, "a running batch", 30)
        process.signal(signal.SIGTERM)
        address = process.url.removeprefix("http://").split(":")

        def connects() -> bool:
            try:
                socket.create_connection((address[0], int(address[1])), 5).close()
            except OSError:
                return False
            return True

        wait_until(connects, lambda it_does: not it_does, "a closed door", 30)
        assert process.wait() == 0
        thread.join()
    assert answers == [200]


def test_a_drain_that_takes_too_long_is_cut_off_and_faults_end_with_it() -> None:
    answers: list[int] = []
    with ServiceProcess(
        *("--allow-fault-injection", "--drain-timeout", "3"),
        *("--delay-model", "slow=3000", "--delay-model", "stalled=0"),
    ) as process:
        process.call("POST", "/v2/models/stalled/faults", {"kind": "stall", "duration": 3600})

        def ask(name: str) -> None:
            answers.append(process.call("POST", f"/v2/models/{name}/infer", delay_request(1))[0])

        threads = [threading.Thread(target=ask, args=(name,)) for name in ("slow", "stalled")]
        for thread in threads:
            thread.start()
        keys = [f'inference_in_flight{{model_name="{name}"}}' for name in ("slow", "stalled")]
        wait_until(
            process.metrics, lambda seen: all(seen[key] == 1 for key in keys), "both running", 30
        )
        begin = time.monotonic()
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
        seconds = time.monotonic() - begin
        for thread in threads:
            thread.join()
    assert 3 + 5 <= seconds < 3 + 5 + 2.5  # what was asked for, and five for the model
    for told in ("requests were left after 3 s of draining", "its thread is left behind"):
        assert sum(told in line for line in process.errors) == 1, process.errors
    assert sorted(answers) == [200, 503]  # the stall ended with the signal


def test_a_second_signal_ends_at_once() -> None:
    with ServiceProcess("--allow-fault-injection", "--delay-model", "slow=3000") as process:

        def ask() -> None:
            with pytest.raises(OSError):
                process.call("POST", "/v2/models/slow/infer", delay_request(1))

        thread = threading.Thread(target=ask)
        thread.start()
        in_flight = 'inference_in_flight{model_name="slow"}'
        wait_until(process.metrics, lambda seen: seen[in_flight] == 1, "a running batch", 30)
        process.signal(signal.SIGTERM)
        assert process.process.stdout is not None
        assert process.process.stdout.readline() == "SIGTERM: finishing what was accepted\n"
        process.signal(signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM
        thread.join()


def test_a_body_that_does_not_arrive_is_503_when_the_time_is_over() -> None:
    paths = ("/v2/models/slow/infer", "/v2/models/slow/faults", "/dashboard/api/panels")
    replies = {}
    with ServiceProcess(
        *("--allow-fault-injection", "--drain-timeout", "1", "--delay-model", "slow=0")
    ) as process:
        host, port = process.url.removeprefix("http://").split(":")
        with contextlib.ExitStack() as open_connections:
            clients = {
                path: open_connections.enter_context(
                    socket.create_connection((host, int(port)), STOP_SECONDS)
                )
                for path in paths
            }
            for path, client in clients.items():
                head = (
                    f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n"
                    "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n"
                )
                client.sendall(head.encode())
                # It asks for the body, so the request is there.
                assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
                client.sendall(b"{")
            process.signal(signal.SIGTERM)
            for path, client in clients.items():
                with client.makefile("rb") as reader:
                    replies[path] = reader.read()
        assert process.wait() == 0
    for path, reply in replies.items():
        head_, _, body = reply.partition(b"\r\n\r\n")
        assert head_.startswith(b"HTTP/1.1 503 "), path
        assert "Server is stopping" in json.loads(body)["error"]
    assert not any("Traceback" in line or "Exception" in line for line in process.errors)
    assert process.lines[-1] == "stopped: 1 requests answered, 0 of them with 200"


def test_a_reader_of_messages_that_has_gone_does_not_hold_up_the_stop() -> None:
    with ServiceProcess() as process:
        assert process.process.stdout is not None
        process.process.stdout.close()
        process.signal(signal.SIGTERM)
        assert process.process.wait(STOP_SECONDS) == 0
    assert process.errors == [
        "inferometer: WARNING: standard output cannot be written (Broken pipe): what is said "
        "there from now on is lost"
    ]
