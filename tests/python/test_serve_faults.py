"""Faults over HTTP: what they do, who may ask for them, what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inferometer as im
from inferometer.asgi.body import read_body
from inferometer.serve import create_app, fault_routes
from inferometer.serve.loopback import host_is_loopback, is_loopback, is_loopback_name
from served_models import client_of, closing, served, tensor

FAULTS = "/v2/models/m/faults"
NONE = {"delay": 0, "error": 0, "stall": 0, "partial": 0}


def same(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return x


def test_a_fault_is_added_met_listed_and_cleared() -> None:
    model = served(same, faults=im.Faults(seed=1))

    async def main() -> None:
        async with client_of(create_app([model], allow_fault_injection=True)) as http:
            assert (await http.get(FAULTS)).json() == {"active": [], "injected": NONE}
            fault = {"kind": "error", "ratio": 1, "duration": 60}
            (active,) = (await http.post(FAULTS, json=fault)).json()["active"]
            assert (active["kind"], active["ratio"]) == ("error", 1.0)
            assert 0 < active["ends_in"] <= 60
            reply = await http.post("/v2/models/m/infer", json=tensor([1, 2]))
            assert reply.status_code == 500 and "injected fault" in reply.json()["error"]
            assert (await http.get(FAULTS)).json()["injected"] == {**NONE, "error": 1}
            assert len((await http.delete(f"{FAULTS}?kind=delay")).json()["active"]) == 1
            assert (await http.delete(FAULTS)).json()["active"] == []
            reply = await http.post("/v2/models/m/infer", json=tensor([1, 2]))
            assert reply.status_code == 200

    with closing(model):
        asyncio.run(main())


def test_without_permission_the_path_is_not_there() -> None:
    model = served(same, faults=im.Faults())

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            for method in ("GET", "POST", "DELETE"):
                reply = await http.request(method, FAULTS)
                assert (reply.status_code, reply.json()) == (404, {"error": "Not Found"})

    with closing(model):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "the body is no JSON: Expecting property name"),
        (b"[[[[[1]]]]]", "the body is no JSON: it is nested more than 4 deep"),
        (b"[]", 'want an object: {"kind": "delay"'),
        (b"{}", "kind: got none, want 'delay', 'error' or 'stall'"),
        ({"kind": "partial", "ratio": 1, "duration": 1}, "kind: got 'partial', want 'delay'"),
        ({"kind": ["delay"]}, "kind: got \"['delay']\", want 'delay'"),
        ({"kind": "delay", "duration": 1}, "seconds: got none, want a number above 0, 60 at most"),
        ({"kind": "delay", "seconds": 61, "duration": 1}, "seconds: got 61, want a number above 0"),
        ({"kind": "delay", "seconds": True, "duration": 1}, "seconds: got True, want a number"),
        ({"kind": "delay", "seconds": "1", "duration": 1}, "seconds: got 1, want a number"),
        ({"kind": "delay", "seconds": 1}, "duration: got none, want a number above 0, 3600 at mo"),
        ({"kind": "stall", "duration": 0}, "duration: got 0, want a number above 0, 3600 at most"),
        ({"kind": "stall", "duration": float("nan")}, "duration: got nan, want a number above 0"),
        ({"kind": "stall", "duration": 10**400}, "duration: got 1000000000000000000000000000000"),
        ({"kind": "error", "ratio": 1.5, "duration": 1}, "ratio: got 1.5, want a number above 0"),
        ({"kind": "error", "ratio": 1, "seconds": 1, "duration": 1}, "'seconds' is no option of a"),
        ({"kind": "stall", "duration": 1, "start_after": 9}, "'start_after' is no option of a fa"),
    ],
)
def test_what_is_no_fault_is_named(body: Any, text: str) -> None:
    model = served(same, faults=im.Faults())
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def main() -> None:
        async with client_of(create_app([model], allow_fault_injection=True)) as http:
            reply = await http.post(FAULTS, content=content)
            assert reply.status_code == 400
            assert reply.json()["error"].startswith(text)
            assert (await http.get(FAULTS)).json()["active"] == []

    with closing(model):
        asyncio.run(main())


def test_bounds_of_body_and_number() -> None:
    model = served(same, faults=im.Faults())
    other = served(same, name="n")

    async def main() -> None:
        app = create_app([model, other], allow_fault_injection=True)
        async with client_of(app) as http:
            assert (await http.post(FAULTS, content=b" " * 5000)).status_code == 413
            assert (await http.delete(f"{FAULTS}?kind=x")).status_code == 400
            assert (await http.get("/v2/models/q/faults")).status_code == 404
            reply = await http.get("/v2/models/n/faults")
            assert (reply.status_code, reply.json()["error"]) == (
                404,
                "no faults can be injected into model 'n'",
            )
            fault = {"kind": "delay", "seconds": 0.001, "duration": 60}
            for _ in range(100):
                assert (await http.post(FAULTS, json=fault)).status_code == 200
            reply = await http.post(FAULTS, json=fault)
            assert reply.status_code == 400
            assert reply.json()["error"].startswith("100 faults are in effect already")
            app.state.service.stop()  # which takes them back
            assert (await http.get(FAULTS)).json()["active"] == []
            assert (await http.post(FAULTS, json=fault)).status_code == 503

    with closing(model, other):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.8.9.1", {"host": "127.0.0.1:8000"}, 200),
        ("::1", {"host": "[::1]:8000"}, 200),
        ("::ffff:127.0.0.1", {"host": "LOCALHOST"}, 200),
        ("127.0.0.1", {"origin": "http://localhost:8000"}, 200),
        ("192.0.2.1", {}, 403),
        ("::ffff:192.0.2.1", {}, 403),
        ("testclient", {}, 403),
        ("127.0.0.1", {"host": "evil.example:8000"}, 403),
        ("127.0.0.1", {"host": "127.0.0.1.evil.example"}, 403),
        ("127.0.0.1", {"host": "]["}, 403),
        ("127.0.0.1", {"origin": "http://evil.example"}, 403),
        ("127.0.0.1", {"origin": "null"}, 403),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 403),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, 403),
        ("127.0.0.1", {"via": "1.1 proxy"}, 403),
        ("127.0.0.1", {"x-real-ip": "127.0.0.1"}, 403),
        ("127.0.0.1", {"x-forwarded-host": "localhost"}, 403),
        ("127.0.0.1", {"host": "evil.example@localhost"}, 403),
        ("127.0.0.1", {"host": "127.0.0.1/evil.example"}, 403),
        ("127.0.0.1", {"host": "localhost:8000:1"}, 403),
        ("127.0.0.1", {"origin": "http://evil.example@localhost"}, 403),
        ("::1", {"origin": "http://[::1]:8000"}, 200),
    ],
)
def test_only_this_machine_may_ask(client: str, headers: dict[str, str], status: int) -> None:
    model = served(same, faults=im.Faults())

    async def main() -> None:
        app = create_app([model], allow_fault_injection=True)
        async with client_of(app, client=(client, 1)) as http:
            fault = {"kind": "stall", "duration": 1}
            for method in ("POST", "GET", "DELETE"):
                reply = await http.request(method, FAULTS, headers=headers, json=fault)
                assert reply.status_code == status
            if status != 200:
                assert model.faults is not None and model.faults.active() == []

    with closing(model):
        asyncio.run(main())


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    model = served(same, faults=im.Faults())
    monkeypatch.setattr(fault_routes, "read_body", partial(read_body, seconds=0.01))

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async def main() -> None:
        async with client_of(create_app([model], allow_fault_injection=True)) as http:
            reply = await http.post(FAULTS, content=body())
            assert (reply.status_code, reply.headers["connection"]) == (408, "close")
            assert reply.json() == {"error": "the body took more than 0.01 s to arrive"}

    with closing(model):
        asyncio.run(main())


def test_what_is_this_machine() -> None:
    for address in ("127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1"):
        assert is_loopback(address)
    for address in ("0.0.0.0", "::", "192.0.2.1", "localhost", "", "fe80::1%eth0", "1"):
        assert not is_loopback(address)
    assert is_loopback_name("LocalHost") and is_loopback_name("[::1]")
    assert not is_loopback_name("localhost.evil.example")
    assert host_is_loopback("127.0.0.1") and host_is_loopback("localhost")
    assert not host_is_loopback("0.0.0.0") and not host_is_loopback("::")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    document=st.dictionaries(
        st.sampled_from(["kind", "seconds", "ratio", "duration", "a"]),
        st.sampled_from(["delay", "error", "stall", 0.5, 1, 60]) | SCALARS,
    )
)
def test_any_document_is_a_fault_that_ends_or_refused(document: dict[str, Any]) -> None:
    model = served(same, faults=im.Faults())

    async def main() -> None:
        async with client_of(create_app([model], allow_fault_injection=True)) as http:
            reply = await http.post(FAULTS, content=json.dumps(document).encode())
            if reply.status_code == 200:
                (active,) = reply.json()["active"] or [{"ends_in": 0.0}]
                assert 0 <= active["ends_in"] <= 3600
            else:
                assert reply.status_code == 400 and reply.json()["error"]

    with closing(model):
        asyncio.run(main())
