#!/usr/bin/env python3
"""Compares the signatures in _core.pyi with those that pybind11-stubgen reads off the built module.

mypy.stubtest proves that the names exist, but a pybind11 function has no `__signature__`, so it
does not see a wrong parameter. Here names, order, kinds and defaults of parameters must agree, and
the types too where both sides are plain Python types. The stub may say more than the module knows
(`NDArray[float32]`, a `Literal`, overloads of a raw C method): then only the parameters count.
Where the module shows nothing but `(*args, **kwargs)`, anything is accepted.

Usage: scripts/check_stub.py [STUB]
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
STUB = ROOT / "python/inferometer/_core.pyi"
MODULE = "inferometer._core"

PLAIN_TYPES = frozenset({"bool", "bytes", "float", "int", "None", "str"})
# How pybind11 writes the arguments that it converts.
SPELLINGS = {
    "typing.SupportsInt | typing.SupportsIndex": "int",
    "typing.SupportsFloat | typing.SupportsIndex": "float",
    "typing.SupportsInt": "int",
    "typing.SupportsFloat": "float",
}


class Parameter(NamedTuple):
    """One parameter: its name, how it may be passed, whether it has a default, its type."""

    name: str
    kind: str
    optional: bool
    annotation: str

    def __str__(self) -> str:
        """The parameter as in a signature."""
        return f"{self.name}{': ' + self.annotation if self.annotation else ''}" + (
            " = ..." if self.optional else ""
        )


class Signature(NamedTuple):
    """One overload: its parameters and what it returns."""

    parameters: tuple[Parameter, ...]
    returns: str

    def __str__(self) -> str:
        """The signature as in a stub."""
        return f"({', '.join(map(str, self.parameters))}) -> {self.returns or '?'}"

    @property
    def opaque(self) -> bool:
        """Whether this is all that is known: (*args, **kwargs)."""
        kinds = {parameter.kind for parameter in self.parameters if parameter.name != "self"}
        return kinds == {"var", "varkw"}

    @property
    def untyped(self) -> bool:
        """Whether it says nothing about types: that of a raw C method."""
        return not self.returns and not any(one.annotation for one in self.parameters)


def plain(annotation: ast.expr | None) -> str:
    """Returns an annotation in one spelling, alternatives sorted; "" if it is not plain."""
    if annotation is None:
        return ""
    text = ast.unparse(annotation)
    for spelled, meant in SPELLINGS.items():
        text = text.replace(spelled, meant)
    parts = {part.strip() for part in text.split("|")}
    return " | ".join(sorted(parts)) if parts <= PLAIN_TYPES else ""


def signature(function: ast.FunctionDef | ast.AsyncFunctionDef, method: bool) -> Signature:
    """Reads one `def`; the name of `self` and `cls` does not matter."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    parameters = []
    for index, argument in enumerate(positional):
        # pybind11 calls a parameter without a name arg0, arg1, ...: only its position counts.
        unnamed = re.fullmatch(r"arg\d+", argument.arg) is not None
        only = index < len(arguments.posonlyargs) or unnamed
        parameters.append(
            Parameter(
                argument.arg,
                "positional" if only else "any",
                index >= first_default,
                plain(argument.annotation),
            )
        )
    if arguments.vararg:
        parameters.append(Parameter(arguments.vararg.arg, "var", False, ""))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters.append(
            Parameter(argument.arg, "keyword", default is not None, plain(argument.annotation))
        )
    if arguments.kwarg:
        parameters.append(Parameter(arguments.kwarg.arg, "varkw", False, ""))
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    if method and "staticmethod" not in decorators and parameters:
        parameters[0] = Parameter("self", "any", False, "")
    return Signature(tuple(parameters), plain(function.returns))


def signatures(tree: ast.Module) -> dict[str, list[Signature]]:
    """Returns the overloads of every function and method by its dotted name."""
    found: dict[str, list[Signature]] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                setter = any(ast.unparse(d).endswith(".setter") for d in node.decorator_list)
                name = prefix + node.name + (" (setter)" if setter else "")
                found.setdefault(name, []).append(signature(node, method=bool(prefix)))

    visit(tree.body, "")
    return found


def same_parameter(stub: Parameter, module: Parameter) -> bool:
    """Whether two parameters agree; a position-only one may have any name."""
    if stub.kind != module.kind or stub.optional != module.optional:
        return False
    if stub.kind != "positional" and stub.name != module.name:
        return False
    both = stub.annotation and module.annotation
    return not both or stub.annotation == module.annotation


def same(stub: Signature, module: Signature) -> bool:
    """Whether a signature of the stub agrees with one of the module."""
    if module.opaque:
        return True
    if len(stub.parameters) != len(module.parameters):
        return False
    if stub.returns and module.returns and stub.returns != module.returns:
        return False
    return all(map(same_parameter, stub.parameters, module.parameters))


def differences(stub: ast.Module, module: ast.Module) -> Iterator[str]:
    """Yields what differs, one line a function."""
    ours, theirs = signatures(stub), signatures(module)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs:
            # Inherited or set from Python, or gone: stubtest knows which.
            continue
        written, read = ours.get(name), theirs[name]
        if written is None:
            if not name.rsplit(".", 1)[-1].startswith("_"):
                yield f"{name}: not in the stub; the module has {read[0]}"
        elif (
            len(written) != len(read)
            and not any(overload.opaque for overload in read)
            and not (len(read) == 1 and read[0].untyped)
        ):
            yield f"{name}: {len(written)} overloads in the stub, {len(read)} in the module"
        else:
            for overload in written:
                if not any(same(overload, other) for other in read):
                    seen = "; ".join(map(str, read))
                    yield f"{name}: the stub has {overload}, the module {seen}"


def read_module(folder: Path) -> ast.Module:
    """Runs pybind11-stubgen on the installed module."""
    command = [sys.executable, "-m", "pybind11_stubgen", "--ignore-all-errors"]
    done = subprocess.run(
        [*command, "-o", str(folder), MODULE], capture_output=True, text=True, check=False
    )
    path = folder / "inferometer/_core.pyi"
    if done.returncode != 0 or not path.exists():
        raise SystemExit(f"pybind11-stubgen failed:\n{done.stdout}{done.stderr}")
    return ast.parse(path.read_text(encoding="utf-8"))


def main(arguments: list[str]) -> int:
    """Prints the differences; 1 if there are any."""
    stub = ast.parse(Path(arguments[0] if arguments else STUB).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        module = read_module(Path(folder))
    found = list(differences(stub, module))
    for line in found:
        print(f"_core.pyi: {line}")
    if not found:
        print(f"_core.pyi: {len(signatures(module))} functions and methods agree with the module")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
