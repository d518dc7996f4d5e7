"""`inferometer serve` as its users meet it: a real process, real digits, faults, busy ports."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import inferometer as im
from digits_data import held_out
from inferometer.serve.loading import Progress
from polling import wait_until
from service_process import (
    INFER,
    REPOSITORY,
    STOP_SECONDS,
    ServiceProcess,
    delay_request,
    image_request,
)


@pytest.fixture(scope="module")
def service() -> Iterator[ServiceProcess]:
    with ServiceProcess("--allow-fault-injection", "--delay-model", "slow=0.001") as process:
        yield process


def test_it_says_what_it_serves_and_where(service: ServiceProcess) -> None:
    assert service.lines[0].startswith(f"inferometer {im.__version__}, 2 models loaded in ")
    assert service.lines[1:4] == [
        "  resnet_model version 1: up to 64 rows a batch, waiting up to 100 ms for company",
        "  slow version 1: up to 64 rows a batch, sent when an instance is free",
        "  faults can be injected (--allow-fault-injection)",
    ]
    assert service.url.startswith("http://127.0.0.1:")
    assert service.metrics_url.endswith("/metrics")


def test_real_digits_get_the_models_answers_and_are_counted_exactly(
    service: ServiceProcess,
) -> None:
    images, labels = held_out()
    want = im.onnx.load(REPOSITORY / "resnet_model/1/model.onnx").run(images)
    sizes = [1] * 200 + [2] * 50  # rows of each request
    starts = np.cumsum([0, *sizes[:-1]]).tolist()

    async def ask() -> list[Any]:
        limits = httpx.Limits(max_connections=64)
        async with httpx.AsyncClient(base_url=service.url, limits=limits, timeout=60) as http:
            return await asyncio.gather(
                *(
                    http.post(INFER, json=image_request(images[at : at + size], number))
                    for number, (at, size) in enumerate(zip(starts, sizes, strict=True))
                )
            )

    before = service.metrics()
    replies = asyncio.run(ask())
    right = 0
    for number, (reply, at, size) in enumerate(zip(replies, starts, sizes, strict=True)):
        assert reply.status_code == 200, reply.text
        document = reply.json()
        assert (document["id"], document["model_version"]) == (str(number), "1")
        (output,) = document["outputs"]
        assert (output["name"], output["shape"]) == ("probabilities", [size, 10])
        got = np.array(output["data"], np.float32).reshape(size, 10)
        np.testing.assert_allclose(got, want[at : at + size], rtol=1e-5, atol=1e-7)
        right += int((got.argmax(1) == labels[at : at + size]).sum())
    assert right > 0.95 * sum(sizes)

    after = service.metrics()
    other_port = service.metrics(f"{service.url}/metrics")
    success = 'inference_requests_total{model_name="resnet_model",status="success"}'
    for name, added in (
        (success, len(sizes)),
        ('nv_inference_request_success{model="resnet_model",version="1"}', len(sizes)),
        ('nv_inference_count{model="resnet_model",version="1"}', sum(sizes)),
        ('inference_batch_size_sum{model_name="resnet_model"}', sum(sizes)),
        ('inference_latency_seconds_count{model_name="resnet_model"}', len(sizes)),
    ):
        assert after[name] - before[name] == added, name
        assert other_port[name] == after[name]
    batches = 'nv_inference_exec_count{model="resnet_model",version="1"}'
    assert after[batches] - before[batches] < len(sizes) / 2  # 64 at once: they were batched
    for status in ("failure", "rejected", "timeout", "cancelled", "invalid"):
        assert after[success.replace("success", status)] == 0
    # The machine and the process are there too.
    for name in ("nv_cpu_utilization", "process_open_fds", "nv_cpu_memory_total_bytes"):
        assert name in after


def test_a_delay_is_felt_and_ends_by_itself(service: ServiceProcess) -> None:
    path = "/v2/models/slow/faults"
    seconds = 0.5
    fault = {"kind": "delay", "seconds": seconds, "duration": 60}

    def ask() -> float:
        begin = time.monotonic()
        status, reply, _ = service.call("POST", "/v2/models/slow/infer", delay_request(1, 2))
        assert (status, reply["outputs"][0]["data"]) == (200, [1, 2])
        return time.monotonic() - begin

    ask()
    assert service.call("POST", path, fault)[0] == 200
    assert ask() >= seconds
    assert service.call("DELETE", path)[1]["active"] == []
    compute = 'inference_compute_seconds_bucket{model_name="slow",le="0.25"}'
    before = service.metrics()[compute]
    ask()
    assert service.metrics()[compute] == before + 1  # no delay any more
    service.call("POST", path, {**fault, "duration": 0.2})
    state = wait_until(
        lambda: service.call("GET", path)[1], lambda state: not state["active"], "its end", 30
    )
    assert state["injected"]["delay"] >= 1
    before = service.metrics()[compute]
    ask()
    assert service.metrics()[compute] == before + 1


def test_errors_and_stalls(service: ServiceProcess) -> None:
    faults, infer = "/v2/models/resnet_model/faults", INFER
    request = image_request(held_out()[0][:1], 1)
    service.call("POST", faults, {"kind": "error", "ratio": 1, "duration": 60})
    status, reply, _ = service.call("POST", infer, request)
    assert status == 500 and "injected fault" in reply["error"]
    service.call("DELETE", faults)
    service.call("POST", faults, {"kind": "stall", "duration": 60})
    late = {**request, "parameters": {"timeout": 200_000}}
    status, reply, _ = service.call("POST", infer, late)
    assert (status, reply) == (503, {"error": "Request timeout expired"})
    # The native listener, and the loop, answer while a model stands still.
    assert service.metrics()['inference_requests_total{model_name="resnet_model",status="timeout"}']
    assert service.call("GET", "/livez")[0] == 200
    service.call("DELETE", faults)
    assert service.call("POST", infer, request)[0] == 200


def test_a_client_that_hangs_up_cancels_its_request(service: ServiceProcess) -> None:
    faults = "/v2/models/slow/faults"
    cancelled = 'inference_requests_total{model_name="slow",status="cancelled"}'
    before = service.metrics()[cancelled]
    service.call("POST", faults, {"kind": "stall", "duration": 60})
    in_flight = 'inference_in_flight{model_name="slow"}'
    host, _, port = service.url.removeprefix("http://").partition(":")
    body = b'{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]}'
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"POST /v2/models/slow/infer HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        wait_until(service.metrics, lambda seen: seen[in_flight] == 1, "a running batch", 30)
    wait_until(
        service.metrics, lambda seen: seen[cancelled] == before + 1, "a cancelled request", 30
    )
    service.call("DELETE", faults)


def test_an_upgrade_is_refused_without_advice(service: ServiceProcess) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    assert httpx.get(f"{service.url}/livez", headers=headers).status_code == 200
    wait_until(
        lambda: "inferometer: WARNING: Unsupported upgrade request." in service.errors,
        bool,
        "a warning",
        30,
    )
    service.call("GET", "/livez")
    assert not any("WebSocket library" in line for line in service.errors)


def test_bodies_over_the_wire(service: ServiceProcess) -> None:
    # Over a real connection the whole body is there to be dropped.
    with ServiceProcess("--max-body-mib", "1") as small:
        body = b" " * ((1 << 20) + 1)
        reply = httpx.post(small.url + INFER, content=body)
        assert reply.status_code == 413
        assert reply.json()["error"] == "the request body has more bytes than the limit, 1048576"
        assert httpx.get(small.url + "/livez").status_code == 200
        # Without the flag there are no faults.
        assert small.call("POST", "/v2/models/resnet_model/faults", {})[0] == 404
        reply = httpx.post(small.url + INFER, content=b"{}")
        assert "Unable to parse 'inputs'" in reply.json()["error"]


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--http-port", "stop what uses it, take another with --http-port {next}, or any free one"),
        ("--metrics-port", "take another with --metrics-port {next}, or any free one"),
    ],
)
def test_a_busy_port_is_one_line_that_says_what_to_do(option: str, text: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = {"--http-port": "0", "--metrics-port": "0", option: str(port)}
        done = subprocess.run(
            [
                *(sys.executable, "-m", "inferometer", "serve", str(REPOSITORY)),
                *(word for pair in ports.items() for word in pair),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("inferometer: ") and str(port) in line
    assert text.format(next=port + 1) in line


def test_a_model_that_is_not_what_its_config_says_is_named(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY, tmp_path / "models")
    config = tmp_path / "models/resnet_model/config.pbtxt"
    config.write_text(config.read_text().replace("[ 10 ]", "[ 11 ]"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "inferometer", "serve", str(tmp_path / "models")),
            *("--http-port", "0", "--metrics-port", "0"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "inferometer: resnet_model/config.pbtxt:12: got output 'probabilities' with dims [11], "
        "want the model's, [10] without the batch dimension\n"
    )


def test_warnings_of_the_config_and_of_an_open_host_are_lines(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY, tmp_path / "models")
    config = tmp_path / "models/resnet_model/config.pbtxt"
    config.write_text(
        config.read_text()
        .replace("dynamic_batching", "version_policy { all { } }\n# ")
        .replace("max_queue_delay_microseconds: 100000\n}", "")
    )
    with ServiceProcess("--host", "0.0.0.0", repository=tmp_path / "models") as process:
        assert process.url.startswith("http://127.0.0.1:")
        assert process.call("GET", "/v2/health/ready")[0] == 200
        assert process.lines[1] == (
            "  resnet_model version 1: up to 64 rows a batch, each request by itself "
            "(no dynamic_batching)"
        )
    text = "\n".join(process.errors)
    assert (
        "inferometer: WARNING: resnet_model/config.pbtxt:18: version_policy has no effect" in text
    )
    assert "there is no TLS and no authentication" in text


def test_slow_loading_is_told() -> None:
    said: list[str] = []
    told = threading.Event()

    def write(line: str) -> None:
        said.append(line)
        told.set()

    with Progress(write, seconds=0.001) as progress:
        progress.at("resnet_model (1 of 1)")
        told.clear()
        assert told.wait(STOP_SECONDS)
    count = len(said)
    assert said[-1] == "loading resnet_model (1 of 1), 0 s so far"
    with Progress(write, seconds=3600):
        pass
    assert len(said) == count


def test_the_environment_of_a_started_service_is_its_own() -> None:
    # No file is left behind, no port is kept.
    before = set(os.listdir(REPOSITORY))
    with ServiceProcess() as first:
        port = int(first.url.rpartition(":")[2])
    with ServiceProcess("--http-port", str(port)) as second:
        assert second.url == first.url
    assert set(os.listdir(REPOSITORY)) == before
