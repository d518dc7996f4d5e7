"""The examples that run and end: each as a process of its own, as its docstring says."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT

EXAMPLES = ROOT / "examples"
# Run by tests of their own; the demo's parts in test_demo.py.
SERVICES = {
    "starlette_service.py",
    "fastapi_service.py",
    "trace_exemplars.py",
    "migration_before.py",
    "migration_after.py",
    "several_targets/service.py",
}
DEMO = {"demo_load.py", "demo_metrics.py", "demo_service.py", "digits_data.py"}
PROGRAMS = {
    "minimal.py",
    "onnx_runtime.py",
    "pytorch_module.py",
    "sklearn_estimator.py",
    "tune_batching.py",
}


def run(name: str, *options: str) -> str:
    """Runs an example; returns what it printed. It must warn of nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def printed_number(output: str, label: str) -> float:
    """The number after a label."""
    match = re.search(rf"^{re.escape(label)}: ([\d.e+-]+)", output, re.MULTILINE)
    assert match is not None, output
    return float(match.group(1))


def needs(package: str) -> None:
    """Skips without the package."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install {package}")


def test_every_example_is_run_by_some_test() -> None:
    found = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.py")}
    assert found == SERVICES | DEMO | PROGRAMS


@pytest.mark.parametrize("name", sorted(SERVICES | PROGRAMS))
def test_every_example_says_how_to_run_it(name: str) -> None:
    docstring = ast.get_docstring(ast.parse((EXAMPLES / name).read_text(encoding="utf-8"))) or ""
    module = name.removesuffix(".py")
    assert f"python examples/{name}" in docstring or (
        f"uvicorn --app-dir examples {module}:app" in docstring
    )


def test_the_minimal_program_has_ten_lines() -> None:
    source = (EXAMPLES / "minimal.py").read_text(encoding="utf-8")
    assert len([line for line in source.splitlines() if line.strip()]) <= 10
    output = run("minimal.py")
    assert "answers: [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]" in output
    assert printed_number(output, "mean batch size") > 1
    assert re.search(r"^\d+ series of inference_\* metrics$", output, re.MULTILINE)


def test_a_pytorch_module_answers_in_batches_as_it_does_alone() -> None:
    needs("torch")
    output = run("pytorch_module.py")
    assert "answers: (256, 10) float32" in output
    assert printed_number(output, "largest difference from the bare module") < 1e-4
    assert printed_number(output, "mean batch size") > 1


def test_a_scikit_learn_estimator_answers_in_batches() -> None:
    output = run("sklearn_estimator.py")
    assert printed_number(output, "accuracy") > 95
    assert printed_number(output, "mean batch size") > 1


def test_onnx_runtime_behind_the_engine_agrees_with_the_native_graph() -> None:
    needs("onnxruntime")
    output = run("onnx_runtime.py")
    assert printed_number(output, "accuracy") > 97
    assert printed_number(output, "largest difference from the native graph") < 1e-4
    assert printed_number(output, "mean batch size") > 1


def test_tuning_goes_from_measuring_to_a_choice_that_is_measured() -> None:
    output = run("tune_batching.py", "--seconds", "1")
    parts = re.split(r"^(\d)\. ", output, flags=re.MULTILINE)
    assert parts[1::2] == ["1", "2", "3", "4"]
    tables = [
        re.findall(r"^ +(\d+) +(\d+) ms +[\d.]+ +[\d.]+ +[\d.]+ +(\d+)%$", part, re.M)
        for part in parts
    ]
    before, simulated, after = tables[4], tables[6], tables[8]
    assert (len(before), len(simulated), len(after)) == (1, 7, 1)
    assert before[0][:2] == simulated[0][:2] == ("4", "0")
    assert after[0][:2] in [row[:2] for row in simulated]
    # Waiting for company leaves the model free for longer, whatever this machine's speed.
    assert int(simulated[-1][2]) < int(simulated[-4][2])
