"""Serving a registry: what a scraper asks for, as a WSGI app or from a server of its own."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn
from typing import Any, Final
from urllib.parse import parse_qs, urlparse
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from inferometer.prometheus.gateway import (
    basic_auth_handler,
    default_handler,
    delete_from_gateway,
    instance_ip_grouping_key,
    passthrough_redirect_handler,
    push_to_gateway,
    pushadd_to_gateway,
    tls_auth_handler,
)
from inferometer.prometheus.negotiation import gzip_accepted, media_ranges
from inferometer.prometheus.openmetrics import exposition as openmetrics
from inferometer.prometheus.registry import REGISTRY, Collector
from inferometer.prometheus.text_format import generate_latest
from inferometer.prometheus.textfile import write_to_textfile
from inferometer.prometheus.tls import server_context

__all__ = [
    "CONTENT_TYPE_LATEST",
    "CONTENT_TYPE_PLAIN_0_0_4",
    "CONTENT_TYPE_PLAIN_1_0_0",
    "MetricsHandler",
    "ThreadingWSGIServer",
    "basic_auth_handler",
    "choose_encoder",
    "default_handler",
    "delete_from_gateway",
    "generate_latest",
    "gzip_accepted",
    "instance_ip_grouping_key",
    "make_asgi_app",
    "make_wsgi_app",
    "passthrough_redirect_handler",
    "push_to_gateway",
    "pushadd_to_gateway",
    "start_http_server",
    "start_wsgi_server",
    "tls_auth_handler",
    "write_to_textfile",
]

CONTENT_TYPE_PLAIN_0_0_4: Final = "text/plain; version=0.0.4; charset=utf-8"
CONTENT_TYPE_PLAIN_1_0_0: Final = "text/plain; version=1.0.0; charset=utf-8"
CONTENT_TYPE_LATEST: Final = CONTENT_TYPE_PLAIN_1_0_0

_Headers = list[tuple[str, str]]
_WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def choose_encoder(accept_header: str | None) -> tuple[Callable[[Collector], bytes], str]:
    """The writer that an ``Accept`` header asks for first, and its content type.

    Text 0.0.4 for none, and for what is not known.
    """
    for asked in media_ranges(accept_header):
        if asked.media_type == "application/openmetrics-text":
            if not asked.version:
                return openmetrics.generate_latest, openmetrics.CONTENT_TYPE_LATEST
            if asked.is_modern:
                encoder = partial(
                    openmetrics.generate_latest, escaping=asked.escaping, version=asked.version
                )
                return encoder, (
                    f"application/openmetrics-text; version={asked.version}; charset=utf-8; "
                    f"escaping={asked.escaping}"
                )
        elif asked.media_type == "text/plain" and asked.is_modern:
            encoder = partial(generate_latest, escaping=asked.escaping)
            return encoder, f"{CONTENT_TYPE_LATEST}; escaping={asked.escaping}"
    return generate_latest, CONTENT_TYPE_PLAIN_0_0_4


def _bake_output(
    registry: Any,
    accept_header: str | None,
    accept_encoding_header: str | None,
    params: Mapping[str, list[str]],
    disable_compression: bool,
) -> tuple[str, _Headers, bytes]:
    """Status, headers and body of a scrape; ``name[]`` among `params` restricts it."""
    encoder, content_type = choose_encoder(accept_header)
    if "name[]" in params:
        registry = registry.restricted_registry(params["name[]"])
    body = encoder(registry)
    headers = [("Content-Type", content_type)]
    if not disable_compression and gzip_accepted(accept_encoding_header):
        body = gzip.compress(body)
        headers.append(("Content-Encoding", "gzip"))
    return "200 OK", headers, body


def make_wsgi_app(registry: Collector = REGISTRY, disable_compression: bool = False) -> _WsgiApp:
    """A WSGI app that serves a registry at any path."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        allow = [("Allow", "OPTIONS,GET")]
        if method == "OPTIONS":
            status, headers, body = "200 OK", allow, b""
        elif method != "GET":
            status, headers = "405 Method Not Allowed", allow
            body = f"# HTTP {status}: {method}; use OPTIONS or GET\n".encode()
        elif environ["PATH_INFO"] == "/favicon.ico":
            status, headers, body = "200 OK", [], b""
        else:
            status, headers, body = _bake_output(
                registry,
                environ.get("HTTP_ACCEPT"),
                environ.get("HTTP_ACCEPT_ENCODING"),
                parse_qs(environ.get("QUERY_STRING", "")),
                disable_compression,
            )
        start_response(status, headers)
        return [body]

    return app


class _SilentHandler(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing."""


class ThreadingWSGIServer(ThreadingMixIn, WSGIServer):
    """A thread for each request."""

    daemon_threads = True


def _address(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    """The family and the address of what `host` resolves to first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return family, str(address[0])


def start_wsgi_server(
    port: int,
    addr: str = "0.0.0.0",
    registry: Collector = REGISTRY,
    certfile: str | None = None,
    keyfile: str | None = None,
    client_cafile: str | None = None,
    client_capath: str | None = None,
    protocol: int = ssl.PROTOCOL_TLS_SERVER,
    client_auth_required: bool = False,
    tls_min_version: ssl.TLSVersion | None = None,
    tls_max_version: ssl.TLSVersion | None = None,
) -> tuple[WSGIServer, threading.Thread]:
    """Serves a registry on a daemon thread, as prometheus_client does: on every interface.

    Pass ``addr="127.0.0.1"`` unless others are to reach it.

    Args:
        port: TCP port; 0: a free one.
        addr: Address to listen on.
        registry: What to serve.
        certfile: Certificate; with `keyfile`: TLS.
        keyfile: Its private key.
        client_cafile: Certificates that sign those of clients.
        client_capath: A folder of such certificates.
        protocol: TLS protocol.
        client_auth_required: Whether clients need a certificate.
        tls_min_version: Oldest TLS version to speak.
        tls_max_version: Newest TLS version to speak.

    Raises:
        OSError: If the address is taken, or naming the TLS file that cannot be loaded.

    Returns:
        The server, whose ``shutdown()`` ends the thread, and the thread.
    """
    context = None
    if certfile and keyfile:
        context = server_context(
            certfile,
            keyfile,
            protocol=protocol,
            cafile=client_cafile,
            capath=client_capath,
            client_auth_required=client_auth_required,
            versions=(tls_min_version, tls_max_version),
        )
    family, host = _address(addr, port)
    server_class = type("_Server", (ThreadingWSGIServer,), {"address_family": family})
    server: WSGIServer = make_server(
        host, port, make_wsgi_app(registry), server_class, handler_class=_SilentHandler
    )
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    return server, thread


start_http_server = start_wsgi_server


class MetricsHandler(BaseHTTPRequestHandler):
    """Serves ``registry`` to GET requests of ``http.server``."""

    registry: Collector = REGISTRY

    def do_GET(self) -> None:
        """Answers a scrape."""
        status, headers, body = _bake_output(
            self.registry,
            self.headers.get("Accept"),
            self.headers.get("Accept-Encoding"),
            parse_qs(urlparse(self.path).query),
            False,
        )
        self.send_response(int(status.split(" ")[0]))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing."""

    @classmethod
    def factory(cls, registry: Collector) -> type[MetricsHandler]:
        """A subclass that serves `registry`."""
        return type(cls.__name__, (cls,), {"registry": registry})


from inferometer.prometheus.asgi import make_asgi_app  # noqa: E402  (it needs _bake_output)
