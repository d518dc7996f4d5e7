"""GPUs, machine and process in the exposition, end to end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import inferometer as im
from exposition_parsers import parse_openmetrics, parse_text
from inferometer import _core

ROOT = Path(__file__).resolve().parent.parent.parent
FAKE = ROOT / "build/release/cpp/tests/fakes/nvml/fake_nvml/libnvidia-ml.so.1"
GPU_FAMILIES = {
    "gpu_memory_used_bytes",
    "gpu_memory_total_bytes",
    "gpu_utilization_ratio",
    "gpu_clock_hertz",
    "gpu_temperature_celsius",
    "nv_gpu_utilization",
    "nv_gpu_memory_total_bytes",
    "nv_gpu_memory_used_bytes",
    "nv_gpu_power_usage",
    "nv_gpu_power_limit",
    "nv_energy_consumption",
}
HOST_FAMILIES = {"nv_cpu_utilization", "nv_cpu_memory_total_bytes", "nv_cpu_memory_used_bytes"}
PROCESS_FAMILIES = {
    "process_cpu_seconds",
    "process_open_fds",
    "process_max_fds",
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}

needs_fake = pytest.mark.skipif(
    not FAKE.exists(), reason="no fake NVML (scripts/setup.sh test; ninja -C build/release gtests)"
)


def families(text: str) -> set[str]:
    """The families of the machine and the process in an exposition."""
    return {
        family.name
        for family in parse_text(text.encode())
        if family.name.startswith(("gpu_", "nv_", "process_"))
    }


def rendered(registry: im.Registry) -> str:
    """The exposition as text."""
    return im.render_metrics(registry)[0].decode()


def run(program: str, *, library: Path | str, script: Path | None = None) -> str:
    """The output of a fresh interpreter with that NVML and, for the fake, its script."""
    environment = os.environ | {"INFEROMETER_NVML_LIBRARY": str(library)}
    if script is not None:
        environment["FAKE_NVML_SCRIPT"] = str(script)
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=True,
    ).stdout


def replace(path: Path, text: str) -> None:
    """Writes a file so that no reader sees a part of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def eventually(condition: Callable[[], bool]) -> None:
    """Polls `condition`: samples are at most two seconds old, but nobody says when they are."""
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


RENDER = "import inferometer as im; print(im.render_metrics()[0].decode())"
NO_NVML = "libnvidia-ml-that-is-not-there.so.1"


@needs_fake
def test_the_default_registry_shows_the_machine(tmp_path: Path) -> None:
    readme = (ROOT / "tests/fakes/nvml/README.md").read_text()
    example = re.search(r"```ini\n(.*?)```", readme, re.DOTALL)
    assert example is not None
    script = tmp_path / "gpus"
    script.write_text(example[1])
    text = run(RENDER, library=FAKE, script=script)
    assert families(text) == GPU_FAMILIES | HOST_FAMILIES | PROCESS_FAMILIES
    uuid = "GPU-11111111-2222-3333-4444-555555555555"
    assert f'nv_gpu_power_usage{{gpu_uuid="{uuid}"}} 71.337\n' in text
    assert 'gpu_clock_hertz{device_id="0",clock="sm"} 1980000000\n' in text
    assert 'gpu_utilization_ratio{device_id="1"} 0.0\n' in text
    assert 'gpu_temperature_celsius{device_id="1"}' not in text


def test_without_nvml_there_are_no_gpu_families() -> None:
    assert families(run(RENDER, library=NO_NVML)) == HOST_FAMILIES | PROCESS_FAMILIES


def test_importing_loads_nothing() -> None:
    program = """
import inferometer as im
maps = lambda: "libnvidia-ml" in open("/proc/self/maps").read()
before = maps()
im.render_metrics()
print(before, maps())
"""
    assert run(program, library=NO_NVML).split() == ["False", "False"]
    if FAKE.exists():
        assert run(program, library=FAKE).split() == ["False", "True"]


def test_a_registry_of_ones_own_has_none_unless_asked() -> None:
    assert families(rendered(im.Registry())) == set()
    shown = families(rendered(im.Registry(monitors=True)))
    assert shown >= HOST_FAMILIES | PROCESS_FAMILIES


@needs_fake
def test_values_change_while_the_process_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "gpus"
    monkeypatch.setenv("FAKE_NVML_SCRIPT", str(script))

    def temperature(registry: im.Registry) -> float | None:
        return registry.sample_value("gpu_temperature_celsius", {"device_id": "0"})

    def registry() -> im.Registry:
        made = im.Registry()
        _core.attach_monitors(made, host=False, process=False, nvml_library=FAKE)
        return made

    replace(script, "[gpu]\ntemperature = 40\n")
    first = registry()
    assert temperature(first) == 40
    replace(script, "[gpu]\ntemperature = 90\n")
    assert temperature(registry()) == 90  # a new registry has no older sample
    eventually(lambda: temperature(first) == 90)
    replace(script, "[gpu]\ntemperature = !GPU_IS_LOST\n")
    eventually(lambda: temperature(first) is None)
    replace(script, "[gpu]\ntemperature = 45\n")
    eventually(lambda: temperature(first) == 45)


@needs_fake
@pytest.mark.parametrize("scraped_before", [False, True])
def test_gpus_in_a_forked_child(tmp_path: Path, scraped_before: bool) -> None:
    """A child has them unless its parent has loaded NVML; the fake aborts if that is used."""
    script = tmp_path / "gpus"
    script.write_text("[gpu]\ntemperature = 40\n")
    program = f"""
import os
import inferometer as im
if {scraped_before}:
    im.render_metrics()
child = os.fork()
text = im.render_metrics()[0].decode()
if child == 0:
    os.write(1, b"child %d %d\\n" % ("gpu_temperature_celsius{{" in text, "\\nprocess_" in text))
    os._exit(0)
print("status", os.waitpid(child, 0)[1], "gpu_temperature_celsius{{" in text)
"""
    lines = run(program, library=FAKE, script=script).splitlines()
    assert sorted(lines) == [f"child {int(not scraped_before)} 1", "status 0 True"]


def test_the_process_is_this_one() -> None:
    text = rendered(im.Registry(monitors=True))
    values = {
        sample.name: sample.value
        for family in parse_text(text.encode())
        for sample in family.samples
    }
    spent = os.times()
    assert 0 <= values["process_cpu_seconds_total"] <= spent.user + spent.system + 0.02
    assert 3 <= values["process_open_fds"] <= values["process_max_fds"]
    assert values["process_resident_memory_bytes"] < values["process_virtual_memory_bytes"]
    assert values["process_start_time_seconds"] <= time.time()
    assert 0 < values["nv_cpu_memory_used_bytes"] < values["nv_cpu_memory_total_bytes"]


def test_the_names_are_those_of_prometheus_client() -> None:
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

    theirs = CollectorRegistry()
    ProcessCollector(registry=theirs)
    text = generate_latest(theirs).decode()
    ours = rendered(im.Registry(monitors=True))
    described = set(re.findall(r"^# TYPE process_.*$", text, re.MULTILINE))
    assert described == set(re.findall(r"^# TYPE process_.*$", ours, re.MULTILINE))


@needs_fake
def test_strict_openmetrics(tmp_path: Path) -> None:
    script = tmp_path / "gpus"
    script.write_text("""[gpu]
uuid = GPU-a
utilization = 5
memory_used = 1
memory_total = 2
energy = 3
sm_clock = 4
memory_clock = 5
temperature = 6
power_usage = 7
power_limit = 8
""")
    program = """
import inferometer as im
print(im.render_metrics(accept="application/openmetrics-text; version=1.0.0")[0].decode(), end="")
"""
    text = run(program, library=FAKE, script=script)
    assert text.endswith("# EOF\n")
    types = {
        family.name: family.type
        for family in parse_openmetrics(text.encode())
        if family.name.startswith(("gpu_", "nv_", "process_"))
    }
    assert set(types) == GPU_FAMILIES | HOST_FAMILIES | PROCESS_FAMILIES
    # A counter of OpenMetrics ends in _total; Triton's does not.
    assert types.pop("nv_energy_consumption") == "unknown"
    assert types.pop("process_cpu_seconds") == "counter"
    assert set(types.values()) == {"gauge"}


def test_a_fake_proc(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 5 kB\nMemAvailable: 3 kB\n")
    registry = im.Registry()
    _core.attach_monitors(registry, gpu=False, process=False, proc=tmp_path)
    assert registry.sample_value("nv_cpu_memory_total_bytes") == 5120
    assert registry.sample_value("nv_cpu_memory_used_bytes") == 2048
    assert registry.sample_value("nv_cpu_utilization") is None


def test_proc_must_be_named() -> None:
    with pytest.raises(im.ConfigError, match="got an empty proc, want a directory"):
        _core.attach_monitors(im.Registry(), proc="")


@pytest.mark.parametrize(
    "name", ["process_open_fds", "nv_cpu_utilization", "nv_energy_consumption"]
)
def test_the_names_are_taken(name: str) -> None:
    with pytest.raises(im.ConfigError, match="does not collide"):
        im.Registry().gauge(name)


def test_a_library_that_is_none_is_no_error(tmp_path: Path) -> None:
    library = tmp_path / "libnvidia-ml.so.1"
    library.write_bytes(b"\x7fELF" + bytes(100))
    registry = im.Registry()
    _core.attach_monitors(registry, host=False, process=False, nvml_library=library)
    assert families(rendered(registry)) == set()
    assert registry.sample_value("inferometer_collector_errors_total") == 0
