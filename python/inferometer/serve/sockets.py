"""The socket that a service listens on."""

from __future__ import annotations

import socket

from inferometer.command_error import CommandError


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
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
    except OSError as error:
        raise CommandError(f"--host {host}: {error.strerror}") from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise CommandError(
            f"port {port} on {host} cannot be used ({error.strerror}): stop what uses it, take "
            f"another with --http-port {min(port + 1, 65535)}, or any free one with --http-port 0"
        ) from None
    return listener


def url_of(host: str, port: int) -> str:
    """``http://host:port``, for a client on this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
