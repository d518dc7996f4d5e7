"""Pushing to a Pushgateway."""

from __future__ import annotations

import base64
import gzip
import importlib
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.parse import quote_plus, urlparse
from urllib.request import (
    BaseHandler,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
)

from inferometer.prometheus.registry import REGISTRY, Collector
from inferometer.prometheus.text_format import generate_latest
from inferometer.prometheus.tls import client_context

Compression = Literal["gzip", "snappy"] | None
_Headers = list[tuple[str, str]]
Handler = Callable[..., Callable[[], None]]
"""Takes url, method, timeout, headers and data by name; returns what does the request."""

_CONTENT_TYPE = ("Content-Type", "text/plain; version=0.0.4; charset=utf-8")


class _TrustingRedirectHandler(HTTPRedirectHandler):
    """Follows redirects with the method and the body of the first request."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """The request to make next."""
        method = req.get_method()
        always = code in (301, 302, 303) and method in ("GET", "HEAD", "POST", "PUT")
        if not always and not (code == 307 and method in ("GET", "HEAD")):
            raise HTTPError(req.full_url, code, msg, headers, fp)
        return Request(
            newurl.replace(" ", "%20"),
            data=req.data,
            headers=dict(req.headers),
            origin_req_host=req.origin_req_host,
            unverifiable=True,
            method=method,
        )


def _request(
    url: str,
    method: str,
    timeout: float | None,
    headers: Sequence[tuple[str, str]],
    data: bytes,
    handler: BaseHandler | type[BaseHandler],
) -> Callable[[], None]:
    def do() -> None:
        request = Request(url, data=data, headers=dict(headers), method=method)
        with build_opener(handler).open(request, timeout=timeout) as reply:
            if reply.status >= 400:
                raise OSError(f"error talking to pushgateway: {reply.status} {reply.reason}")

    return do


def default_handler(
    url: str, method: str, timeout: float | None, headers: _Headers, data: bytes
) -> Callable[[], None]:
    """Plain HTTP and HTTPS."""
    return _request(url, method, timeout, headers, data, HTTPHandler)


def passthrough_redirect_handler(
    url: str, method: str, timeout: float | None, headers: _Headers, data: bytes
) -> Callable[[], None]:
    """Follows redirects with method, headers and body: only for gateways that you trust."""
    return _request(url, method, timeout, headers, data, _TrustingRedirectHandler)


def basic_auth_handler(
    url: str,
    method: str,
    timeout: float | None,
    headers: _Headers,
    data: bytes,
    username: str | None = None,
    password: str | None = None,
) -> Callable[[], None]:
    """Basic authentication, if both username and password are given."""
    if username is not None and password is not None:
        token = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
        headers = [*headers, ("Authorization", f"Basic {token}")]
    return default_handler(url, method, timeout, headers, data)


def tls_auth_handler(
    url: str,
    method: str,
    timeout: float | None,
    headers: _Headers,
    data: bytes,
    certfile: str,
    keyfile: str,
    cafile: str | None = None,
    protocol: int = ssl.PROTOCOL_TLS_CLIENT,
    insecure_skip_verify: bool = False,
) -> Callable[[], None]:
    """HTTPS with a client certificate; the server's is verified unless that is switched off."""
    context = client_context(certfile, keyfile, cafile, protocol, insecure_skip_verify)
    return _request(url, method, timeout, headers, data, HTTPSHandler(context=context))


def push_to_gateway(
    gateway: str,
    job: str,
    registry: Collector | None,
    grouping_key: Mapping[str, Any] | None = None,
    timeout: float | None = 30,
    handler: Handler = default_handler,
    compression: Compression = None,
) -> None:
    """Replaces all metrics of a job and grouping key (PUT).

    Args:
        gateway: URL; without a scheme: http.
        job: The label ``job`` of all metrics.
        registry: What to push; None: ``REGISTRY``.
        grouping_key: More labels of all metrics.
        timeout: Seconds to wait; None: for ever.
        handler: Makes the request.
        compression: ``gzip``, or ``snappy`` if python-snappy is installed.

    Raises:
        OSError: If the gateway cannot be reached or refuses.
        ValueError: For an unknown compression.
    """
    body, headers = _payload(registry, compression)
    _use_gateway("PUT", gateway, job, grouping_key, timeout, handler, headers, body)


def pushadd_to_gateway(
    gateway: str,
    job: str,
    registry: Collector | None,
    grouping_key: Mapping[str, Any] | None = None,
    timeout: float | None = 30,
    handler: Handler = default_handler,
    compression: Compression = None,
) -> None:
    """Replaces the metrics of the same names only (POST); otherwise as push_to_gateway()."""
    body, headers = _payload(registry, compression)
    _use_gateway("POST", gateway, job, grouping_key, timeout, handler, headers, body)


def delete_from_gateway(
    gateway: str,
    job: str,
    grouping_key: Mapping[str, Any] | None = None,
    timeout: float | None = 30,
    handler: Handler = default_handler,
) -> None:
    """Deletes all metrics of a job and grouping key (DELETE)."""
    _use_gateway("DELETE", gateway, job, grouping_key, timeout, handler, [_CONTENT_TYPE], b"")


def _payload(registry: Collector | None, compression: Compression) -> tuple[bytes, _Headers]:
    body = generate_latest(REGISTRY if registry is None else registry)
    if compression is None:
        return body, [_CONTENT_TYPE]
    coding = compression.lower()
    if coding == "gzip":
        body = gzip.compress(body)
    elif coding == "snappy":
        body = _snappy(body)
    else:
        raise ValueError(f"Unsupported compression type: {compression}")
    return body, [_CONTENT_TYPE, ("Content-Encoding", coding)]


def _snappy(body: bytes) -> bytes:
    try:
        compressor = importlib.import_module("snappy").StreamCompressor()
    except ImportError as error:
        raise RuntimeError(
            "Snappy compression requires the python-snappy package to be installed."
        ) from error
    compressed: bytes = compressor.compress(body)
    flush = getattr(compressor, "flush", None)
    return compressed + flush() if flush else compressed


def _use_gateway(
    method: str,
    gateway: str,
    job: str,
    grouping_key: Mapping[str, Any] | None,
    timeout: float | None,
    handler: Handler,
    headers: _Headers,
    body: bytes,
) -> None:
    if urlparse(gateway).scheme not in ("http", "https"):
        gateway = f"http://{gateway}"
    labels = [("job", job), *sorted((str(k), str(v)) for k, v in (grouping_key or {}).items())]
    path = "".join(f"/{name}/{value}" for name, value in map(_path_parts, labels))
    url = f"{gateway.rstrip('/')}/metrics{path}"
    handler(url=url, method=method, timeout=timeout, headers=headers, data=body)()


def _path_parts(label: tuple[str, str]) -> tuple[str, str]:
    """A label as two parts of a path, the value in base 64 where a path could not hold it."""
    name, value = label
    if value == "":
        return f"{name}@base64", "="
    if "/" in value or " " in value:
        return f"{name}@base64", base64.urlsafe_b64encode(value.encode("utf-8")).decode("ascii")
    return name, quote_plus(value)


def instance_ip_grouping_key() -> dict[str, Any]:
    """A grouping key: ``instance`` with the address that this host uses towards ``localhost``."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("localhost", 0))
        return {"instance": probe.getsockname()[0]}
