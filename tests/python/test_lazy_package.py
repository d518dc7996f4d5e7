"""The package itself: what importing it loads, and that nobody notices that it loads later."""

from __future__ import annotations

import subprocess
import sys

import pytest

import inferometer as im
from conftest import ROOT


def run(program: str) -> str:
    """The output of a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT / "tests",
    )
    return done.stdout.strip()


def test_importing_loads_no_native_module() -> None:
    program = "import inferometer, sys; print('numpy' in sys.modules, 'inferometer._core' in {})"
    assert run(program.format("sys.modules")) == "False False"


def test_every_name_is_there() -> None:
    program = "import inferometer as im; print([getattr(im, name) is None for name in im.__all__])"
    assert "True" not in run(program)


def test_a_star_import_brings_them_all() -> None:
    program = "from inferometer import *; import inferometer as im; print({*im.__all__} - {*dir()})"
    assert run(program) == "set()"


def test_dir_names_them_all_before_they_are_loaded() -> None:
    program = "import inferometer as im; print({*im.__all__} - {*dir(im)}, '_core' in dir(im))"
    assert run(program) == "set() True"


@pytest.mark.parametrize(
    "first",
    ["inferometer.batched", "inferometer.engine", "inferometer._core", "inferometer.simulation"],
)
def test_batched_is_the_function_whatever_was_imported_first(first: str) -> None:
    # There is a module of that name too, which the import system makes an attribute.
    assert run(f"import {first}, inferometer; print(inferometer.batched.__name__)") == "batched"
    assert run(f"import {first}, inferometer; print(callable(inferometer.batched))") == "True"


def test_modules_of_the_package_are_attributes() -> None:
    assert run("import inferometer; print(inferometer._core.Registry.__name__)") == "Registry"
    assert run("import inferometer; print(inferometer.batching.Batching.__name__)") == "Batching"


def test_a_name_is_looked_up_once() -> None:
    assert run("import inferometer as im; im.Engine; print('Engine' in vars(im))") == "True"


def test_names_that_do_not_exist() -> None:
    with pytest.raises(AttributeError, match="module 'inferometer' has no attribute 'nothing'"):
        im.nothing  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'nothing' from 'inferometer'"):
        exec("from inferometer import nothing")
