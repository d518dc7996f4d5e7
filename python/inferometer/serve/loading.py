"""Loading what a service serves, with a word to whoever waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from inferometer._core import ConfigError
from inferometer.repository import read_repository
from inferometer.serve.served_model import ServedModel, delay_model, load_model


class Progress:
    """Says what is being loaded, if that takes long. A context manager; thread-safe.

    Args:
        write: Takes a line.
        seconds: How long is long.
    """

    def __init__(self, write: Callable[[str], None], seconds: float = 2.0) -> None:
        self._write = write
        self._seconds = seconds
        self._begin = time.monotonic()
        self._what = "the repository"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loading", daemon=True)

    def at(self, what: str) -> None:
        """Says what is loaded from now on."""
        self._what = what

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            self._write(f"loading {self._what}, {time.monotonic() - self._begin:.0f} s so far")

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()


def load_repository(
    folder: Path,
    *,
    with_faults: bool = False,
    delay_models: Mapping[str, float] | None = None,
    progress: Progress | None = None,
) -> list[ServedModel]:
    """Loads all models of a repository.

    Args:
        folder: The repository.
        with_faults: Whether faults can be injected into them.
        delay_models: Models of programmable cost beside them: by name, seconds a batch.
        progress: Is told what is being loaded.

    Returns:
        The models, ready, by name. Whoever gets them closes them.

    Raises:
        Error: One cannot be read or loaded; then none is left loaded.
    """
    found = read_repository(folder)
    extra = dict(delay_models or {})
    for name in extra.keys() & {model.name for model in found}:
        raise ConfigError(f"delay model {name!r}: got a name that the repository has, want another")
    loaded: list[ServedModel] = []
    try:
        for index, model in enumerate(found):
            if progress is not None:
                progress.at(f"{model.name} ({index + 1} of {len(found)})")
            loaded.append(load_model(model, with_faults))
        loaded += [delay_model(name, seconds) for name, seconds in extra.items()]
    except BaseException:
        for served in loaded:
            served.close()
        raise
    return sorted(loaded, key=lambda served: served.name)
