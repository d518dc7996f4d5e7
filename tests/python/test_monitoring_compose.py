"""The containers, as far as they can be judged without an engine: by what the files say."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest
import yaml

from conftest import ROOT
from inferometer.monitoring import Settings
from inferometer.monitoring.files import names, render

SERVICES = {
    "triton": ("triton_server", ["127.0.0.1:8000:8000", "127.0.0.1:8002:8002"]),
    "prometheus": ("prometheus", ["127.0.0.1:9090:9090"]),
    "alertmanager": ("alertmanager", ["127.0.0.1:9093:9093"]),
    "grafana": ("grafana", ["127.0.0.1:3000:3000"]),
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The committed compose file."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "configs/docker-compose.yaml").read_text())
    return content


@pytest.fixture(scope="module")
def dockerfile() -> list[str]:
    """The instructions of the committed Dockerfile, one a line."""
    text = (ROOT / "configs/Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [line for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line]


def test_it_has_the_services_network_and_volumes(compose: dict[str, Any]) -> None:
    assert list(compose["services"]) == list(SERVICES)
    assert compose["networks"] == {"triton-network": {"name": "triton-network"}}
    assert compose["volumes"] == {"prometheus_data": None, "grafana_data": None}


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_local_watched_and_restarted(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    container, ports = SERVICES[name]
    assert service["container_name"] == container
    assert service["ports"] == ports
    assert service["networks"] == ["triton-network"]
    assert service["restart"] == "unless-stopped"
    assert service["security_opt"] == ["no-new-privileges:true"]
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()


def test_images_are_pinned_and_the_services_own_is_built(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name == "triton":
            assert service["build"] == {
                "context": "${INFEROMETER_SOURCE:-..}",
                "dockerfile": "configs/Dockerfile",
            }
        else:
            assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", service["image"])


def test_what_is_mounted_is_written_and_cannot_be_changed(compose: dict[str, Any]) -> None:
    written = set(names(Settings()))
    folders = {name.rpartition("/")[0] for name in written}
    mounted = set()
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source, _, rest = volume.rpartition(":/")
            if source.startswith("./"):
                assert rest.endswith(":ro")
                mounted.add(source.removeprefix("./"))
            else:
                assert source in {*compose["volumes"], "${MODEL_REPOSITORY:-../model_repository}"}
    assert mounted <= written | folders
    # Whatever Prometheus' configuration loads is mounted beside it.
    rules = yaml.safe_load(render("prometheus.yml", Settings()))["rule_files"]
    assert {"prometheus.yml", "alertmanager.yml", *rules} <= mounted
    assert {"grafana/datasources", "grafana/dashboards"} <= mounted


def test_the_models_are_those_of_the_checkout(compose: dict[str, Any]) -> None:
    (models,) = compose["services"]["triton"]["volumes"]
    assert models == "${MODEL_REPOSITORY:-../model_repository}:/models:ro"
    assert (ROOT / "configs" / "../model_repository/resnet_model/config.pbtxt").exists()


def test_grafana_has_the_demo_login_and_a_source_that_is_a_service(
    compose: dict[str, Any],
) -> None:
    environment = compose["services"]["grafana"]["environment"]
    assert environment["GF_SECURITY_ADMIN_USER"] == "${GRAFANA_USER:-admin}"
    assert environment["GF_SECURITY_ADMIN_PASSWORD"] == "${GRAFANA_PASSWORD:-admin}"
    (source,) = yaml.safe_load(render("grafana/datasources/prometheus.yml", Settings()))[
        "datasources"
    ]
    assert (source["url"], source["isDefault"]) == ("http://prometheus:9090", True)
    (provider,) = yaml.safe_load(render("grafana/dashboards/dashboard.yml", Settings()))[
        "providers"
    ]
    assert (
        f"./grafana/dashboards:{provider['options']['path']}:ro"
        in (compose["services"]["grafana"]["volumes"])
    )


def test_prometheus_keeps_as_long_as_asked(compose: dict[str, Any]) -> None:
    assert "--storage.tsdb.retention.time=15d" in compose["services"]["prometheus"]["command"]
    other = yaml.safe_load(render("docker-compose.yaml", Settings(retention="2d")))
    assert "--storage.tsdb.retention.time=2d" in other["services"]["prometheus"]["command"]


def test_ports_that_are_asked_for_are_published() -> None:
    settings = Settings(http_port=18000, metrics_port=18002, grafana_port=13000)
    services = yaml.safe_load(render("docker-compose.yaml", settings))["services"]
    assert services["triton"]["ports"] == ["127.0.0.1:18000:8000", "127.0.0.1:18002:8002"]
    assert services["grafana"]["ports"] == ["127.0.0.1:13000:3000"]
    # Inside the network nothing changes.
    (scrape,) = yaml.safe_load(render("prometheus.yml", settings))["scrape_configs"]
    assert scrape["static_configs"][0]["targets"] == ["triton:8002"]


def test_alertmanager_reaches_a_webhook_of_the_host(compose: dict[str, Any]) -> None:
    assert compose["services"]["alertmanager"]["extra_hosts"] == [
        "host.docker.internal:host-gateway"
    ]
    text = (ROOT / "configs/alertmanager.yml").read_text()
    assert set(re.findall(r'url: "(.*)"', text)) == {"http://host.docker.internal:9099/"}


def test_the_image_is_built_in_two_stages_and_copies_what_exists(dockerfile: list[str]) -> None:
    stages = [line for line in dockerfile if line.startswith("FROM ")]
    assert [stage.split()[1] for stage in stages] == [
        "debian:bookworm-slim",
        "python:3.11-slim-bookworm",  # Debian 12's own Python is 3.11 too: the wheel fits
    ]
    copied = [line.split()[1:-1] for line in dockerfile if line.startswith("COPY ")]
    assert copied[-1] == ["--from=wheel", "/source/dist/*.whl"]
    for source in [source for sources in copied[:-1] for source in sources]:
        assert (ROOT / source).exists()
    assert any("scripts/build_wheel.sh" in line for line in dockerfile)


def test_the_wheels_build_reads_nothing_that_is_not_copied(dockerfile: list[str]) -> None:
    # What pyproject.toml and CMake name, and what the script calls.
    copied = {part for line in dockerfile if line.startswith("COPY ") for part in line.split()}
    for needed in ("pyproject.toml", "CMakeLists.txt", "README.md", "LICENSE", "cpp", "python"):
        assert needed in copied
    script = (ROOT / "scripts/build_wheel.sh").read_text()
    called = set(re.findall(r"\b(scripts|examples|tests|docs|configs)/\w+", script))
    assert called == {"scripts"}


def test_the_image_runs_the_service_as_a_user_of_its_own(dockerfile: list[str]) -> None:
    last_stage = dockerfile[max(i for i, line in enumerate(dockerfile) if line[:5] == "FROM ") :]
    words = {line.split()[0]: line.split(maxsplit=1)[1] for line in last_stage}
    assert words["USER"] not in ("root", "0")
    assert any(f"useradd --system --uid 10001 --create-home {words['USER']}" in line
               for line in last_stage)  # fmt: skip
    command = [*json.loads(words["ENTRYPOINT"]), *json.loads(words["CMD"])]
    assert command == ["inferometer", "serve", "/models", "--host", "0.0.0.0"]
    assert words["EXPOSE"].split() == ["8000", "8002"]


def test_image_and_compose_file_ask_for_health_in_the_same_way(
    compose: dict[str, Any], dockerfile: list[str]
) -> None:
    (line,) = (line for line in dockerfile if line.startswith("HEALTHCHECK "))
    program = json.loads(line.partition(" CMD ")[2])
    check = compose["services"]["triton"]["healthcheck"]
    in_compose = check["test"][1:]
    assert program[:2] == in_compose[:2] == ["python", "-c"]
    assert program[2].replace("'", '"') == in_compose[2]
    compile(program[2], "HEALTHCHECK", "exec")
    options = dict(part.removeprefix("--").split("=") for part in shlex.split(line)[1:5])
    assert options == {
        "interval": check["interval"],
        "timeout": check["timeout"],
        "start-period": check["start_period"],
        "retries": str(check["retries"]),
    }
