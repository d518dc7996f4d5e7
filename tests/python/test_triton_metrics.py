"""Triton's metric families: compared with Triton's own exposition, and counted as Triton counts."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import inferometer as im
from gated_model import GatedModel

# What a Triton server answered on /metrics with summaries on, label order and all.
SAMPLE = Path(__file__).resolve().parent.parent / "data" / "triton_metrics_sample.txt"

# Of Triton's families those that are not built here: there is no pinned memory, and summaries
# cannot be added up over servers (the histograms are there instead).
NOT_BUILT = re.compile(r"nv_pinned_memory_pool_.*|.*_summary_.*")
# Families of a host or a device: their HELP has the sense, not the words.
MONITORED = re.compile(r"nv_gpu_.*|nv_cpu_.*|nv_energy_.*")

LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")


class Sample(NamedTuple):
    """One line of an exposition."""

    name: str
    labels: dict[str, str]  # in the order in which they are printed
    value: str


class Family(NamedTuple):
    """One family of an exposition as its text shows it."""

    help: str
    type: str
    samples: list[Sample]

    def label_names(self) -> set[tuple[str, ...]]:
        """Label names of its samples, in the order in which they are printed."""
        return {tuple(sample.labels) for sample in self.samples}


def read_text(text: str) -> dict[str, Family]:
    """Families by name. A parser would lose what is compared: label order, number format."""
    families: dict[str, Family] = {}
    help_of: dict[str, str] = {}
    family = Family("", "", [])
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, _, words = line.removeprefix("# HELP ").partition(" ")
            help_of[name] = words
        elif line.startswith("# TYPE "):
            name, kind = line.removeprefix("# TYPE ").split(" ")
            family = families[name] = Family(help_of[name], kind, [])
        else:
            match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            assert match, line
            labels = dict(LABEL.findall(match[2] or ""))
            family.samples.append(Sample(match[1], labels, match[3]))
    return families


def exposed(registry: im.Registry) -> dict[str, Family]:
    body, _ = im.render_metrics(registry)
    return read_text(body.decode())


def counts(registry: im.Registry, model: str = "m", version: str = "1") -> dict[str, float]:
    """Counters of one model by name without ``nv_inference_``, failures by reason; 0 left out."""
    found: dict[str, float] = {}
    for name, family in exposed(registry).items():
        if not name.startswith("nv_inference_") or family.type != "counter":
            continue
        for sample in family.samples:
            if (sample.labels["model"], sample.labels["version"]) != (model, version):
                continue
            key = sample.labels.get("reason", name.removeprefix("nv_inference_"))
            if float(sample.value) > 0 and not name.endswith("_us"):
                found[key] = float(sample.value)
    return found


def duration(registry: im.Registry, which: str) -> float:
    value = registry.sample_value(
        f"nv_inference_{which}_duration_us", {"model": "m", "version": "1"}
    )
    assert value is not None
    return value


def row(count: int = 1) -> np.ndarray[Any, Any]:
    return np.ones((count, 2), np.float32)


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9.]*[a-z0-9]", text.lower()))


def test_every_family_of_triton_is_there_and_looks_the_same() -> None:
    """HELP, TYPE, label names and their order, number format: family by family."""
    registry = im.Registry(monitors=True)
    triton = read_text(SAMPLE.read_text(encoding="utf-8"))
    assert len(triton) == 20
    with im.Engine(lambda x: x, name="m", registry=registry) as engine:
        engine.infer(row())
        ours = exposed(registry)
    for name, theirs in triton.items():
        if NOT_BUILT.fullmatch(name):
            assert name not in ours, f"{name} is built: compare it"
            continue
        assert name in ours, f"{name} is missing"
        family = ours[name]
        if MONITORED.fullmatch(name):
            assert words(theirs.help) <= words(family.help), name
        else:
            assert family.help == theirs.help, name
        assert family.type == theirs.type, name
        assert family.label_names() == theirs.label_names(), name
        assert [s.labels.get("reason") for s in family.samples] == [
            s.labels.get("reason") for s in theirs.samples
        ], name
        whole = all(sample.value.isdigit() for sample in theirs.samples)
        for sample in family.samples:
            assert PLAIN.fullmatch(sample.value), sample
            assert sample.value.isdigit() or not whole, sample


def test_values_of_nv_families_never_show_an_exponent(registry: im.Registry) -> None:
    with im.Engine(lambda x: x, name="m", registry=registry) as engine:
        engine.infer(row())
        families = {n: f for n, f in exposed(registry).items() if n.startswith("nv_")}
    assert "nv_model_load_duration_secs" in families
    assert "nv_inference_request_latency_us" in families
    for name, family in families.items():
        for sample in family.samples:
            assert PLAIN.fullmatch(sample.value), (name, sample)


def test_a_new_model_shows_every_series_at_0(registry: im.Registry) -> None:
    with im.Engine(lambda x: x, name="m", version="7", registry=registry):
        assert counts(registry, version="7") == {}
        families = exposed(registry)
    assert len(families["nv_inference_request_failure"].samples) == 4
    load = float(families["nv_model_load_duration_secs"].samples[0].value)
    assert 0 < load < 60
    assert not [name for name in exposed(registry) if name.startswith("nv_inference")]


def test_successes_count_requests_rows_and_executions(registry: im.Registry) -> None:
    with im.Engine(lambda x: x, name="m", registry=registry) as engine:
        for rows in (1, 3):
            engine.infer(row(rows))
        assert counts(registry) == {"request_success": 2, "count": 4, "exec_count": 2}


def test_objects_count_one_inference_each(registry: im.Registry) -> None:
    @im.batched(im.Batching(max_batch_size=8), name="m", registry=registry)
    def upper(words: list[str]) -> list[str]:
        return [word.upper() for word in words]

    assert [upper(word) for word in "abc"] == ["A", "B", "C"]
    assert counts(registry) == {"request_success": 3, "count": 3, "exec_count": 3}


def test_a_batch_is_one_execution_and_its_time_counts_for_each_request(
    registry: im.Registry,
) -> None:
    batching = im.Batching(max_batch_size=8, max_queue_delay=60.0)
    with im.Engine(lambda x: x * 2, name="m", registry=registry, batching=batching) as engine:
        requests = [engine.submit(row(2)) for _ in range(4)]  # a full batch
        timings = []
        for request in requests:
            request.result()
            timings.append(request.timing)
        assert counts(registry) == {"request_success": 4, "count": 8, "exec_count": 1}
        assert duration(registry, "request") == sum(round(t.total * 1e9) // 1000 for t in timings)
        assert duration(registry, "queue") == sum(round(t.queue * 1e9) // 1000 for t in timings)
        whole = timings[0].compute * 1e6
        parts = duration(registry, "compute_infer") + duration(registry, "compute_output")
        assert parts % 4 == 0
        assert parts / 4 <= whole < parts / 4 + 2
        assert duration(registry, "compute_input") == 0  # the rows lie side by side


def test_rows_of_several_buffers_are_gathered_and_timed(registry: im.Registry) -> None:
    """A cancelled request leaves a hole, around which a batch is copied."""
    columns = 1 << 18  # a copy of two rows takes well over a microsecond
    wide = np.ones((1, columns), np.float32)
    with (
        GatedModel() as model,
        im.Engine(
            model, name="m", registry=registry, batching=im.Batching(max_batch_size=8)
        ) as engine,
    ):
        first = engine.submit(wide)
        model.wait_entered(1)
        waiting = [engine.submit(wide) for _ in range(3)]
        assert waiting[1].cancel()
        model.release(2)
        for request in (first, waiting[0], waiting[2]):
            request.result(60)
        assert duration(registry, "compute_input") > 0
        assert duration(registry, "compute_output") > 0  # answers of a Python model are copied
        assert counts(registry) == {
            "request_success": 3,
            "count": 3,
            "exec_count": 2,
            "CANCELED": 1,
        }


def test_a_failing_model_is_backend_and_has_no_durations(registry: im.Registry) -> None:
    def broken(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        raise RuntimeError("no")

    with im.Engine(broken, name="m", registry=registry) as engine:
        for _ in range(3):
            with pytest.raises(im.ModelError):
                engine.infer(row())
        assert counts(registry) == {"BACKEND": 3, "exec_count": 3}
        for which in ("request", "queue", "compute_infer"):
            assert duration(registry, which) == 0


def test_refused_late_cancelled_shut_down_and_invalid_requests(registry: im.Registry) -> None:
    with GatedModel() as model:
        engine = im.Engine(
            model,
            name="m",
            registry=registry,
            inputs=[im.Spec("x", "float32", (-1, 2))],
            batching=im.Batching(max_batch_size=1, max_queue_size=3),
        )
        running = engine.submit(row())
        model.wait_entered(1)
        late = engine.submit(row(), timeout=0.001)
        with pytest.raises(im.DeadlineExceededError):
            late.result(60)
        cancelled = engine.submit(row())
        assert cancelled.cancel()
        waiting = [engine.submit(row()) for _ in range(3)]
        pending = registry.sample_value(
            "nv_inference_pending_request_count", {"model": "m", "version": "1"}
        )
        assert pending == 3
        with pytest.raises(im.QueueFullError):
            engine.submit(row())
        with pytest.raises(im.ShapeError):
            engine.submit(np.ones((1, 3), np.float32))  # invalid: no failure in Triton's eyes
        assert counts(registry) == {"REJECTED": 2, "CANCELED": 1}
        closing = threading.Thread(target=engine.close)
        closing.start()
        for request in (running, *waiting):
            with pytest.raises(im.ClosedError):
                request.result(60)
        assert counts(registry) == {"REJECTED": 2, "CANCELED": 1, "OTHER": 4}
        model.release()
        closing.join(60)
        assert not closing.is_alive()
    assert counts(registry) == {}  # gone with the model


def test_the_histogram_holds_what_the_one_in_seconds_holds(registry: im.Registry) -> None:
    with im.Engine(lambda x: x, name="m", registry=registry) as engine:
        for _ in range(50):
            engine.infer(row())
        families = exposed(registry)
    micros = families["nv_inference_request_latency_us"].samples
    seconds = families["inference_latency_seconds"].samples
    assert len(micros) == len(seconds) == 24
    for ours, theirs in zip(micros, seconds, strict=True):
        if "le" in theirs.labels:
            want = float(theirs.labels["le"]) * 1e6
            assert float(ours.labels["le"]) == pytest.approx(want, rel=1e-12)
        if ours.name.endswith("_sum"):
            assert 0 <= float(theirs.value) * 1e6 - float(ours.value) < 1.001
        else:
            assert ours.value == theirs.value
