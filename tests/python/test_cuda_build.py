"""What a build with nvcc made: a CUDA module that loads anywhere and has code for every GPU.

No GPU is needed: this looks at the file. cuobjdump would say which code is in it, but is not part
of every toolkit, so the container is read here: fat binaries, each a header and an entry for each
architecture. NVIDIA documents no more of it than the toolkit's fatbinary_section.h.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = "_cuda.so"
KINDS = {1: "ptx", 2: "elf"}


def cache_of(folder: Path) -> dict[str, str]:
    """The variables of a CMakeCache.txt."""
    entry = re.compile(r"^([^#/:\n][^:\n]*):[A-Z]+=(.*)$", re.MULTILINE)
    return dict(entry.findall((folder / "CMakeCache.txt").read_text()))


class Build(NamedTuple):
    """A build folder, the variables of its cache, and the module in it."""

    folder: Path
    variables: dict[str, str]
    module: Path


def newest_build() -> Build | str:
    """The newest build that has the module; why there is none."""
    root = Path(os.environ.get("INFEROMETER_BUILD_DIR", ROOT / "build"))
    reason = "no build below build/ (or INFEROMETER_BUILD_DIR)"
    caches = sorted(root.rglob("CMakeCache.txt"), key=lambda path: path.stat().st_mtime)
    for folder in [cache.parent for cache in reversed(caches)]:
        variables = cache_of(folder)
        built = variables.get("INFEROMETER_CUDA_BUILT")
        if built is None or variables.get("INFEROMETER_SANITIZE"):
            continue
        if built != "ON":
            reason = f"{folder.name} was built without nvcc, or with INFEROMETER_CUDA=OFF"
            continue
        modules = list(folder.rglob(MODULE))
        if modules:
            return Build(folder, variables, modules[0])
        assert not list(folder.rglob("_core*.so")), f"{folder} has _core, but no {MODULE}"
        reason = f"{folder.name} is configured with the CUDA backend, but not built"
    return reason


@pytest.fixture(scope="module")
def build() -> Build:
    found = newest_build()
    if isinstance(found, str):
        pytest.skip(found)
    return found


def run(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def section(module: bytes, wanted: str) -> bytes:
    """The content of a section of a 64-bit little-endian ELF file."""
    (table,) = struct.unpack_from("<Q", module, 0x28)
    size, count, names = struct.unpack_from("<HHH", module, 0x3A)

    def header(index: int) -> tuple[int, int, int]:
        name, _, _, _, offset, length = struct.unpack_from("<IIQQQQ", module, table + index * size)
        return name, offset, length

    strings = header(names)[1]
    for index in range(count):
        name, offset, length = header(index)
        start = strings + name
        if module[start : module.index(b"\0", start)].decode() == wanted:
            return module[offset : offset + length]
    raise AssertionError(f"no section {wanted}")


def code_in(fatbins: bytes) -> set[tuple[str, int]]:
    """("elf" or "ptx", architecture) of each entry."""
    found = set()
    magic = struct.pack("<I", 0xBA55ED50)
    at = fatbins.find(magic)
    while at >= 0:
        header_size, size = struct.unpack_from("<HQ", fatbins, at + 6)
        entry, end = at + header_size, at + header_size + size
        while entry < end:
            (kind,) = struct.unpack_from("<H", fatbins, entry)
            entry_header, entry_size = struct.unpack_from("<IQ", fatbins, entry + 4)
            (architecture,) = struct.unpack_from("<I", fatbins, entry + 28)
            found.add((KINDS.get(kind, f"kind {kind}"), architecture))
            entry += entry_header + entry_size
        at = fatbins.find(magic, end)
    return found


def wanted_code(architectures: str) -> set[tuple[str, int]]:
    """What CMAKE_CUDA_ARCHITECTURES asks for: `75-real`, `120-virtual`, `90` (both)."""
    wanted = set()
    for architecture in architectures.split(";"):
        number, _, kind = architecture.partition("-")
        wanted |= {("elf", int(number))} if kind != "virtual" else set()
        wanted |= {("ptx", int(number))} if kind != "real" else set()
    return wanted


def test_the_module_has_code_for_every_architecture(build: Build) -> None:
    wanted = wanted_code(build.variables["CMAKE_CUDA_ARCHITECTURES"])
    assert code_in(section(build.module.read_bytes(), ".nv_fatbin")) == wanted
    if shutil.which("cuobjdump") is not None:
        listed = run("cuobjdump", "--list-elf", "--list-ptx", build.module)
        assert set(re.findall(r"\.sm_(\d+)[a-z]?\.", listed)) == {str(arch) for _, arch in wanted}


def test_what_is_shipped_runs_on_turing_to_blackwell_and_on_what_comes() -> None:
    text = (ROOT / "cpp/cmake/Cuda.cmake").read_text()
    (default,) = re.findall(r"set\(CMAKE_CUDA_ARCHITECTURES\s+(\d[\w\s-]*?)\s+CACHE", text)
    real = {("elf", number) for number in (75, 80, 86, 89, 90, 100, 120)}
    assert wanted_code(";".join(default.split())) == real | {("ptx", 120)}


def test_it_exports_its_entry_points_alone(build: Build) -> None:
    exported = run("nm", "-D", "--defined-only", build.module)
    assert [line.split()[-1] for line in exported.splitlines()] == ["inferometer_cuda_module"]


def test_it_needs_nothing_of_cuda_to_load(build: Build) -> None:
    dynamic = run("readelf", "-d", build.module)
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    assert not {name for name in needed if re.match(r"lib(cuda|cublas|nv)", name)}, needed
    assert "libc.so.6" in needed
    assert not re.search(r"\((RPATH|RUNPATH)\)", dynamic)


def test_it_loads_where_there_is_no_gpu_and_knows_its_version(build: Build) -> None:
    module = ctypes.CDLL(str(build.module)).inferometer_cuda_module
    module.restype = ctypes.c_void_p
    assert module(build.variables["INFEROMETER_VERSION"].encode())
    assert not module(b"0.0.0"), "a core of another version"


def test_it_is_installed_beside_the_core(build: Build) -> None:
    scripts = "".join(path.read_text() for path in build.folder.rglob("cmake_install.cmake"))
    if "/inferometer/_core" not in scripts:
        pytest.skip(f"{build.folder.name} is a build without the Python module")
    assert "/inferometer/_cuda.so" in scripts


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("75-real;120-virtual", {("elf", 75), ("ptx", 120)}),
        ("90", {("elf", 90), ("ptx", 90)}),
    ],
)
def test_how_architectures_are_read(text: str, wanted: set[tuple[str, int]]) -> None:
    assert wanted_code(text) == wanted


def test_how_fat_binaries_are_read() -> None:
    def entry(kind: int, architecture: int, size: int) -> bytes:
        header = struct.pack("<HHIQIIHHI", kind, 0x101, 64, size, 0, 0, 0, 0, architecture)
        return header.ljust(64, b"\0") + bytes(size)

    entries = entry(2, 75, 40) + entry(1, 120, 8)
    header = struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(entries))
    assert code_in(b"\0" * 8 + header + entries) == {("elf", 75), ("ptx", 120)}
    assert code_in(b"nothing of the kind") == set()
