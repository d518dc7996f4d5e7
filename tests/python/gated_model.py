"""A model that runs only when the test says so: the fake that opens races on purpose."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

# Nothing in a test takes this long unless it hangs.
PATIENCE_SECONDS = 60.0


class GatedModel:
    """Doubles its input, once per call of ``release``; remembers the rows of every batch.

    ``entered`` counts batches that reached the model. Leaving the ``with`` block opens the gate.
    """

    def __init__(self) -> None:
        self.batches: list[int] = []
        self._permits = 0
        self._open = False
        self._changed = threading.Condition()

    def __call__(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        with self._changed:
            self.batches.append(len(x))
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._open or self._permits > 0, PATIENCE_SECONDS)
            self._permits -= 1
        return x * 2

    def wait_entered(self, batches: int) -> None:
        """Blocks until that many batches have reached the model."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.batches) >= batches, PATIENCE_SECONDS), (
                f"got {len(self.batches)} batches, want {batches}"
            )

    def release(self, batches: int = 1) -> None:
        """Lets that many batches through."""
        with self._changed:
            self._permits += batches
            self._changed.notify_all()

    def __enter__(self) -> GatedModel:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._open = True
            self._changed.notify_all()
