"""Writing the files into a folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from inferometer.monitoring.files.rendering import names, render
from inferometer.monitoring.settings import Settings
from inferometer.monitoring.value_checks import config_error


def _present(path: Path) -> str | None:
    """What is in the file, None without one; what is no text is no text of ours."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        return ""


def _replace(path: Path, text: str) -> None:
    """Writes all or nothing: a Prometheus that reloads meanwhile reads whole files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)  # containers read them as another user
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write(folder: str | Path, settings: Settings, *, force: bool = False) -> list[Path]:
    """Writes all files of the settings' format; what is there and the same is left alone.

    Args:
        folder: Where to; it is made.
        settings: What they are written for.
        force: Overwrites files that are there and differ. Without it nothing is written then.

    Returns:
        The path of each file, in the order of ``names(settings)``.

    Raises:
        ConfigError: A file is there and differs; the folder cannot be written to.
    """
    folder = Path(folder)
    texts = {folder / name: render(name, settings) for name in names(settings)}
    try:
        present = {path: _present(path) for path in texts}
        changed = [path for path, text in present.items() if text not in (None, texts[path])]
        if changed and not force:
            listed = ", ".join(str(path.relative_to(folder)) for path in changed)
            raise config_error(
                "folder",
                str(folder),
                f"one without other versions of {listed}, or force=True",
            )
        for path, text in texts.items():
            if present[path] != text:
                _replace(path, text)
    except OSError as error:
        raise config_error(
            "folder", str(folder), f"a folder that can be written to ({error})"
        ) from None
    return list(texts)
