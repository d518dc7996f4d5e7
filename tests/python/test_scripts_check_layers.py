"""Seeded violations: each rule of scripts/check_layers.py catches what it is there for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import check_layers

ROOT = Path(__file__).resolve().parent.parent.parent

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write_file


def messages(root: Path) -> list[str]:
    return [f"{f.path}:{f.line}: {f.message}" for f in check_layers.check(root)]


def test_the_repository_has_no_findings() -> None:
    assert messages(ROOT) == []


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("cpp/src/telemetry/a.cc", '#include "serving/engine.h"', "layer serving"),
        ("cpp/src/tensor/a.cc", '#include "telemetry/record/cell.h"', "layer telemetry"),
        ("cpp/src/base/a.h", '#include "tensor/a.h"', "layer tensor"),
        ("cpp/src/serving/a.cc", '#include "model/graph.h"', "layer model"),
        ("cpp/src/backend/cpu_a.cc", '#include "serving/a.h"', "layer serving"),
        ("cpp/src/exposition/a.cc", '#include "serving/a.h"', "layer serving"),
        ("cpp/src/model/a.cc", "#include <Eigen/Core>", "Eigen may not be included here"),
        ("cpp/src/backend/cuda_a.cc", "#include <Eigen/Core>", "Eigen may not be included here"),
        ("cpp/src/backend/cpu_a.cc", "#include <cuda_runtime.h>", "CUDA and cuBLAS may not"),
        ("cpp/src/monitor/a.cc", "#include <nvml.h>", "NVML's header may not"),
        ("cpp/src/monitor/a.cc", '#include "serving/a.h"', "layer serving"),
        ("cpp/src/serving/a.cc", "#include <prometheus/registry.h>", "prometheus-cpp may not"),
        ("cpp/src/serving/a.cc", "#include <pybind11/pybind11.h>", "pybind11 and Python.h may not"),
        ("cpp/src/base/a.cc", "#include <Python.h>", "pybind11 and Python.h may not"),
        ("cpp/src/telemetry/a.cc", "#include <boost/asio.hpp>", "Boost may not"),
        ("cpp/src/base/a.cc", "#include <gtest/gtest.h>", "GoogleTest may not"),
        ("cpp/src/base/a.cc", "#include <benchmark/benchmark.h>", "Google Benchmark may not"),
        ("cpp/src/base/a.cc", "#include <fmt/format.h>", "neither ours, nor standard"),
        ("cpp/src/base/a.cc", '#  include "inferometer/gone.h"', "does not exist"),
        ("cpp/include/inferometer/a.h", "#include <unistd.h>", "standard library only"),
        ("cpp/include/inferometer/a.h", '#include "base/mutex.h"', "private base/mutex.h"),
        ("cpp/src/serving/batch_policy.cc", "#include <mutex>", "pure function"),
        ("cpp/src/serving/batch_policy.h", '#include "base/mutex.h"', "pure function"),
        ("cpp/src/network/a.cc", "#include <vector>", "not in a layer"),
        ("python/inferometer/engine.py", "import pandas", "pandas is not a dependency"),
        ("python/inferometer/engine.py", "import onnx", "onnx/ only"),
        (
            "python/inferometer/engine.py",
            "from starlette.routing import Route",
            "asgi/, serve/ only",
        ),
    ],
)
def test_a_seeded_violation_is_found(
    write: Write, tmp_path: Path, path: str, line: str, expected: str
) -> None:
    write(path, f"\n{line}\n")
    (found,) = messages(tmp_path)
    assert found.startswith(f"{path}:{1 if 'not in a layer' in expected else 2}: ")
    assert expected in found


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("cpp/src/serving/a.cc", '#include "telemetry/record/cell.h"'),
        ("cpp/src/serving/a.cc", '#include "serving/b.h"'),
        ("cpp/src/model/a.cc", '#include "backend/backend.h"'),
        ("cpp/src/base/a.cc", "#include <sys/eventfd.h>"),
        ("cpp/src/base/a.cc", "#include <condition_variable>"),
        ("cpp/src/backend/cpu_a.cc", "#include <Eigen/Core>"),
        ("cpp/bindings/a.cc", "#include <pybind11/pybind11.h>"),
        ("cpp/bindings/a.cc", '#include "gil.h"'),
        ("cpp/bench/a_bench.cc", "#include <prometheus/registry.h>"),
        ("tests/cpp/a_test.cc", '#include "serving/a.h"'),
        ("python/inferometer/engine.py", "import numpy as np"),
        ("python/inferometer/onnx/load.py", "import onnx"),
        ("python/inferometer/asgi/routes.py", "from starlette.routing import Route"),
    ],
)
def test_what_is_allowed_is_not_found(write: Write, tmp_path: Path, path: str, line: str) -> None:
    write(path, f"{line}\n")
    assert messages(tmp_path) == []


def test_a_public_header_belongs_to_the_layer_of_its_source(write: Write, tmp_path: Path) -> None:
    write("cpp/include/inferometer/engine.h", "#pragma once\n")
    write("cpp/src/serving/engine.cc", '#include "inferometer/engine.h"\n')
    write("cpp/src/telemetry/a.cc", '#include "inferometer/engine.h"\n')
    assert messages(tmp_path) == [
        "cpp/src/telemetry/a.cc:1: inferometer/engine.h is of layer serving; "
        "allowed here: base, telemetry"
    ]


def test_an_interface_belongs_to_the_highest_layer_that_it_includes(
    write: Write, tmp_path: Path
) -> None:
    write("cpp/include/inferometer/tensor.h", "#pragma once\n")
    write("cpp/src/tensor/tensor.cc", '#include "inferometer/tensor.h"\n')
    write("cpp/include/inferometer/executable.h", '#include "inferometer/tensor.h"\n')
    write("cpp/src/telemetry/a.cc", '#include "inferometer/executable.h"\n')
    (found,) = messages(tmp_path)
    assert "is of layer tensor" in found


def test_sources_do_not_include_the_table_of_contents(write: Write, tmp_path: Path) -> None:
    write("cpp/include/inferometer/inferometer.h", "#pragma once\n")
    write("cpp/src/serving/a.cc", '#include "inferometer/inferometer.h"\n')
    (found,) = messages(tmp_path)
    assert "inferometer.h is for users" in found


def test_long_files_and_vague_names_are_found(write: Write, tmp_path: Path) -> None:
    write("python/inferometer/engine.py", "\n" * 401)
    write("cpp/src/base/string_utils.h", "")
    write("tests/cpp/helpers/a.h", "")
    assert messages(tmp_path) == [
        "cpp/src/base/string_utils.h:1: a name that says nothing: utils",
        "python/inferometer/engine.py:1: 401 lines; the limit is 400",
        "tests/cpp/helpers/a.h:1: a name that says nothing: helpers",
    ]


def test_the_exit_status_tells(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("cpp/src/base/a.cc", "#include <vector>\n")
    assert check_layers.main([str(tmp_path)]) == 0
    write("cpp/src/base/a.cc", "#include <Eigen/Core>\n")
    assert check_layers.main([str(tmp_path)]) == 1
    assert "cpp/src/base/a.cc:1: Eigen" in capsys.readouterr().out
