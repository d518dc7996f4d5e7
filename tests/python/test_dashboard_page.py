"""The page's files, headers and answers over HTTP."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

import inferometer as im
from dashboard_json import dashboard, panel, variable
from inferometer.asgi import dashboard_app
from inferometer.asgi.body import read_body
from inferometer.asgi.dashboard import app
from inferometer.asgi.dashboard.static_files import FOLDER, read_files

SELECT = 'inference_requests_total{job=~"$job", model_name=~"$model", status="success"}'
DASHBOARD = dashboard(
    [
        panel(1, "stat", f"sum({SELECT})"),
        panel(2, "timeseries", f"sum by (model_name) ({SELECT})", "scrape_duration_seconds"),
        panel(3, "alertlist"),
        panel(4, "stat", "application_total"),
        panel(5, "stat", "model:p95"),
    ],
    [
        {"name": "datasource", "type": "datasource", "query": "prometheus"},
        variable("job", "label_values(inference_queue_limit, job)"),
        variable("model", 'label_values(inference_queue_limit{job=~"$job"}, model_name)'),
        variable("gpu", "label_values(gpu_utilization_ratio, device_id)"),
        variable("odd", "metrics(.*)"),
    ],
    annotations={
        "list": [
            {"name": "Firing", "expr": "ALERTS", "iconColor": "red"},
            {
                "name": "Busy",
                "expr": f"{SELECT} > 2",
                "iconColor": "blue",
                "titleFormat": "Busy",
                "textFormat": "{{model_name}}",
            },
        ]
    },
)
EVERYTHING = {"dashboard": "test", "seconds": 60, "points": 60, "panels": [1, 2, 4, 5]}


class Client:
    """Asks an app, one request after the other."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://service", follow_redirects=True
            ) as http:
                return await http.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


@pytest.fixture
def client(registry: im.Registry) -> Iterator[Client]:
    """A client of an app whose two models have answered three requests and one."""
    app = dashboard_app(registry=registry, dashboards=[DASHBOARD], history_interval=0.05)
    with (
        im.Engine(lambda x: x, name="a", registry=registry) as a,
        im.Engine(lambda x: x, name="b", registry=registry) as b,
    ):
        for engine in (a, a, a, b):
            engine.infer(np.ones((1, 2), np.float32))
        registry.sample_history()
        yield Client(Starlette(routes=[Mount("/dashboard", app)]))
    registry.stop_history()


def ask(client: Client, path: str = "panels", **changes: Any) -> Any:
    # Ranges end with a whole step, a second here: one that is not before what was sampled.
    wanted = {**EVERYTHING, "end": time.time() + 1, **changes}
    reply = client.post(f"/dashboard/api/{path}", json=wanted)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_the_page_and_what_it_loads(client: Client) -> None:
    page = client.get("/dashboard")
    assert page.url.path == "/dashboard/"  # links in it are relative to a folder
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    loaded = re.findall(r'(?:src|href)="(static/[^"]+)"', page.text)
    assert len(loaded) >= 5
    for path in loaded:
        assert client.get(f"/dashboard/{path}").status_code == 200


def test_nothing_is_inline_and_nothing_is_loaded_from_elsewhere() -> None:
    for name, file in read_files().items():
        if name.startswith("vendor/"):
            continue
        text = file.body.decode()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|document\.write", text)
        elsewhere = [
            url for url in re.findall(r"https?://[^\s\"'`)]+", text) if "w3.org" not in url
        ]
        assert elsewhere == [], name
        if name.endswith(".html"):
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)


def test_modules_import_only_files_that_there_are() -> None:
    for path in (FOLDER / "js").glob("*.js"):
        for name in re.findall(r'from "\./([^"]+)"', path.read_text(encoding="utf-8")):
            assert (FOLDER / "js" / name).is_file(), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", ["/", "/static/js/main.js", "/api/page", "/no/such"])
def test_headers(client: Client, path: str) -> None:
    headers = client.get(f"/dashboard{path}").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_files_are_sent_once(client: Client) -> None:
    url = "/dashboard/static/css/page.css"
    first = client.get(url)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(url, headers={"if-none-match": f'W/"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(url, headers={"if-none-match": '"other"'}).status_code == 200
    assert client.request("HEAD", url).status_code == 200
    assert client.get("/dashboard/api/page").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/static/", "/static/../app.py", "/static/js/none.js", "/x"])
def test_other_paths_are_not_there(client: Client, path: str) -> None:
    assert client.get(f"/dashboard{path}").status_code == 404


def test_the_description_of_the_page(client: Client) -> None:
    page = client.get("/dashboard/api/page").json()
    [shown] = page["dashboards"]
    assert [one["name"] for one in shown["variables"]] == ["job", "model", "gpu", "odd"]
    assert [one["id"] for one in shown["panels"]] == [1, 2, 3, 4, 5]
    assert page["source"]["kind"] == "history"
    assert page["charts"] == (FOLDER / "vendor/uPlot.iife.min.js").exists()


def test_values_of_panels(client: Client) -> None:
    panels = ask(client)["panels"]
    [total] = panels["1"][0]["series"]
    assert total["values"][-1] == 4
    by_model = panels["2"][0]["series"]
    assert [(one["name"], one["values"][-1]) for one in by_model] == [("a", 3), ("b", 1)]
    assert by_model[0]["values"][0] is None  # before the history began


def test_chosen_values(client: Client) -> None:
    [total] = ask(client, variables={"model": ["b"]})["panels"]["1"][0]["series"]
    assert total["values"][-1] == 1
    nothing = ask(client, variables={"job": ["other"]})["panels"]["1"][0]
    assert (nothing["series"], nothing["error"]) == ([], None)


def test_what_the_history_does_not_know_is_said_in_its_panel(client: Client) -> None:
    answer = ask(client)
    panels = answer["panels"]
    assert "about scrapes" in panels["2"][1]["error"]
    assert "application_total is not in the process' own history" in panels["4"][0]["error"]
    assert "recorded by a rule" in panels["5"][0]["error"]
    assert "need Prometheus" in answer["alerts"]["error"]
    firing, busy = answer["annotations"]
    assert "need Prometheus" in firing["error"]
    [mark] = busy["marks"]
    assert (mark["title"], mark["text"]) == ("Busy", "a")


def test_values_of_variables(client: Client) -> None:
    found = ask(client, "variables")
    assert found["job"] == {"options": ["triton"], "error": None}
    assert found["model"] == {"options": ["a", "b"], "error": None}
    assert found["gpu"] == {"options": [], "error": None}
    assert "want label_values()" in found["odd"]["error"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dashboard": "x"}, "dashboard: got 'x', want one of test"),
        ({"dashboard": ["test"]}, "dashboard: got ['test']"),
        ({"panels": [99]}, "panels: got 99, want ids of A test"),
        ({"panels": "1"}, "panels: got '1', want a list of ids"),
        ({"seconds": 1}, "seconds: got 1, want a number from 10 to"),
        ({"seconds": True}, "seconds: got True"),
        ({"seconds": 1e9}, "seconds: got 1000000000.0"),
        ({"points": 1e6}, "points: got 1000000.0, want a number from 20 to 800"),
        ({"end": -1}, "end: got -1"),
        ({"variables": []}, "variables: got [], want an object"),
        ({"variables": {"model": "a"}}, "variables: got 'a' for 'model', want at most 500 strings"),
        ({"variables": {"model": ["x" * 301]}}, "of at most 300 characters"),
        ({"variables": {"expr": ["up"]}}, "variables: got 'expr', want one of datasource, gpu"),
    ],
)
def test_requests_that_no_page_of_ours_sends(
    client: Client, changes: dict[str, Any], message: str
) -> None:
    reply = client.post("/dashboard/api/panels", json={**EVERYTHING, **changes})
    assert reply.status_code == 400
    assert message in reply.json()["error"]


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"{", "no JSON"), (b"[]", "want an object"), (b"\xff", "no JSON"), (b"[" * 9000, "no JSON")],
)
def test_bodies_that_are_none(client: Client, body: bytes, message: str) -> None:
    headers = {"content-type": "application/json"}
    reply = client.post("/dashboard/api/panels", content=body, headers=headers)
    assert reply.status_code == 400
    assert message in reply.json()["error"]


def test_a_body_is_bounded(client: Client) -> None:
    headers = {"content-type": "application/json"}
    reply = client.post("/dashboard/api/panels", content=b" " * 70_000, headers=headers)
    assert (reply.status_code, reply.headers["connection"]) == (413, "close")
    assert reply.json() == {"error": "got a body of more than 65536 bytes, want less"}


def test_a_body_that_never_ends_is_given_up(
    registry: im.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "read_body", partial(read_body, seconds=0.01))
    page = dashboard_app(registry=registry, dashboards=[DASHBOARD])
    registry.stop_history()

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async def main() -> None:
        transport = httpx.ASGITransport(page)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            headers = {"content-type": "application/json"}
            reply = await http.post("/api/panels", content=body(), headers=headers)
            assert (reply.status_code, reply.headers["connection"]) == (408, "close")
            assert reply.json() == {"error": "the body took more than 0.01 s to arrive"}

    asyncio.run(main())


def test_methods_and_types_of_content(client: Client) -> None:
    reply = client.get("/dashboard/api/panels")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    assert client.post("/dashboard/").status_code == 405
    # What other sites' forms can send without asking.
    plain = client.post("/dashboard/api/panels", content=b"{}")
    assert plain.status_code == 415


def test_the_history_is_started_and_one_that_runs_is_left_alone(registry: im.Registry) -> None:
    dashboard_app(registry=registry, dashboards=[DASHBOARD], history_seconds=60)
    stats = registry.history_stats()
    assert stats is not None and stats["seconds"] == 60
    dashboard_app(registry=registry, dashboards=[DASHBOARD], history_seconds=90)
    stats = registry.history_stats()
    assert stats is not None and stats["seconds"] == 60
    registry.stop_history()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dashboards": []}, "dashboards: got none"),
        ({"prometheus_url": "localhost:9090"}, "prometheus_url: got 'localhost:9090'"),
        ({"prometheus_url": "http://u:p@h"}, "without a user"),
        ({"prometheus_url": "http://[::1"}, "prometheus_url: got 'http://[::1', want http://HOST"),
        ({"prometheus_url": "http://h:99999"}, "prometheus_url: got 'http://h:99999', want http"),
        ({"prometheus_url": "http://h", "scrape_interval": 0}, "scrape_interval: got 0"),
        ({"history_seconds": -1}, "history_seconds: got -1, want seconds above 0"),
        ({"history_interval": float("nan")}, "history_interval: got nan"),
    ],
)
def test_options_that_do_not_fit(
    registry: im.Registry, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(im.ConfigError, match=re.escape(message)):
        dashboard_app(**{"registry": registry, "dashboards": [DASHBOARD], **options})


def test_files_of_dashboards(registry: im.Registry, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(im.ConfigError, match=r"broken\.json"):
        dashboard_app(registry=registry, dashboards=[str(path)])
