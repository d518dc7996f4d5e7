"""`inferometer serve` as a process of its own, on free ports."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from conftest import ROOT

REPOSITORY = ROOT / "model_repository"
STOP_SECONDS = 60
INFER = "/v2/models/resnet_model/infer"


class ServiceProcess:
    """A running service. A context manager: terminates it at the end.

    Attributes:
        url: Where it answers.
        metrics_url: Where its native listener does.
        lines: What it has printed.
    """

    def __init__(self, *options: str, repository: Path = REPOSITORY) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "inferometer", "serve", str(repository)),
                *("--http-port", "0", "--metrics-port", "0", *options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        assert self.process.stdout is not None and self.process.stderr is not None
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("metrics: "):
                break
        else:
            self.process.wait(STOP_SECONDS)
            self._reader.join()
            raise AssertionError(f"the service did not start: {self.lines} {self.errors}")
        self.url = self._after("service: ")
        self.metrics_url = self._after("metrics: ")

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(line.rstrip("\n") for line in self.process.stderr)

    def _after(self, prefix: str) -> str:
        (line,) = (line for line in self.lines if line.startswith(prefix))
        return line.removeprefix(prefix)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Waits for its end; returns the exit status. Reads what it still prints."""
        assert self.process.stdout is not None
        self.lines += [line.rstrip("\n") for line in self.process.stdout]
        status = self.process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        return status

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(STOP_SECONDS)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def call(
        self, method: str, path: str, document: object = None
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """One HTTP request of its own connection: status, JSON, headers."""
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(
            self.url + path, body, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=STOP_SECONDS) as reply:
                content = reply.read()
                return reply.status, json.loads(content or b"{}"), dict(reply.headers)
        except urllib.error.HTTPError as error:
            with error:
                content = error.read()
                return error.code, json.loads(content or b"{}"), dict(error.headers)

    def metrics(self, url: str | None = None) -> dict[str, float]:
        """The samples of an exposition by name with labels; None: of the native listener."""
        with urllib.request.urlopen(url or self.metrics_url, timeout=STOP_SECONDS) as reply:
            text = reply.read().decode()
        return {
            match[1]: float(match[2])
            for match in re.finditer(r"^([^#\s][^\s{]*(?:\{.*\})?) (\S+)$", text, re.MULTILINE)
        }


def image_request(images: np.ndarray[Any, Any], number: int) -> dict[str, Any]:
    """A request of images to `resnet_model`."""
    return {
        "id": str(number),
        "inputs": [
            {
                "name": "image",
                "shape": list(images.shape),
                "datatype": "FP32",
                "data": images.ravel().tolist(),
            }
        ],
    }


def delay_request(*numbers: float) -> dict[str, Any]:
    """A request of rows of one number to a delay model."""
    return {
        "inputs": [
            {
                "name": "x",
                "shape": [len(numbers), 1],
                "datatype": "FP32",
                "data": list(numbers),
            }
        ]
    }
