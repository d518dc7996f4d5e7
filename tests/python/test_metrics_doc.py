"""docs/metrics.md says what the catalogue in the core says, and what is exposed is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

import inferometer as im
import metrics_doc
from inferometer import _core


def test_the_committed_page_is_up_to_date() -> None:
    assert metrics_doc.main(["--check"]) == 0, "run scripts/metrics_doc.py"


def test_an_outdated_page_is_found_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(metrics_doc, "PAGE", tmp_path / "metrics.md")
    assert metrics_doc.main(["--check"]) == 1
    assert "run scripts/metrics_doc.py" in capsys.readouterr().out
    assert metrics_doc.main([]) == 0
    assert metrics_doc.main(["--check"]) == 0
    assert metrics_doc.main(["--cheque"]) == 2


def test_every_row_is_complete() -> None:
    for name, kind, labels, bounds, help_text, when in _core.catalogue():
        assert kind in ("counter", "gauge", "histogram"), name
        assert bool(bounds) == (kind == "histogram"), name
        assert len(set(labels)) == len(labels), name
        assert help_text, name
        assert when.endswith("."), f"{name}: want a sentence on when it counts"


def test_the_engine_exposes_what_the_catalogue_lists() -> None:
    padding = {"inference_padding_elements_total", "inference_elements_total"}
    registry = im.Registry()
    with im.Engine(lambda x: x, name="m", registry=registry, latency_objective=1.0):
        body, _ = im.render_metrics(registry)
    exposed = {line.split(" ")[2] for line in body.decode().splitlines() if line[:6] == "# TYPE"}
    listed = {row[0] for row in _core.catalogue()}
    assert exposed <= listed
    engines = {n for n in listed if n.startswith(("inference_", "nv_inference_"))}
    assert engines - exposed == padding, "an engine without padding shows the rest"
    assert "inferometer_device_errors_total" in exposed


def test_units_follow_the_names() -> None:
    assert metrics_doc.unit_of("inference_busy_seconds_total", "") == "seconds"
    assert metrics_doc.unit_of("nv_inference_queue_duration_us", "") == "microseconds"
    assert metrics_doc.unit_of("nv_gpu_power_usage", "GPU power usage in watts") == "watts"
    assert metrics_doc.unit_of("inference_requests_total", "Requests.") == ""
