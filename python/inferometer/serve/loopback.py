"""What is this machine, and what is not."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit


def is_loopback(address: str) -> bool:
    """Whether a text is an address of the loopback interface; names are none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def is_loopback_name(host: str) -> bool:
    """Whether a URL's host, without a port, means this machine wherever it is looked up."""
    name = host.removeprefix("[").removesuffix("]")
    return name.lower() == "localhost" or is_loopback(name)


def host_of(url: str) -> str:
    """A URL's host without its port; empty if it has none, or is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def host_is_loopback(host: str) -> bool:
    """Whether all addresses that a host has are loopback.

    Raises:
        OSError: It has none.
    """
    found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return all(is_loopback(str(address[0])) for *_, address in found)
