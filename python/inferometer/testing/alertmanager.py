"""Who is told of an alert, and which alert hides another: asked of Alertmanager itself."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from inferometer.testing import tools
from inferometer.testing.errors import LabError

LabelSet = Mapping[str, str]

_SECONDS = 20.0
_SETTLE_SECONDS = 2.0


def receivers(config: Path, labels: LabelSet) -> list[str]:
    """Who gets an alert with these labels, by ``amtool config routes test``.

    Raises:
        LabError: A configuration that Alertmanager does not accept.
        ToolMissingError: There is no amtool.
    """
    done = subprocess.run(
        [
            tools.find("amtool"),
            "config",
            "routes",
            "test",
            f"--config.file={config}",
            *(f"{name}={value}" for name, value in labels.items()),
        ],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(f"alertmanager: got {config} ({done.stderr.strip()}), want a valid one")
    return [name.strip() for name in done.stdout.strip().split(",") if name.strip()]


def inhibitions(config: Path, alerts: Sequence[LabelSet]) -> list[list[int]]:
    """Which alerts hide which, by an Alertmanager that is told of them all.

    Nobody is notified: of the configuration only ``inhibit_rules`` is used.

    Args:
        config: An alertmanager.yml.
        alerts: The labels of all that fire, with ``alertname``.

    Returns:
        For each alert the indexes of those that inhibit it.

    Raises:
        LabError: A configuration that is not there or that Alertmanager does not accept.
        ToolMissingError: There is no Alertmanager.
    """
    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LabError(f"alertmanager: got {config} ({error}), want a file of it") from None
    rules = content.get("inhibit_rules") if isinstance(content, dict) else None
    with _alertmanager({"inhibit_rules": rules or []}) as url:
        _call(url, [{"labels": dict(labels)} for labels in alerts])
        # Sources are taken up a moment after they are stored; nothing says when.
        give_up = time.monotonic() + _SETTLE_SECONDS
        seen, since = _inhibited_by(url, alerts), time.monotonic()
        while time.monotonic() < min(give_up, since + 0.3):
            time.sleep(0.02)
            now = _inhibited_by(url, alerts)
            if now != seen:
                seen, since = now, time.monotonic()
    return seen


def _inhibited_by(url: str, alerts: Sequence[LabelSet]) -> list[list[int]]:
    stored = _call(url)
    prints = {alert["fingerprint"]: alert["labels"] for alert in stored}
    found = []
    for labels in alerts:
        (alert,) = (one for one in stored if one["labels"] == dict(labels))
        sources = [prints[source] for source in alert["status"]["inhibitedBy"]]
        found.append([index for index, other in enumerate(alerts) if dict(other) in sources])
    return found


@contextmanager
def _alertmanager(config: Mapping[str, Any]) -> Iterator[str]:
    """The URL of an Alertmanager that runs meanwhile, on a free port."""
    nobody = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    with tempfile.TemporaryDirectory(prefix="alert-lab-") as name:
        folder = Path(name)
        (folder / "alertmanager.yml").write_text(json.dumps({**config, **nobody}), "utf-8")
        log = folder / "log"
        program, working_folder = tools.alertmanager()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    program,
                    f"--config.file={folder / 'alertmanager.yml'}",
                    f"--storage.path={folder / 'data'}",
                    "--web.listen-address=127.0.0.1:0",
                    "--cluster.listen-address=",
                ],
                cwd=working_folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    give_up = time.monotonic() + _SECONDS
    while time.monotonic() < give_up:
        found = re.search(r"Listening on\" address=(127\.0\.0\.1:\d+)", log.read_text("utf-8"))
        if found is not None:
            return f"http://{found[1]}/api/v2/alerts"
        if process.poll() is not None:
            raise LabError(f"alertmanager: it did not start: {log.read_text('utf-8')[-1000:]}")
        time.sleep(0.01)
    raise LabError(f"alertmanager: not ready in {_SECONDS:g} s: {log.read_text('utf-8')[-1000:]}")


def _call(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=_SECONDS) as reply:
        text = reply.read()
    return json.loads(text) if text else None
