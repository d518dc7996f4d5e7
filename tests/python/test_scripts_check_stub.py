"""check_stub.py sees what stubtest does not: wrong parameters of pybind11 functions."""

from __future__ import annotations

import ast

import pytest

import check_stub


def found(stub: str, module: str) -> list[str]:
    return list(check_stub.differences(ast.parse(stub), ast.parse(module)))


MODULE = """
class Engine:
    def __init__(self, name: str, limit: typing.SupportsInt | typing.SupportsIndex = 4) -> None: ...
    def close(self) -> None: ...
    @property
    def depth(self) -> int: ...
    @staticmethod
    def open(arg0: str) -> Engine: ...
"""


def test_the_same_signatures_agree() -> None:
    stub = """
class Engine:
    def __init__(self, name: str, limit: int = 4) -> None: ...
    def close(self) -> None: ...
    @property
    def depth(self) -> int: ...
    @staticmethod
    def open(path: str, /) -> Engine: ...
"""
    assert found(stub, MODULE) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("name: str,", "title: str,"),
        ("name: str,", "name: int,"),
        ("name: str,", "name: str | None,"),
        ("limit: typing.SupportsInt | typing.SupportsIndex = 4", "limit: int"),
        ("limit: typing.SupportsInt | typing.SupportsIndex = 4", "*, limit: int = 4"),
        ("def close(self) -> None", "def close(self, hard: bool) -> None"),
        ("def close(self) -> None", "def close(self) -> int"),
        ("def depth(self) -> int", "def depth(self) -> str"),
    ],
)
def test_a_wrong_parameter_type_or_arity_is_found(right: str, wrong: str) -> None:
    assert right in MODULE
    (difference,) = found(MODULE.replace(right, wrong), MODULE)
    assert difference.startswith("Engine.")


def test_a_method_that_the_stub_lacks_is_found() -> None:
    stub = "class Engine:\n    def close(self) -> None: ...\n"
    assert [line.split(":")[0] for line in found(stub, MODULE)] == ["Engine.depth", "Engine.open"]


def test_overloads_are_matched_in_any_order() -> None:
    module = "def f(x: int) -> int: ...\ndef f(x: str) -> str: ..."
    swapped = "def f(x: str) -> str: ...\ndef f(x: int) -> int: ..."
    assert found(swapped, module) == []
    (difference,) = found("def f(x: int) -> int: ...", module)
    assert "1 overloads in the stub, 2 in the module" in difference


def test_the_stub_may_say_more_than_the_module_knows() -> None:
    module = "def f(x: object, y: int = 1) -> numpy.ndarray: ...\ndef g(*args, **kwargs): ..."
    stub = "def f(x: NDArray[float32], y: int = 1) -> NDArray[float32]: ...\ndef g(a: int): ..."
    assert found(stub, module) == []


def test_overloads_of_a_raw_method_must_each_have_its_parameters() -> None:
    module = "def f(x, y=1): ..."
    right = "def f(x: int, y: int = 1) -> int: ...\ndef f(x: str, y: int = 1) -> str: ..."
    assert found(right, module) == []
    (difference,) = found(right.replace("x: str", "z: str"), module)
    assert "the stub has" in difference
