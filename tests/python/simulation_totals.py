"""What the metrics of a simulated engine must add up to, worked out from a history."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from batching_history import History


def agree(h: History, sim: Any) -> None:
    """`stats()` and the registry count and time what the history says, to the nanosecond."""
    stats = sim.stats()
    check_stats(h, stats)
    check_registry(h, stats, sim.registry)
    check_padding(h, sim.registry)


def check_stats(h: History, stats: dict[str, Any]) -> None:
    batches = h.batches
    came = {ending.id: h.arrivals[ending.id].at for ending in h.requests}
    assert +Counter(stats["requests"]) == Counter(ending.outcome for ending in h.requests)
    assert +Counter(stats["batches"]) == Counter(batch.reason for batch in batches)
    expected = {
        "latency": [ending.ended - came[ending.id] for ending in h.accepted()],
        "queue": [batches[e.batch].start - came[e.id] for e in h.requests if e.batch is not None],
        "compute": [batch.end - batch.start for batch in batches],
        "batch_size": [batch.rows for batch in batches],
    }
    for name, values in expected.items():
        unit = 1 if name == "batch_size" else 1e-9
        assert stats[name]["count"] == len(values), name
        if values:
            assert stats[name]["mean"] == pytest.approx(unit * sum(values) / len(values)), name
    assert stats["busy_seconds"] == pytest.approx(1e-9 * sum(expected["compute"]))
    assert stats["wasted_seconds"] == pytest.approx(wasted(h), abs=1e-9 * len(batches))
    assert (stats["queue_depth"], stats["in_flight"], stats["telemetry_seconds"]) == (0, 0, 0)


def wasted(h: History) -> float:
    """Seconds that the model spent on rows of requests that had ended."""
    seconds = 0.0
    for batch in h.batches:
        rows = sum(h.arrivals[i].rows for i in batch.members if h.requests[i].outcome != "success")
        seconds += 1e-9 * (batch.end - batch.start) * rows / batch.rows
    return seconds


def check_registry(h: History, stats: dict[str, Any], registry: Any) -> None:
    model = {"model_name": "simulated"}

    def sample(name: str, **labels: str) -> float:
        return registry.sample_value(name, model | labels) or 0

    for outcome, count in stats["requests"].items():
        if outcome != "shutdown":
            assert sample("inference_requests_total", status=outcome) == count, outcome
    for reason, count in stats["batches"].items():
        assert sample("inference_batches_total", reason=reason) == count, reason
    for instance in range(h.instances):
        mine = [batch.end - batch.start for batch in h.batches if batch.instance == instance]
        busy = sample("inference_busy_seconds_total", model_instance=str(instance))
        assert busy == pytest.approx(1e-9 * sum(mine)), instance
    assert sample("inference_queue_depth") == 0


def check_padding(h: History, registry: Any) -> None:
    """One element a unit of length and row: what was filled in, and all with that."""
    filled = elements = 0
    for batch in h.batches:
        lengths = [(h.arrivals[i].rows, h.arrivals[i].length or 0) for i in batch.members]
        longest = max(length for _, length in lengths)
        elements += batch.rows * longest
        filled += sum(rows * (longest - length) for rows, length in lengths)
    model = {"model_name": "simulated"}
    for name, expected in (
        ("inference_padding_elements_total", filled),
        ("inference_elements_total", elements),
    ):
        want = expected if h.options.padding else None
        assert registry.sample_value(name, model) == want, name
