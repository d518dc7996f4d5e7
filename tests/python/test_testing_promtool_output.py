"""Reading promtool's output: every form that it has, and nothing else."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from inferometer.testing import LabError
from inferometer.testing.promtool_output import FiringAlert, Sample, parse
from lab_rules import lab

# As promtool 2.42 prints it.
OUTPUT = r"""Unit Testing:  /tmp/lab.yml
  FAILED:
    alertname: Odd, time: 1m30s, 
        exp:[], 
        got:[
            0:
              Labels:{alertname="Odd", job="t", path="a,\"b]}"}
              Annotations:{d="v 0.5 \"q\" \n new, b:2\n"},
            1:
              Labels:{alertname="Odd", job="u"}
              Annotations:{}
            ]
    expr: "ALERTS{alertstate=\"pending\"}", time: 2m,
        exp: nil
        got: {__name__="ALERTS", alertname="A", alertstate="pending", z="a}, {b"} 1E+00
    expr: "x", time: 0s,
        exp: nil
        got: {} NaN, {__name__="x", a="1"} -Inf, {b="é"} 3.05E+01
    expr: "sum(", time: 0s, err: 1:5: parse error: unclosed left parenthesis

"""


def test_every_form() -> None:
    answers = parse(OUTPUT)
    assert answers.firing == [
        FiringAlert(
            "Odd", 90, (("job", "t"), ("path", 'a,"b]}')), {"d": 'v 0.5 "q" \n new, b:2\n'}
        ),
        FiringAlert("Odd", 90, (("job", "u"),), {}),
    ]
    assert answers.values['ALERTS{alertstate="pending"}', 120] == (
        Sample(
            (
                ("__name__", "ALERTS"),
                ("alertname", "A"),
                ("alertstate", "pending"),
                ("z", "a}, {b"),
            ),
            1,
        ),
    )
    nan, infinite, number = answers.values["x", 0]
    assert math.isnan(nan.value)
    assert nan.labels == ()
    assert infinite == Sample((("__name__", "x"), ("a", "1")), -math.inf)
    assert number == Sample((("b", "é"),), 30.5)
    assert answers.errors == {
        ("sum(", 0): "1:5: parse error: unclosed left parenthesis",
    }


def test_success_is_no_answer() -> None:
    answers = parse("Unit Testing:  lab.yml\n  SUCCESS\n\n")
    assert (answers.firing, answers.values, answers.errors) == ([], {}, {})


@pytest.mark.parametrize(
    "line",
    [
        "    rule: A, time: 30s, err: many-to-many matching not allowed",
        '  lab.yml: yaml: unmarshal errors: line 4: field "x" not found',
        "        got: something new",
        "    alertname: Odd, at: 1m30s, ",
    ],
)
def test_what_is_not_known_is_an_error(line: str) -> None:
    text = OUTPUT.replace('    expr: "x", time: 0s,\n', f"{line}\n", 1)
    assert line in text
    with pytest.raises(LabError, match=r"promtool: got '.*', want (answers|samples); it said:"):
        parse(text)


def test_labels_and_annotations_survive_the_way_through_promtool(tmp_path: Path) -> None:
    odd = 'a "quoted" \\ back, brace} {and: comma'
    rules = """
groups:
  - name: g
    interval: 15s
    rules:
      - alert: Odd
        expr: load > 1
        annotations:
          text: 'say {{ $labels.path }} = {{ $value }}, "x" {a="b"}'
          lines: "one\\ntwo\\tthree"
"""
    escaped = odd.replace("\\", "\\\\").replace('"', '\\"')
    made = lab(tmp_path, lambda now: f'load{{path="{escaped}"}} 2.5\n', rules=rules)
    made.run("1m")
    episode = made.assert_fires("Odd", labels={"path": odd})
    assert episode.annotations == {
        "text": f'say {odd} = 2.5, "x" {{a="b"}}',
        "lines": "one\ntwo\tthree",
    }
    assert dict(made.expr("load").at("1m").samples[0].labels)["path"] == odd
