"""Collectors that only Python can read, in a native exposition."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from inferometer._core import FamilyList, MetricCell, PythonFamilies, Registry
from inferometer.prometheus.family_list import add_family

_log = logging.getLogger("inferometer")


def is_python_backed(collector: Any) -> bool:
    """Whether native code cannot show a collector by itself."""
    native = isinstance(collector, MetricCell)
    return not (native and collector._has_native_text())


class PythonBacked:
    """Shows those of some collectors that are Python-backed in a native registry. Thread-safe.

    A native thread, which the first scrape starts, calls them with the GIL held.

    Args:
        collectors: Says which collectors there are.
        native: Where to show them.
    """

    def __init__(self, collectors: Callable[[], Iterable[Any]], native: Registry) -> None:
        self._collectors = collectors
        self._families = PythonFamilies(native, self._collect)
        self._failed: set[Any] = set()  # those whose failure was logged
        self._lock = threading.Lock()  # of what is shown, and of:
        self._additions = 0
        self._closed = False
        # What the collecting thread calls must still be there when it ends.
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._renew_lock)

    def added(self) -> None:
        """To be called when there is one more Python-backed collector."""
        with self._lock:
            self._additions += 1
            self._families.shown = not self._closed

    def removed(self) -> None:
        """To be called when there may be one less."""
        additions = self._additions
        # Without the lock: close() must not wait for whoever holds the registry's.
        some = any(map(is_python_backed, self._collectors()))
        with self._lock:
            if additions == self._additions:
                self._families.shown = some and not self._closed

    def close(self) -> None:
        """Shows none from now on."""
        with self._lock:
            self._closed = True
            self._families.shown = False

    def _renew_lock(self) -> None:  # nobody in a child would give it back
        self._lock = threading.Lock()

    def _collect(self, families: FamilyList) -> None:
        collectors = [one for one in self._collectors() if is_python_backed(one)]
        self._failed.intersection_update(collectors)
        for collector in collectors:
            own = FamilyList()
            try:
                for family in collector.collect():
                    add_family(own, family)
            except BaseException as error:  # SystemExit too: it is one collector's alone
                families.fail()
                self._log_once(collector, error)
            else:
                families.extend(own)

    def _log_once(self, collector: object, error: BaseException) -> None:
        if collector in self._failed:
            return
        self._failed.add(collector)
        _log.error(
            "a collector of type %s failed; its metrics are left out of /metrics while it does "
            "(this is logged once)",
            type(collector).__qualname__,
            exc_info=error,
        )
