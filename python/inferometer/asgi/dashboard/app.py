"""The ASGI app behind ``/dashboard``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

import inferometer
from inferometer._core import ConfigError
from inferometer.asgi.body import BodyError, read_body
from inferometer.asgi.dashboard.document import read_dashboards
from inferometer.asgi.dashboard.history_source import HistorySource
from inferometer.asgi.dashboard.interpolation import check_references
from inferometer.asgi.dashboard.page_answer import answer_page, answer_variables, describe_page
from inferometer.asgi.dashboard.page_request import MOST_BYTES, BadRequestError, read_request
from inferometer.asgi.dashboard.prometheus_source import PrometheusSource
from inferometer.asgi.dashboard.static_files import CHARTS, StaticFile, read_files
from inferometer.metrics import default_registry

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from inferometer._core import Registry
    from inferometer.asgi.dashboard.document import Dashboard
    from inferometer.asgi.dashboard.page_request import PageRequest
    from inferometer.asgi.dashboard.source import DataSource

_SHIPPED = Path(inferometer.__file__).parent / "monitoring/files/grafana/dashboards"
_PAGES_AT_ONCE = 2
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_Answer = Callable[["PageRequest", "DataSource"], bytes]


class _DashboardApp:
    """The page, its files, and the answers to its requests. One event loop."""

    def __init__(self, dashboards: Mapping[str, Dashboard], source: DataSource) -> None:
        self._dashboards = dashboards
        self._source = source
        self._files = read_files()
        self._limiters: list[anyio.CapacityLimiter] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"dashboard_app: got a scope of {scope['type']}, want http")
        request = Request(scope, receive)
        response = await self._respond(request)
        response.headers.update(_HEADERS)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        root = request.scope.get("root_path", "")
        path = request.scope["path"].removeprefix(root)
        if path == "":  # links in the page are relative to a folder
            return RedirectResponse(f"{root}/", status_code=307)
        posts: dict[str, _Answer] = {"/api/panels": answer_page, "/api/variables": answer_variables}
        allowed = ("POST",) if path in posts else ("GET", "HEAD")
        if request.method not in allowed:
            return _problem(405, f"got {request.method}, want {' or '.join(allowed)}", allowed)
        if path in posts:
            return await self._answer(request, posts[path])
        if path == "/api/page":
            charts = all(name in self._files for name in CHARTS)
            describe = partial(describe_page, self._dashboards.values(), self._source, charts)
            return _json(describe())
        name = "index.html" if path == "/" else path.removeprefix("/static/")
        file = self._files.get(name) if path == "/" or path.startswith("/static/") else None
        return _problem(404, "there is no such page") if file is None else _file(file, request)

    async def _answer(self, request: Request, answer: _Answer) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # what other sites' pages cannot send without asking first
            return _problem(415, f"got the content type {kind!r:.80}, want application/json")
        try:
            body = await read_body(request, MOST_BYTES)
            scrape_seconds = self._source.scrape_seconds
            wanted = read_request(body, self._dashboards, scrape_seconds)
        except ClientDisconnect:
            return _problem(400, "the client has gone")
        except BodyError as error:
            response = _problem(error.status, error.text)
            response.headers["connection"] = "close"
            return response
        except BadRequestError as error:
            return _problem(400, str(error))
        if not self._limiters:  # made inside the running loop that it belongs to
            self._limiters.append(anyio.CapacityLimiter(_PAGES_AT_ONCE))
        run = partial(answer, wanted, self._source)
        return _json(await anyio.to_thread.run_sync(run, limiter=self._limiters[0]))


def _json(body: bytes) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(body, media_type="application/json", headers=headers)


def _problem(status: int, message: str, allowed: Sequence[str] = ()) -> Response:
    headers = {"cache-control": "no-store"}
    if allowed:
        headers["allow"] = ", ".join(allowed)
    return JSONResponse({"error": message}, status, headers)


def _file(file: StaticFile, request: Request) -> Response:
    # "no-cache" keeps a copy and asks whether it is still the right one.
    headers = {"etag": file.etag, "cache-control": "no-cache"}
    known = request.headers.get("if-none-match", "")
    if file.etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    headers["content-type"] = file.content_type
    return Response(file.body, headers=headers)


def _shipped_dashboards() -> list[Path]:
    return sorted(_SHIPPED.glob("*.json"), key=lambda path: path.name != "triton-dashboard.json")


def _checked_seconds(name: str, value: float) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or value <= 0:
        raise ConfigError(f"{name}: got {value!r}, want seconds above 0")
    return float(value)


def dashboard_app(
    prometheus_url: str | None = None,
    registry: Registry | None = None,
    dashboards: Sequence[Mapping[str, Any] | Path | str] | None = None,
    *,
    scrape_interval: float = 15.0,
    target_labels: Mapping[str, str] | None = None,
    history_seconds: float = 900.0,
    history_interval: float = 1.0,
    history_max_bytes: int = 128 * 1024 * 1024,
) -> ASGIApp:
    """An ASGI app that shows Grafana's dashboards where there is no Grafana.

    ``Mount("/dashboard", dashboard_app())``. Whoever reaches it sees all metrics: see
    docs/dashboard_page.md.

    Args:
        prometheus_url: The Prometheus to ask, as in ``http://127.0.0.1:9090``. None: the process'
            own near past, which the registry keeps; its history is started if it does not run.
        registry: Whose history; None: the default registry.
        dashboards: Dashboards as Grafana's JSON, or files of it; None: those that are shipped.
        scrape_interval: How often Prometheus scrapes, in seconds: steps are no smaller, and
            ``$__rate_interval`` is at least four of them.
        target_labels: The labels that a scrape would add to the history's series; None:
            ``{"job": "triton", "instance": "this process"}``.
        history_seconds: How long the history keeps samples, if it has to be started.
        history_interval: Seconds from one sample to the next, likewise.
        history_max_bytes: Memory that the samples may take, likewise; a model takes 0.8 MB with
            these defaults.

    Returns:
        A pure ASGI callable.

    Raises:
        ConfigError: A broken dashboard, none, a URL that is none, or other options that do not fit.
    """
    sources = _shipped_dashboards() if dashboards is None else dashboards
    read = read_dashboards([Path(one) if isinstance(one, str) else one for one in sources])
    for dashboard in read.values():
        check_references(dashboard)
    source: DataSource
    if prometheus_url is None:
        labels = {"job": "triton", "instance": "this process"}
        seconds = _checked_seconds("history_seconds", history_seconds)
        interval = _checked_seconds("history_interval", history_interval)
        labels = labels if target_labels is None else dict(target_labels)
        kept = registry or default_registry()
        source = HistorySource(kept, labels, seconds, interval, history_max_bytes)
    else:
        seconds = _checked_seconds("scrape_interval", scrape_interval)
        source = PrometheusSource(prometheus_url, seconds)
    return _DashboardApp(read, source)
