"""What is this machine, and what is not."""

from __future__ import annotations

import ipaddress
import re

from inferometer.serve.sockets import look_up

# Without a user, a path or whatever else parsers of URLs disagree about.
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(?::[0-9]{1,5})?")


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


def host_of(authority: str) -> str:
    """The host of ``HOST`` or ``HOST:PORT``; empty if it is anything else."""
    match = _AUTHORITY.fullmatch(authority)
    return match[1] if match else ""


def host_is_loopback(host: str) -> bool:
    """Whether all addresses that a host has are loopback.

    Raises:
        CommandError: It has none.
    """
    return all(is_loopback(str(address[0])) for *_, address in look_up(host, 0))
