"""Rule files in another time scale: all durations change, and nothing else does."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from typing import Any

import pytest
import yaml

from conftest import ROOT
from inferometer.monitoring.durations import milliseconds
from inferometer.monitoring.stack.scaled_rules import divided, durations, scaled
from stack_case import stack_tools

RULES = ROOT / "configs/prometheus-alerts.yml"


def without_durations(rules: dict[str, Any]) -> str:
    """The content as text with each duration masked, wherever it stands. Knows nothing of rules."""
    return re.sub(r"\b(?:\d+(?:ms|[smhdwy]))+\b", "<duration>", json.dumps(rules))


def one_rule(expression: str, **more: str) -> dict[str, Any]:
    """A rule file with one rule."""
    return {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": expression, **more}]}]}


@pytest.mark.parametrize(
    ("duration", "wanted"),
    [
        ("0", 0),
        ("250ms", 250),
        ("15s", 15_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("1d", 86_400_000),
        ("1y2w3d4h5m6s7ms", 33_019_506_007),
        ("292y", 292 * 31_536_000_000),
    ],
)
def test_durations_are_read_as_prometheus_writes_them(duration: str, wanted: int) -> None:
    assert milliseconds(duration) == wanted
    if wanted:
        assert promtool_takes(duration)


BAD = ["", "5", "m", "5 m", "5min", "-5m", "1.5m", "$__rate_interval", "1d1y", "1s1s", "1ms1s"]
BAD += ["\u0661d", "5m\n", "293y", "99999999999999y"]


@pytest.mark.parametrize("bad", [*BAD, "9" * 5000 + "s"])
def test_what_is_no_duration_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="want a duration"):
        milliseconds(bad)
    if len(bad) < 100:
        assert not promtool_takes(bad)


def promtool_takes(duration: str) -> bool:
    """What Prometheus' own reader says of it, as a rule's ``for``."""
    rules = json.dumps(one_rule("up == 0", **{"for": duration}))
    command = [str(stack_tools().promtool), "check", "rules"]
    with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
        file.write(rules)
        file.flush()
        return (
            subprocess.run([*command, file.name], capture_output=True, check=False).returncode == 0
        )


@pytest.mark.parametrize(("duration", "factor"), [("1s", 7), ("1ms", 2), ("0s", 2)])
def test_a_duration_that_does_not_divide_is_refused(duration: str, factor: int) -> None:
    with pytest.raises(ValueError, match="whole number of milliseconds"):
        divided(duration, factor)


def test_in_the_committed_rules_only_durations_change() -> None:
    committed = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    faster = scaled(committed, 60)
    assert without_durations(faster) == without_durations(committed)
    assert durations(committed) == [ms * 60 for ms in durations(faster)]
    # The texts that people read keep theirs.
    for before, after in zip(committed["groups"], faster["groups"], strict=True):
        for old, new in zip(before["rules"], after["rules"], strict=True):
            assert new["annotations"] == old["annotations"]
            assert new["labels"] == old["labels"]


def test_every_place_of_a_duration_is_found() -> None:
    rules = one_rule("rate(a[5m]) > 2 and rate(b[1h30m]) < 5", **{"for": "2m"})
    rules["groups"][0] |= {"interval": "30s"}
    rules["groups"][0]["rules"][0] |= {"keep_firing_for": "10m"}
    assert durations(rules) == [30_000, 300_000, 5_400_000, 120_000, 600_000]
    (group,) = scaled(rules, 10)["groups"]
    assert group["interval"] == "3000ms"
    (rule,) = group["rules"]
    assert rule["expr"] == "rate(a[30000ms]) > 2 and rate(b[540000ms]) < 5"
    assert (rule["for"], rule["keep_firing_for"]) == ("12000ms", "60000ms")


def test_the_given_rules_are_left_as_they_are() -> None:
    rules = one_rule("rate(a[5m]) > 2")
    scaled(rules, 60)
    assert rules == one_rule("rate(a[5m]) > 2")


@pytest.mark.parametrize(
    "expression",
    [
        'a{path=~"[5m]"} > 2',
        "a{path=~'x[5m]\\'[5m]'} > 2",
        "a{path=~`[5m] offset 5m`} > 2",
        "a > 2 # not over [5m]",
        'a{text="offset @"} > 2',
    ],
)
def test_text_that_looks_like_a_window_is_left_alone(expression: str) -> None:
    assert scaled(one_rule(expression), 60) == one_rule(expression)


@pytest.mark.parametrize(
    "expression", ["a offset 5m > 2", "a @ 1700000000 > 2", "max_over_time(a[1h:5m]) > 2"]
)
def test_what_cannot_be_scaled_blindly_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"want (range selectors only|none)"):
        scaled(one_rule(expression), 60)
