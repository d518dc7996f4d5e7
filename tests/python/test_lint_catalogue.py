"""The catalogue as data agrees with what is exposed; every metric has a unit and a range."""

from __future__ import annotations

import math

import numpy as np
import pytest

import inferometer as im
from inferometer import _core
from inferometer.monitoring import catalogue as module
from inferometer.monitoring.catalogue import catalogue, unit_by_suffix
from inferometer.monitoring.lint.exposition_metrics import parse_exposition
from inferometer.monitoring.lint.samples import catalogue_samples
from inferometer.monitoring.lint.units import BY_NAME


def test_every_metric_of_the_core_has_an_entry() -> None:
    assert list(catalogue()) == [row[0] for row in _core.catalogue()]
    for metric in catalogue().values():
        assert metric.unit in {*BY_NAME, "flag", "microseconds"}, metric.name
        assert metric.low <= metric.high
        assert math.isfinite(metric.high) == (metric.unit in ("ratio", "flag", "celsius"))
        assert bool(metric.edges) == (metric.type == "histogram")
        assert list(metric.edges) == sorted(metric.edges)


def test_exceptions_are_about_metrics_that_exist() -> None:
    names = set(catalogue())
    assert set(module._UNITS_BY_NAME) <= names
    assert set(module._RANGES) <= names
    assert {*module._PART_OF, *module._PART_OF.values()} <= names
    assert {name for name, _ in module._VALUES} <= names
    # An exception that the name says itself would never be noticed to be wrong.
    assert not [name for name in module._UNITS_BY_NAME if unit_by_suffix(name)]


def test_a_metric_without_a_unit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(module._UNITS_BY_NAME, "inference_queue_depth")
    with pytest.raises(LookupError, match="inference_queue_depth: got no unit"):
        catalogue.__wrapped__()


def test_samples_labels_and_closed_values_are_those_exposed() -> None:
    registry = im.Registry(monitors=True)
    with im.Engine(lambda x: x, name="m", registry=registry, latency_objective=1.0) as engine:
        engine.infer(np.zeros((1, 2), np.float32))
        text = im.render_metrics(registry)[0].decode()
    known = catalogue_samples()
    exposed = parse_exposition(text)
    assert len(exposed) >= 50
    for name, sample in exposed.items():
        assert name in known, name
        assert known[name].kind == sample.kind, name
        assert known[name].labels == sample.labels, name
        assert known[name].edges == sample.edges, name
        if sample.values:
            assert set(known[name].values["le"]) == set(sample.values["le"])
    for metric in catalogue().values():
        for label, values in metric.values.items():
            found = values_of(text, metric.name, label)
            if label != "le" and found:
                assert found == set(values), f"{metric.name} {label}"
            assert found or metric.name.startswith("gpu_") or label == "le", metric.name


def values_of(text: str, name: str, label: str) -> set[str]:
    lines = [line for line in text.splitlines() if line.startswith(name + "{")]
    return {line.split(f'{label}="')[1].split('"')[0] for line in lines if f'{label}="' in line}


def test_exposed_values_lie_within_their_range() -> None:
    registry = im.Registry(monitors=True)
    with im.Engine(lambda x: x, name="m", registry=registry, latency_objective=1.0):
        text = im.render_metrics(registry)[0].decode()
    known = catalogue_samples()
    for line in text.splitlines():
        if not line.startswith("#"):
            sample = known[line.split("{")[0].split(" ")[0]]
            assert float(line.rpartition(" ")[2]) in sample.range, line
