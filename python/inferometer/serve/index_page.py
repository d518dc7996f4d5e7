"""``GET /``: what is served, for somebody with a browser."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from inferometer._core import __version__
from inferometer.serve.service import Service

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>inferometer</title></head><body>
<h1>inferometer {version}</h1>
<table><caption>Models</caption>
<tr><th>name</th><th>version</th><th>state</th><th>batches</th><th>inputs</th></tr>
{models}
</table>
<ul>
{links}
</ul>
</body></html>
"""
_POLICY = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}


def index_routes(service: Service, links: dict[str, str]) -> list[Route]:
    """The page at ``/``.

    Args:
        service: What is served.
        links: By path: what is there.
    """

    async def index(request: Request) -> HTMLResponse:
        items = [
            f'<li><a href="{escape(path)}">{escape(what)}</a></li>' for path, what in links.items()
        ]
        page = _PAGE.format(
            version=escape(__version__), models=_rows(service), links="\n".join(items)
        )
        return HTMLResponse(page, headers=_POLICY)

    return [Route("/", index, methods=["GET"])]


def _rows(service: Service) -> str:
    rows = []
    for model in service.models.values():
        path = f"/v2/models/{quote(model.name, safe='')}/ready"
        inputs = ", ".join(f"{spec.name} {spec.dtype} {list(spec.shape)}" for spec in model.inputs)
        state = "ready" if model.ready and not service.stopping else "not ready"
        cells = (
            f'<a href="{escape(path)}">{escape(model.name)}</a>',
            *map(escape, (model.version, state, model.serves, inputs)),
        )
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return "\n".join(rows)
