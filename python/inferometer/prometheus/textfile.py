"""Writing a registry to a file, for the node exporter's textfile collector."""

from __future__ import annotations

import contextlib
import os
import threading

from inferometer.prometheus.escaping import ALLOWUTF8
from inferometer.prometheus.registry import Collector
from inferometer.prometheus.text_format import generate_latest


def write_to_textfile(
    path: str, registry: Collector, escaping: str = ALLOWUTF8, tmpdir: str | None = None
) -> None:
    """Writes a registry to a file; readers see the old or the new content, never a part.

    Args:
        path: The file; the collector wants a name that ends in ``.prom``.
        registry: What to write.
        escaping: How names are written that Prometheus 2 does not know.
        tmpdir: Where to write first, on the same file system; None: beside `path`.

    Raises:
        OSError: If the file cannot be written.
    """
    base = path if tmpdir is None else os.path.join(tmpdir, os.path.basename(path))
    temporary = f"{base}.{os.getpid()}.{threading.get_ident()}"
    try:
        with open(temporary, "wb") as file:
            file.write(generate_latest(registry, escaping))
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise
