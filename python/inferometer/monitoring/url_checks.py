"""Checks of URLs that are written into files: what Prometheus and Alertmanager would refuse."""

from __future__ import annotations

import ipaddress
import re

from inferometer.monitoring.value_checks import check_port, config_error

# RFC 3986. A brace is none of these: Prometheus reads texts of rules as templates, where "{{" opens
# an expression. Quotes and backslashes would end the text in YAML; "'", which is one, goes as well.
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&()*+,;=-]|%[0-9A-Fa-f]{2})*")
_PARTS = re.compile(
    r"https?://(?:[^/?#@\[\]]*@)?(?P<host>\[[^\]/?#]*\]|[^\[\]:/?#@]*)"
    r"(?::(?P<port>[0-9]{1,5}))?(?:[/?#].*)?"
)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?")


def is_host(text: str) -> bool:
    """Whether that is a name, an IPv4 address, or an IPv6 address in brackets."""
    if not text.startswith("["):
        return _NAME.fullmatch(text) is not None and ".." not in text
    try:
        ipaddress.IPv6Address(text[1:-1])
    except ValueError:
        return False
    return text.endswith("]") and "%" not in text


def check_url(option: str, got: object) -> None:
    """Refuses what is not a URL of HTTP that can stand in a configuration file as it is.

    Raises:
        ConfigError: It is not; says what of it is wrong.
    """
    if not isinstance(got, str) or not got.startswith(("http://", "https://")):
        raise config_error(option, got, "a URL that begins with http:// or https://")
    good = _CHARACTERS.match(got)
    if good is not None and good.end() < len(got):
        wrong = got[good.end()]
        raise config_error(
            option, got, f"a URL without {wrong!r}: other characters than RFC 3986's as %XX"
        )
    parts = _PARTS.fullmatch(got)
    if parts is None or not is_host(parts["host"]):
        raise config_error(option, got, "a URL with a host, as http://10.0.0.5:9099/")
    if parts["port"] is not None:
        check_port(f"port of {option}", int(parts["port"]))
