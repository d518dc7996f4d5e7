"""The socket that a service listens on."""

from __future__ import annotations

import errno
import socket
from typing import Any

from inferometer.command_error import CommandError


def look_up(host: str, port: int) -> list[tuple[Any, Any, int, str, tuple[Any, ...]]]:
    """The addresses at which one can listen, as ``socket.getaddrinfo`` gives them.

    Args:
        host: A name or an address.
        port: Of the addresses.

    Raises:
        CommandError: The host has none.
    """
    try:
        return socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
    except OSError as error:
        raise CommandError(f"--host {host}: {error.strerror}") from None
    except UnicodeError:
        text = f"--host: got {host!r}, want a name or an address"
        raise CommandError(text, 2) from None


def listen(host: str, port: int) -> socket.socket:
    """Listens, so that nobody else can have the port while models are being loaded.

    Args:
        host: A name or an address.
        port: 0: a free one.

    Returns:
        The socket.

    Raises:
        CommandError: It cannot be had; says what to do.
    """
    family, kind, protocol, _, address = look_up(host, port)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise CommandError(
                f"--host {host}: got an address that this machine does not have, want one of its "
                "own, such as 127.0.0.1, or 0.0.0.0 for all"
            ) from None
        raise CommandError(
            f"port {port} on {host} cannot be used ({error.strerror}): stop what uses it, take "
            f"another with --http-port {min(port + 1, 65535)}, or any free one with --http-port 0"
        ) from None
    return listener


def url_of(host: str, port: int) -> str:
    """``http://host:port``, for a client on this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
