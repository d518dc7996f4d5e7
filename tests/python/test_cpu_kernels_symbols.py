"""The CPU kernels of several instruction sets must not share code.

Templates become weak symbols, and of weak symbols with one name the linker keeps one, for every
caller. With Eigen that once meant that all kernels ran the same instruction set, chosen by the
order on the link line, or died with SIGILL on an older processor. Every unit renames the namespace
Eigen; this test looks at the objects.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = "libinferometer_cpu_kernels.a"

# Data, equal in every object: the address of the exception handler.
HARMLESS = {"DW.ref.__gxx_personality_v0"}


def shared_symbols(archive: Path) -> set[str]:
    """Symbols that more than one object of an archive defines for the linker to merge or choose."""
    listing = subprocess.run(
        ["nm", "--defined-only", "--print-file-name", archive],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    owners: dict[str, set[str]] = defaultdict(set)
    for line in listing.splitlines():
        place, _, rest = line.rpartition(":")
        kind, name = rest.split()[-2:]
        if kind.isupper() or kind in "uvw":  # small letters are local
            owners[name].add(place)
    return {name for name, objects in owners.items() if len(objects) > 1} - HARMLESS


def archives() -> list[Path]:
    """Archives of ordinary builds (sanitizers add symbols of their own), newest first."""
    root = Path(os.environ.get("INFEROMETER_BUILD_DIR", ROOT / "build"))
    found = []
    for archive in root.rglob(ARCHIVE):
        caches = (folder / "CMakeCache.txt" for folder in archive.parents)
        cache = next(path for path in caches if path.exists()).read_text()
        sanitized = re.search(r"^INFEROMETER_SANITIZE:STRING=.+$", cache, re.MULTILINE)
        if "CMAKE_BUILD_TYPE:STRING=Release\n" in cache and not sanitized:
            found.append(archive)
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def test_no_symbol_is_shared() -> None:
    found = archives()
    if not found:
        pytest.skip(f"no Release build with {ARCHIVE} below build/ (or INFEROMETER_BUILD_DIR)")
    members = subprocess.run(
        ["ar", "t", found[0]], capture_output=True, text=True, check=True
    ).stdout.split()
    if len(members) == 1:
        pytest.skip("this processor has one set of kernels")
    assert len(members) == 3
    assert shared_symbols(found[0]) == set()


@pytest.mark.parametrize("renamed", [True, False])
def test_the_check_finds_a_missing_rename(tmp_path: Path, renamed: bool) -> None:
    """The same two units with and without the rename, as a template library would be used."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not there")
    (tmp_path / "unit.cc").write_text(
        "namespace Library {\n"
        "template <typename T> __attribute__((noinline)) T twice(T x) { return x + x; }\n"
        "}\n"
        "float UNIT(float x) { return Library::twice(x); }\n"
    )
    objects = []
    for isa in ("v2", "v3"):
        target = tmp_path / f"{isa}.o"
        flags = [f"-DLibrary=Library_{isa}"] if renamed else []
        subprocess.run(
            ["g++", "-O2", "-c", f"-DUNIT=unit_{isa}", *flags, tmp_path / "unit.cc", "-o", target],
            check=True,
        )
        objects.append(target)
    archive = tmp_path / "units.a"
    subprocess.run(["ar", "crs", archive, *objects], check=True)
    shared = shared_symbols(archive)
    assert (shared == set()) is renamed
    assert renamed or any("twice" in name for name in shared)
