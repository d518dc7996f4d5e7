"""Running the application under uvicorn until a signal, and stopping without losing a request."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.applications import Starlette

from inferometer.serve.service import Service

# How long connections that are kept alive may still send a request after the signal; they are
# answered, and told to close. Without it a request that is on its way meets a closed connection.
_LAST_REQUESTS_SECONDS = 0.25

# A client of HTTP/1.1 keeps its connection for the next request for so long; longer than the usual
# scrape interval.
_KEEP_ALIVE_SECONDS = 75


class ServiceServer(uvicorn.Server):
    """A server for one service, run once.

    The first SIGINT or SIGTERM stops it: no new connections, what was accepted is finished, then
    ``run`` returns. The second one ends the process at once, as a signal does that nobody handles.

    Args:
        app: Made by ``create_app``.
        drain_timeout: Seconds that accepted requests get to end.
        on_start: Called when it serves.
        on_stop: Called with a signal's name when it begins to stop.
    """

    def __init__(
        self,
        app: Starlette,
        drain_timeout: float,
        on_start: Callable[[], None],
        on_stop: Callable[[str], None],
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="on",
                ws="none",
                # Whoever is asked for a client's address must not believe a header.
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
        )
        self._drain_timeout = drain_timeout
        self._service: Service = app.state.service
        self._on_start = on_start
        self._on_stop = on_stop
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Says that it serves, when it does."""
        await super().startup(sockets)
        if self.started:
            self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finishes what was accepted, in what is left of the time since the signal."""
        left = self._service.time_left(self._drain_timeout)
        # Declared as an int; it goes to asyncio.wait_for.
        self.config.timeout_graceful_shutdown = left  # type: ignore[assignment]
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handles signals while it serves. uvicorn would raise them again when it has stopped."""
        self._loop = asyncio.get_running_loop()
        # Through the loop: a plain handler would wait for the loop's next callback.
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._stop, number)
        yield

    def _stop(self, number: signal.Signals) -> None:
        assert self._loop is not None
        for each in (signal.SIGINT, signal.SIGTERM):
            self._loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        self._loop.call_later(min(_LAST_REQUESTS_SECONDS, self._drain_timeout), self._exit)
        self._service.stop()
        for server in self.servers:
            server.close()
        self._on_stop(number.name)

    def _exit(self) -> None:
        self.should_exit = True
