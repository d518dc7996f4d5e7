"""TLS contexts for the metrics server and for pushing."""

from __future__ import annotations

import ssl


def _naming(error: OSError, what: str) -> OSError:
    """The same kind of error, saying what could not be loaded."""
    return type(error)(f"Cannot load {what}: {error}")


def server_context(
    certfile: str,
    keyfile: str,
    *,
    protocol: int,
    cafile: str | None,
    capath: str | None,
    client_auth_required: bool,
    versions: tuple[ssl.TLSVersion | None, ssl.TLSVersion | None],
) -> ssl.SSLContext:
    """A context for a server.

    Raises:
        OSError: Naming the file that cannot be loaded.
    """
    context = ssl.SSLContext(protocol)
    if cafile is not None or capath is not None:
        try:
            context.load_verify_locations(cafile, capath)
        except OSError as error:
            raise _naming(
                error, f"CA certificate chain from file {cafile!r} or directory {capath!r}"
            ) from error
    else:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    if client_auth_required:
        context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(certfile, keyfile)
    except OSError as error:
        raise _naming(
            error, f"server certificate file {certfile!r} or its private key file {keyfile!r}"
        ) from error
    oldest, newest = versions
    if oldest is not None:
        context.minimum_version = oldest
    if newest is not None:
        context.maximum_version = newest
    return context


def client_context(
    certfile: str, keyfile: str, cafile: str | None, protocol: int, insecure_skip_verify: bool
) -> ssl.SSLContext:
    """A context for a client that shows a certificate."""
    context = ssl.SSLContext(protocol)
    if cafile is not None:
        context.load_verify_locations(cafile)
    else:
        context.load_default_certs()
    if insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(certfile, keyfile)
    return context
