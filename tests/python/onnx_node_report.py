"""What became of the official node tests: counted for the end of a run, and as documented."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from onnx_devices import CANDIDATES, why_not

# Each test records under this name "DEVICE: OUTCOME": `RUN` or why the case is refused.
PROPERTY = "official ONNX node test"
RUN = "run"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/engine.md"


def lines(reports: Iterable[pytest.TestReport]) -> Iterator[str]:
    """For each device: how many cases there are, ran, failed, and are refused for which reason."""
    counts: dict[str, Counter[str]] = {}
    failed: Counter[str] = Counter()
    for report in reports:
        for name, value in report.user_properties:
            if name == PROPERTY and report.when == "call":
                device, _, outcome = str(value).partition(": ")
                counts.setdefault(device, Counter())[outcome] += 1
                failed[device] += report.failed
    for device, outcomes in counts.items():
        total, run = outcomes.total(), outcomes.pop(RUN, 0)
        yield (
            f"official ONNX node tests on {device}: {total} collected, {run} run, "
            f"{total - run} refused, {failed[device]} of all failed"
        )
        yield from (f"  {count:3} refused: {reason}" for reason, count in outcomes.most_common())
    for device in CANDIDATES if counts else ():
        if reason := why_not(device):
            yield f"official ONNX node tests on {device}: none, {reason}"


def documented() -> tuple[str, dict[str, int]]:
    """The version of onnx that the documented counts are for, and the counts."""
    _, section = DOCUMENT.read_text().split("### Official node tests\n")
    section = section.split("\n## ")[0]
    version = re.search(r"onnx (\d[\d.]*\d)", section)
    assert version is not None
    rows = re.findall(r"^\| (?:refused: )?(.*?) \| (\d+) \|$", section, re.MULTILINE)
    return version[1], {text: int(count) for text, count in rows}
