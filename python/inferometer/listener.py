"""``/metrics`` over HTTP by a native listener, which answers while Python holds the GIL."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
from typing import TYPE_CHECKING

from inferometer import _core
from inferometer._core import ConfigError
from inferometer.metrics import registry_to_render

if TYPE_CHECKING:
    from types import TracebackType

    from inferometer._core import Registry

_log = logging.getLogger("inferometer")

# At most one line about errors in this time.
_SECONDS_BETWEEN_LINES = 10.0


class MetricsListener:
    """Serves a registry over HTTP until it is closed. Made by ``serve_metrics``.

    Two native threads do the work; neither takes the GIL. It lives on without a reference to it,
    and is closed when the interpreter exits. A child of ``fork()`` does not serve: there the
    listener is closed. Thread-safe; a context manager that closes.
    """

    def __init__(self, native: _core.MetricsListener) -> None:
        self._native = native
        self._closing = threading.Event()
        # Sleeps in native code until there is an error to log.
        self._logger = threading.Thread(
            target=self._log_errors, name="inferometer listener's log", daemon=True
        )

    @property
    def host(self) -> str:
        """The host, as given."""
        return self._native.host

    @property
    def port(self) -> int:
        """The port that was bound."""
        return self._native.port

    @property
    def url(self) -> str:
        """Where the metrics are, for a client on this machine."""
        return self._native.url

    @property
    def closed(self) -> bool:
        """Whether it serves no more."""
        return self._native.closed

    def close(self) -> None:
        """Ends the listener and its connections at once; again: does nothing."""
        if self.closed:
            return
        self._closing.set()
        self._native.close()
        with _lock:
            _live.discard(self)

    def __enter__(self) -> MetricsListener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<MetricsListener {self.url}{' closed' if self.closed else ''}>"

    def _log_errors(self) -> None:
        while (errors := self._native.next_errors()) is not None:
            newest, count = errors
            more = f" (the newest of {count})" if count > 1 else ""
            _log.error("%s: %s%s", self.url, newest, more)
            self._closing.wait(_SECONDS_BETWEEN_LINES)


_lock = threading.Lock()  # of _live
_live: set[MetricsListener] = set()


def serve_metrics(
    port: int = 8002, host: str = "127.0.0.1", registry: Registry | None = None
) -> MetricsListener:
    """Serves a registry's metrics at ``http://host:port/metrics``, from native threads.

    Args:
        port: The TCP port; 0: the system picks one, see ``MetricsListener.port``.
        host: A name or address of this machine. The default can be reached from this machine only;
            ``"0.0.0.0"`` and ``"::"`` are all interfaces. There is no TLS and no authentication:
            anything but loopback is logged as a warning.
        registry: What to serve; None: the default registry.

    Returns:
        The listener, which serves already.

    Raises:
        ConfigError: If host and port cannot be bound (the message says why, and who holds a port
            that is in use), or an argument is of the wrong type.
    """
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
        raise ConfigError(f"port: got {port!r}, want an int, 0 (the system picks one) to 65535")
    if not isinstance(host, str):
        raise ConfigError(f"host: got {host!r}, want a str")
    try:
        host.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"host: got {host!r}, want valid Unicode") from None
    native = _core.MetricsListener(registry_to_render(registry), host, port)
    listener = MetricsListener(native)
    if not native.is_loopback:
        _log.warning(
            "the metrics on %s (host %r) can be read by anybody who reaches this machine: there is "
            "no TLS and no authentication",
            listener.url,
            host,
        )
    with _lock:
        _live.add(listener)
    listener._logger.start()
    return listener


# A child of fork() has no listener, and nobody in it would give back a lock held at the fork.
def _forget_all() -> None:
    global _lock
    _lock = threading.Lock()
    _live.clear()


os.register_at_fork(after_in_child=_forget_all)


# Runs before the interpreter is taken apart: what a rendering calls must still be there.
@atexit.register
def _close_all() -> None:
    with _lock:
        listeners = list(_live)
    for listener in listeners:
        with contextlib.suppress(Exception):  # the next one must be closed all the same
            listener.close()
