#!/usr/bin/env python3
"""Checks who includes whom. Standard library only.

Usage: scripts/check_layers.py [ROOT]

Prints one line a finding, `path:line: what is wrong`, and exits 1 if there is any. The rules are
the tables below; docs/architecture.md says why they are so.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# A layer of cpp/src and the layers it may include, besides itself.
LAYERS: dict[str, frozenset[str]] = {
    "base": frozenset(),
    "tensor": frozenset({"base"}),
    "telemetry": frozenset({"base"}),
    "serving": frozenset({"telemetry", "tensor", "base"}),
    "backend": frozenset({"tensor", "base"}),
    "model": frozenset({"serving", "backend", "telemetry", "tensor", "base"}),
    "monitor": frozenset({"telemetry", "tensor", "base"}),
    "exposition": frozenset({"telemetry", "tensor", "base"}),
}

# One third-party library, one place. First match of the include path wins; the second pattern is
# matched against the including file. Tests and benches may use what they test or compare with.
THIRD_PARTY: tuple[tuple[str, str, str], ...] = (
    (r"pybind11/|Python\.h$|structmember\.h$|numpy/", r"cpp/bindings/", "pybind11 and Python.h"),
    (r"Eigen/|unsupported/Eigen/", r"cpp/src/backend/cpu_|tests/cpp/|cpp/bench/", "Eigen"),
    (r"cuda|cublas|cudnn|nvtx", r"cpp/src/backend/cuda/|tests/", "CUDA and cuBLAS"),
    (r"nvml\.h$", r"tests/", "NVML's header"),  # the library declares what it uses itself
    (r"zlib\.h", r"cpp/src/telemetry/|tests/cpp/|cpp/bench/", "zlib"),
    (r"prometheus/", r"cpp/src/telemetry/|tests/cpp/|cpp/bench/", "prometheus-cpp"),
    (r"boost/", r"cpp/src/exposition/|tests/cpp/", "Boost"),
    (r"gtest/|gmock/", r"tests/cpp/", "GoogleTest"),
    (r"benchmark/", r"cpp/bench/", "Google Benchmark"),
    (r"sanitizer/", r"tests/", "the sanitizers"),
)

# Standard headers are the only ones without a folder and without a suffix.
CPP_STANDARD = re.compile(r"[a-z_]+$")
# What Linux and the compiler offer: for sources, not for public headers.
PLATFORM = re.compile(
    r"(sys|linux|netinet|arpa|net)/|"
    r"(cxxabi|dirent|dlfcn|endian|errno|fcntl|immintrin|link|malloc|netdb|poll|pthread|sched|semaphore|"
    r"signal|stdint|strings|time|ucontext|unistd)\.h$"
)

# Where a file may include a neighbour in the same folder by its name alone.
NEIGHBOURS = ("cpp/bindings/", "cpp/bench/", "tests/cpp/", "tests/fakes/")

# batch_policy is a pure function: no threads, no locks, no clock of its own.
POLICY = re.compile(r"(^|/)batch_policy\.(h|cc)$")
POLICY_FORBIDDEN = re.compile(
    r"(atomic|barrier|condition_variable|future|latch|mutex|semaphore|shared_mutex|stop_token|thread)"
    r"$|base/(futex|mutex|clock)\.h$|inferometer/clock\.h$"
)

# Third-party Python packages and where in python/inferometer they may be imported ("" = anywhere).
PYTHON_PACKAGES: dict[str, tuple[str, ...]] = {
    "numpy": ("",),
    "onnx": ("onnx/", "monitoring/drill/"),
    "anyio": ("asgi/", "serve/"),  # comes with starlette
    "starlette": ("asgi/", "serve/"),
    "uvicorn": ("asgi/", "serve/"),
    "google": ("onnx/", "repository/"),  # protobuf
    "yaml": ("monitoring/", "testing/"),
    "promql_parser": ("asgi/dashboard/", "monitoring/", "testing/"),
    "pytest": ("testing/",),
    "sklearn": ("monitoring/stack/",),  # its digits, where there is one
}

LINE_LIMIT = 400
SOURCE_FOLDERS = ("cpp", "python", "tests", "scripts", "examples")
SOURCE_SUFFIXES = (".h", ".cc", ".cu", ".cuh", ".py", ".sh")
VAGUE_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "misc"})

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


class Finding(NamedTuple):
    """One broken rule: path relative to the root, line (1: the whole file), what is wrong."""

    path: str
    line: int
    message: str


def source_files(root: Path) -> Iterator[Path]:
    """Yields our source files below `root`, in order."""
    for folder in SOURCE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SOURCE_SUFFIXES and path.is_file():
                yield path


def includes(path: Path) -> list[tuple[int, str]]:
    """Returns (line number, included path) for each #include of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = ((number, INCLUDE.match(line)) for number, line in enumerate(lines, 1))
    return [(number, match.group(1)) for number, match in found if match]


def layer_rank(layer: str) -> int:
    """Orders layers so that a layer comes after all it may include."""
    return len(LAYERS[layer])


class PublicHeaders:
    """Which layer each public header belongs to.

    A header belongs to the layer that has a source of its name; a header without one (an interface)
    to the highest layer among the headers it includes. inferometer.h lists them all and is above.
    """

    def __init__(self, root: Path) -> None:
        """Reads cpp/include and the names of the sources under `root`."""
        folder = root / "cpp/include"
        self._layer_of_source = {
            source.stem: source.relative_to(root / "cpp/src").parts[0]
            for source in (root / "cpp/src").rglob("*.cc")
        }
        self._headers = {str(path.relative_to(folder)): path for path in folder.rglob("*.h")}

    def layer(self, header: str) -> str | None:
        """Returns the layer of `header` ("inferometer/x.h"), None for one that does not exist."""
        return self._layer(header, ())

    def _layer(self, header: str, seen: tuple[str, ...]) -> str | None:
        path = self._headers.get(header)
        if path is None or header in seen:
            return None
        layer = self._layer_of_source.get(path.stem)
        if layer in LAYERS:
            return layer
        below = (self._layer(name, (*seen, header)) for _, name in includes(path))
        return max((name for name in below if name), key=layer_rank, default="base")


def own_layer(name: str, headers: PublicHeaders) -> str | None:
    """Returns the layer of an included path of ours, None if it is not ours."""
    if name.startswith("inferometer/"):
        return headers.layer(name) or "unknown"
    top = name.split("/", 1)[0]
    return top if "/" in name and top in LAYERS else None


def allowed_layers(path: str, headers: PublicHeaders) -> frozenset[str] | None:
    """Returns the layers that the file at `path` may include; None for any."""
    layer: str | None = None
    if path.startswith("cpp/src/"):
        layer = path.split("/")[2]
    elif path.startswith("cpp/include/") and not path.endswith("inferometer/inferometer.h"):
        layer = headers.layer(path.removeprefix("cpp/include/"))
    if layer is None:
        return None
    return LAYERS.get(layer, frozenset()) | {layer}


def check_include(path: str, name: str, headers: PublicHeaders) -> str | None:
    """Returns what is wrong with `path` including `name`, or None."""
    if POLICY.search(path) and POLICY_FORBIDDEN.search(name):
        return f"batch_policy is a pure function: it may not include {name}"
    public = path.startswith("cpp/include/")
    layer = own_layer(name, headers)
    if layer is not None:
        if layer == "unknown":
            return f"{name} does not exist in cpp/include"
        if name == "inferometer/inferometer.h" and path.startswith("cpp/src/"):
            return "inferometer.h is for users: include the header that is needed"
        if public and not name.startswith("inferometer/"):
            return f"a public header may not include the private {name}"
        allowed = allowed_layers(path, headers)
        if allowed is not None and layer not in allowed:
            return f"{name} is of layer {layer}; allowed here: {', '.join(sorted(allowed))}"
        return None
    if CPP_STANDARD.match(name):
        return None
    if public:
        return f"public headers include the standard library only, not {name}"
    for pattern, place, library in THIRD_PARTY:
        if re.match(pattern, name):
            return None if re.match(place, path) else f"{library} may not be included here ({name})"
    if PLATFORM.match(name):
        return None
    if "/" not in name and path.startswith(NEIGHBOURS):
        return None
    return f"{name} is neither ours, nor standard, nor a library listed in check_layers.py"


def check_python(root: Path, path: Path) -> Iterator[Finding]:
    """Yields the forbidden imports of a file of the package."""
    name = str(path.relative_to(root))
    inside = str(path.relative_to(root / "python/inferometer"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), name)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            modules = [node.module]
        else:
            continue
        for module in modules:
            top = module.split(".")[0]
            if top == "inferometer" or top in sys.stdlib_module_names:
                continue
            places = PYTHON_PACKAGES.get(top)
            if places is None:
                yield Finding(name, node.lineno, f"{top} is not a dependency of the package")
            elif not inside.startswith(places):
                where = ", ".join(places)
                yield Finding(name, node.lineno, f"{top} may be imported in {where} only")


def check(root: Path) -> list[Finding]:
    """Returns every finding below `root`, in order."""
    headers = PublicHeaders(root)
    findings: list[Finding] = []
    for path in source_files(root):
        name = str(path.relative_to(root))
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > LINE_LIMIT:
            findings.append(Finding(name, 1, f"{lines} lines; the limit is {LINE_LIMIT}"))
        vague = VAGUE_NAMES.intersection(re.split(r"[/._-]", name))
        if vague:
            findings.append(Finding(name, 1, f"a name that says nothing: {', '.join(vague)}"))
        if name.startswith("cpp/src/") and name.split("/")[2] not in LAYERS:
            findings.append(Finding(name, 1, "not in a layer that check_layers.py knows"))
        elif path.suffix in (".h", ".cc", ".cu", ".cuh"):
            for number, included in includes(path):
                message = check_include(name, included, headers)
                if message:
                    findings.append(Finding(name, number, message))
        elif name.startswith("python/inferometer/"):
            findings.extend(check_python(root, path))
    return findings


def main(arguments: list[str]) -> int:
    """Prints the findings under the given root (default: the repository); 1 if there are any."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    findings = check(root)
    for finding in findings:
        print(f"{finding.path}:{finding.line}: {finding.message}")
    if not findings:
        print(f"layers: {sum(1 for _ in source_files(root))} files, no findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
