"""Which files in a folder are a stack's: it overwrites and deletes those, and no others.

A folder may have been somebody's before it was named to a stack, and may have files whose names a
stack's have too. The stack's own are listed in a file beside them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

MANIFEST = "stack-files.json"
_KIND = "inferometer stack"


class FolderError(RuntimeError):
    """A folder whose files are not a stack's; the text says which, and what to do."""


class StackFolder:
    """A folder, and the list of what a stack keeps in it. Single-owner.

    Args:
        path: The folder; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._manifest = path / MANIFEST

    def names(self) -> set[str]:
        """The names of the stack's files and folders; empty if no stack was ever here.

        Raises:
            FolderError: There is a list, but none that a stack has written.
        """
        try:
            found = json.loads(self._manifest.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return set()
        except (OSError, ValueError):
            found = None
        if isinstance(found, dict) and found.get("kind") == _KIND:
            names = found.get("names")
            if isinstance(names, list) and all(map(_is_plain, names)):
                return set(names)
        raise FolderError(
            f"got {self._manifest}, which is no list of a stack's files: move it away, or take"
            " another folder"
        )

    def claim(self, names: Iterable[str]) -> None:
        """Notes files as the stack's, before it writes them. Makes the folder.

        Args:
            names: Of files and folders directly in the folder.

        Raises:
            FolderError: Some are there and not the stack's; nothing is noted then.
            OSError: The list cannot be written.
        """
        known = self.names()
        new = set(names) - known
        foreign = sorted(name for name in new if os.path.lexists(self.path / name))
        if foreign:
            raise FolderError(
                f"got {self.path}, which has files that no stack has written, and that one would"
                f" overwrite: {', '.join(foreign)}; move them away, or take another folder"
            )
        if not new:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        content = {"kind": _KIND, "names": sorted(known | new)}
        # Written as a whole: half a list would make its files somebody else's.
        part = self.path / f".{MANIFEST}.{os.getpid()}"
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        part.replace(self._manifest)

    def check(self) -> set[str]:
        """The names, if this is a stack's folder.

        Raises:
            FolderError: It is none.
        """
        names = self.names()
        if not names:
            raise FolderError(
                f"got {self.path}, which is no stack's folder: it has no {MANIFEST}, by which a"
                " stack knows its files; nothing is deleted"
            )
        return names

    def delete(self) -> None:
        """Deletes the stack's files and folders, and their list at last.

        Raises:
            FolderError: This is no stack's folder.
            OSError: One cannot be deleted; the list stays.
        """
        for name in sorted(self.check()):
            _delete(self.path / name)
        self._manifest.unlink()


def _is_plain(name: object) -> bool:
    """Whether that names something directly in a folder."""
    return isinstance(name, str) and name not in ("", ".", "..") and not {"/", "\0"} & set(name)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:  # of a link, the link
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
