"""A model repository: which models lie in a folder, and which version of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inferometer._core import ConfigError
from inferometer.repository.model_config import ModelConfig, read_config

_LAYOUT = "NAME/config.pbtxt and NAME/1/model.onnx"


@dataclass(frozen=True, slots=True)
class RepositoryModel:
    """A model that lies in a repository, not loaded yet.

    Attributes:
        name: The name of its folder.
        version: The highest one that is there.
        path: Its ``model.onnx``.
        config: What its config.pbtxt says.
    """

    name: str
    version: str
    path: Path
    config: ModelConfig


def read_repository(folder: Path) -> list[RepositoryModel]:
    """Reads Triton's layout: ``NAME/config.pbtxt`` and ``NAME/<version>/model.onnx``.

    Args:
        folder: The repository. Files and hidden folders in it are passed over.

    Returns:
        Its models, by name.

    Raises:
        ConfigError: There is no such folder, no model in it, or a model that cannot be served.
    """
    try:
        entries = sorted(folder.iterdir())
    except NotADirectoryError:
        raise ConfigError(f"{folder}: got a file, want a folder with {_LAYOUT}") from None
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be read ({error.strerror}), want a folder with {_LAYOUT}"
        ) from None
    names = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    if not names:
        raise ConfigError(f"{folder}: got no models, want {_LAYOUT}")
    return [_read_model(entry) for entry in names]


def _read_model(folder: Path) -> RepositoryModel:
    config = folder / "config.pbtxt"
    _check_file(config, f"{folder}: got no config.pbtxt, want {_LAYOUT}")
    version = _highest_version(folder)
    path = folder / version / "model.onnx"
    there = sorted(entry.name for entry in path.parent.iterdir())[:5]
    _check_file(path, f"{path.parent}: got {', '.join(there) or 'nothing'}, want model.onnx")
    return RepositoryModel(folder.name, version, path, read_config(config))


def _check_file(path: Path, absent: str) -> None:
    if path.is_file():
        return
    if path.is_dir():
        got = "a folder"
    elif path.exists():
        got = "something that is no file"
    elif path.is_symlink():
        got = f"a link to {str(path.readlink())!r}, which is not there"
    else:
        raise ConfigError(absent)
    raise ConfigError(f"{path}: got {got}, want a file")


def _highest_version(folder: Path) -> str:
    versions = [
        entry.name
        for entry in folder.iterdir()
        # Triton passes over names that do not begin with 1 to 9, too.
        if entry.is_dir() and entry.name.isascii() and entry.name.isdigit() and entry.name[0] != "0"
    ]
    if not versions:
        raise ConfigError(f"{folder}: got no version, want a folder named 1, 2, ...")
    return max(versions, key=lambda name: (len(name), name))
