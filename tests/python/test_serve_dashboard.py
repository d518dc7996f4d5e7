"""The page of `inferometer serve`."""

from __future__ import annotations

import httpx
import pytest

import inferometer as im
from inferometer.cli import main
from service_process import REPOSITORY, ServiceProcess


def test_the_page_shows_what_the_process_has_seen() -> None:
    with ServiceProcess() as service, httpx.Client(base_url=service.url) as client:
        moved = client.get("/dashboard?var-model=m")
        assert (moved.status_code, moved.headers["location"]) == (307, "dashboard/?var-model=m")
        page = client.get("/dashboard", follow_redirects=True)
        assert page.url.path == "/dashboard/"
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        about = client.get("/dashboard/api/page").json()
        assert about["source"]["kind"] == "history"
        assert 'href="/dashboard/"' in client.get("/").text


def test_the_page_asks_the_prometheus_that_is_named() -> None:
    url = "http://127.0.0.1:9"
    with ServiceProcess("--prometheus-url", url) as service:
        about = httpx.get(f"{service.url}/dashboard/api/page").json()
    assert (about["source"]["kind"], about["source"]["url"]) == ("prometheus", url)


@pytest.mark.parametrize("url", ["nonsense", "http://[::1"])
def test_a_wrong_url_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(REPOSITORY), "--prometheus-url", url]) == 2
    assert f"prometheus_url: got '{url}', want http://" in capsys.readouterr().err
    assert im.default_registry().history_stats() is None
