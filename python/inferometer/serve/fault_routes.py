"""``/v2/models/NAME/faults``: faults on purpose, from this machine alone."""

from __future__ import annotations

from typing import Any, Literal, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferometer._core import ConfigError
from inferometer.asgi.body import BodyError, read_body
from inferometer.faults import Faults
from inferometer.serve.errors import RequestError, bad_request
from inferometer.serve.json_reader import JsonError, read_json
from inferometer.serve.loopback import host_of, is_loopback, is_loopback_name
from inferometer.serve.replies import json_reply
from inferometer.serve.service import Service

MAX_SECONDS = 60.0
MAX_DURATION = 3600.0

_MAX_BODY_BYTES = 4096
_MAX_ACTIVE = 100

# What each kind needs besides its duration, and the most that may be asked for.
_NEEDS: dict[str, tuple[str, float] | None] = {
    "delay": ("seconds", MAX_SECONDS),
    "error": ("ratio", 1.0),
    "stall": None,
}
_Kind = Literal["delay", "error", "stall"]


def fault_routes(service: Service) -> list[Route]:
    """The route that injects, lists and clears faults of models that have any."""

    async def faults(request: Request) -> Response:
        _check_client(request)
        model = service.find(request)
        if model.faults is None:
            raise RequestError(404, f"no faults can be injected into model '{model.name}'")
        if request.method == "POST":
            if service.stopping:
                raise RequestError(503, "Server is stopping")
            _add(model.faults, await _read(request))
        elif request.method == "DELETE":
            model.faults.clear(_kind(request.query_params.get("kind")))
        return json_reply({"active": model.faults.active(), "injected": model.faults.injected()})

    return [Route("/v2/models/{name}/faults", faults, methods=["GET", "POST", "DELETE"])]


def _check_client(request: Request) -> None:
    """Refuses whoever is not on this machine, or may only pass something on.

    The service listens on loopback; this is for reverse proxies and for pages in a browser.
    """
    headers = request.headers
    host = headers.get("host", "")
    origin = headers.get("origin")
    here = (
        request.client is not None
        and is_loopback(request.client.host)
        and is_loopback_name(host_of(host))
        and (origin is None or is_loopback_name(host_of(origin.partition("://")[2])))
        and not any(map(_of_proxies, headers))
    )
    if not here:
        raise RequestError(403, "faults can be injected from this machine only, and not by a proxy")


def _of_proxies(header: str) -> bool:
    return header in ("forwarded", "via", "x-real-ip") or header.startswith("x-forwarded-")


async def _read(request: Request) -> dict[str, Any]:
    try:
        document = read_json(await read_body(request, _MAX_BODY_BYTES), 4)
    except BodyError as error:
        raise RequestError(error.status, error.text, {"Connection": "close"}) from None
    except JsonError as error:
        raise bad_request(f"the body is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise bad_request('want an object: {"kind": "delay", "seconds": 2.5, "duration": 60}')
    return document


def _kind(got: object) -> _Kind | None:
    if got is None:
        return None
    if not isinstance(got, str) or got not in _NEEDS:
        raise bad_request(f"kind: got {str(got)[:40]!r}, want 'delay', 'error' or 'stall'")
    return cast("_Kind", got)


def _number(document: dict[str, Any], name: str, most: float) -> float:
    got = document.get(name)
    # bool is an int, and no number here; NaN is not between anything.
    if type(got) not in (int, float) or not 0 < cast("float", got) <= most:
        shown = "none" if name not in document else str(got)[:40]
        raise bad_request(f"{name}: got {shown}, want a number above 0, {most:g} at most")
    return float(cast("float", got))


def _add(faults: Faults, document: dict[str, Any]) -> None:
    kind = _kind(document.get("kind"))
    if kind is None:
        raise bad_request("kind: got none, want 'delay', 'error' or 'stall'")
    needs = _NEEDS[kind]
    unknown = document.keys() - {"kind", "duration", *(needs or ())[:1]}
    if unknown:
        raise bad_request(f"{min(unknown)[:40]!r} is no option of a fault {kind!r}")
    options: dict[str, float] = {}
    if needs is not None:
        options[needs[0]] = _number(document, *needs)
    duration = _number(document, "duration", MAX_DURATION)
    if len(faults.active()) >= _MAX_ACTIVE:
        raise bad_request(f"{_MAX_ACTIVE} faults are in effect already: clear them first")
    try:
        faults.add(kind, duration=duration, **options)
    except ConfigError as error:
        raise bad_request(str(error)) from None
