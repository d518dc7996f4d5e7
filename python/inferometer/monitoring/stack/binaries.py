"""Prometheus and Alertmanager as programs: where they are, and how to get them without root.

    python3 python/inferometer/monitoring/stack/binaries.py [--fetch FOLDER]

Debian's packages are downloaded with apt and unpacked into a folder: nothing is installed, no
service is started, nothing outside the folder is written. Needs the standard library only, so that
it runs as a script before the package is built.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TOOLS_VARIABLE = "INFEROMETER_TOOLS"
DOWNLOAD_SECONDS = 300.0
# What each program is called: Debian's Alertmanager has another name than upstream's.
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("alertmanager", "prometheus-alertmanager"),
    "amtool": ("amtool",),
}
PACKAGES = ("prometheus", "prometheus-alertmanager")
# apt with lists and cache of its own: works as any user, also where the system's lists are empty.
_APT_OPTIONS = (
    "Debug::NoLocking=1",
    "APT::Sandbox::User=",
    "Acquire::http::Timeout=20",
    "Acquire::https::Timeout=20",
    "Acquire::Retries=1",
    "Acquire::Languages=none",
)


class ToolsError(RuntimeError):
    """Programs that are not there and cannot be had; the text says what to do."""


@dataclass(frozen=True)
class Tools:
    """The paths of the four programs."""

    prometheus: Path
    promtool: Path
    alertmanager: Path
    amtool: Path


def project_root() -> Path | None:
    """The project's sources that this file belongs to; None where the package is installed."""
    root = Path(__file__).resolve().parents[4]
    return root if (root / "scripts/fetch_prometheus.sh").exists() else None


def cache_folder() -> Path:
    """Where programs are unpacked: ``build/tools`` in the project's sources, else the user's cache.

    ``INFEROMETER_CACHE`` names another folder for the latter.
    """
    root = project_root()
    if root is not None:
        return root / "build/tools"
    cache = os.environ.get("INFEROMETER_CACHE")
    if cache:
        return Path(cache) / "tools"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inferometer/tools"


def programs_in(folder: Path) -> Path:
    """The folder of the programs that `fetch` unpacked into ``folder``."""
    return folder / "prometheus/usr/bin"


def _search_path(folder: Path | None) -> list[Path]:
    places = []
    named = os.environ.get(TOOLS_VARIABLE)
    if named:
        if not Path(named).is_dir():
            raise ToolsError(f"{TOOLS_VARIABLE}: got {named!r}, want a folder with {_names()}")
        places.append(Path(named))
    places += [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    places.append(programs_in(folder or cache_folder()))
    return places


def _names() -> str:
    return ", ".join(PROGRAMS)


def _find(places: Sequence[Path]) -> dict[str, Path]:
    found = {}
    for program, names in PROGRAMS.items():
        candidates = [place / name for place in places for name in names]
        for candidate in candidates:
            if candidate.is_file() and os.access(candidate, os.X_OK):
                found[program] = candidate.resolve()
                break
    return found


def find(folder: Path | None = None) -> Tools:
    """Finds the programs: in ``$INFEROMETER_TOOLS``, on ``PATH``, then where they were unpacked.

    Args:
        folder: Where `fetch` unpacks; None: `cache_folder`.

    Raises:
        ToolsError: Some are nowhere, or ``INFEROMETER_TOOLS`` names no folder.
    """
    places = _search_path(folder)
    found = _find(places)
    missing = [program for program in PROGRAMS if program not in found]
    if missing:
        raise ToolsError(
            f"{', '.join(missing)}: not found in {TOOLS_VARIABLE}"
            f" ({os.environ.get(TOOLS_VARIABLE) or 'not set'}), on PATH, or in {places[-1]}"
        )
    return Tools(**found)


def find_or_fetch(folder: Path | None = None) -> Tools:
    """As `find`; what is nowhere is fetched first, which is said on stderr.

    Raises:
        ToolsError: They are nowhere and cannot be fetched.
    """
    _search_path(folder)  # a wrong INFEROMETER_TOOLS is an error, not a reason to download
    try:
        return find(folder)
    except ToolsError as missing:
        try:
            fetch(folder or cache_folder())
        except ToolsError as error:
            raise ToolsError(f"{missing}\n{error}") from None
    return find(folder)


def fetch(folder: Path) -> Path:
    """Unpacks Debian's packages into a folder, unless that has been done.

    Returns:
        The folder of the programs.

    Raises:
        ToolsError: No apt here, or the download failed or took more than five minutes.
    """
    programs = programs_in(folder)
    if _find([programs]).keys() == PROGRAMS.keys():
        return programs
    for command in ("apt-get", "dpkg-deb"):
        if shutil.which(command) is None:
            raise ToolsError(
                f"{command} is not here, so Debian's packages cannot be fetched. Install Prometheus"
                " and Alertmanager (https://prometheus.io/download/) so that they are on PATH, or"
                f" name their folder in {TOOLS_VARIABLE}"
            )
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "fetch.lock"):
        if _find([programs]).keys() == PROGRAMS.keys():
            return programs  # another process has done it meanwhile
        print(f"fetching {' and '.join(PACKAGES)} (Debian) into {folder} ...", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=folder, prefix="unpack-") as temporary:
            tree = Path(temporary) / "prometheus"
            for package in _download(Path(temporary), folder / "apt"):
                _run(["dpkg-deb", "-x", str(package), str(tree)], time.monotonic() + 60)
            missing = PROGRAMS.keys() - _find([tree / "usr/bin"]).keys()
            if missing:
                raise ToolsError(f"the packages {PACKAGES} have no {', '.join(sorted(missing))}")
            with contextlib.suppress(FileNotFoundError):
                (folder / "prometheus").rename(Path(temporary) / "old")
            tree.rename(folder / "prometheus")
    return programs


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str], deadline: float, folder: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=max(deadline - time.monotonic(), 0.1),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolsError(f"{command[0]}: not done within {DOWNLOAD_SECONDS:g} s") from None
    except OSError as error:
        raise ToolsError(f"{command[0]}: {error.strerror}") from None
    if done.returncode != 0:
        raise ToolsError(f"{' '.join(command[-3:])}: {done.stdout.strip()[-600:]}")


def _download(folder: Path, private: Path) -> list[Path]:
    """Downloads the packages; with the system's lists if they know them, else with fresh ones."""
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    options = [f"-o{option}" for option in _APT_OPTIONS]
    download = ["download", "-qq", *PACKAGES]
    try:
        _run(["apt-get", *options, *download], deadline, folder)
    except ToolsError as first:
        print("apt's lists do not help; getting fresh ones ...", file=sys.stderr)
        for needed in ("lists/partial", "cache/archives/partial"):
            (private / needed).mkdir(parents=True, exist_ok=True)
        options += [f"-oDir::State::lists={private}/lists", f"-oDir::Cache={private}/cache"]
        # A list that cannot be had may not matter; whether it does, the download says.
        with contextlib.suppress(ToolsError):
            _run(["apt-get", *options, "update", "-qq"], deadline)
        try:
            _run(["apt-get", *options, *download], deadline, folder)
        except ToolsError as second:
            raise ToolsError(
                f"could not download {' and '.join(PACKAGES)}. With the system's package lists:"
                f" {first}\nWith fresh lists: {second}\nInstall Prometheus and Alertmanager so that"
                f" they are on PATH, or name their folder in {TOOLS_VARIABLE}"
            ) from None
    return sorted(folder.glob("*.deb"))


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the folder of the programs, or with ``--fetch`` unpacks them first."""
    parser = argparse.ArgumentParser(description="Find or fetch Prometheus and Alertmanager.")
    parser.add_argument("--fetch", type=Path, metavar="FOLDER", help="unpack into this folder")
    arguments = parser.parse_args(argv)
    try:
        if arguments.fetch is not None:
            print(fetch(arguments.fetch.absolute()))
        else:
            for program, path in vars(find()).items():
                print(f"{program} {path}")
    except ToolsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
