"""The drills that there are: which fault, and which alert has to notice it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Action = Literal["fault", "stop", "gpu"]


@dataclass(frozen=True)
class Scenario:
    """One drill.

    Attributes:
        name: As on the command line.
        alerts: Any of them is the one that is waited for: the second is the same trouble, worse.
        text: What is done, for a person.
        action: ``fault``: injected into the model by the service; ``stop``: the service is ended;
            ``gpu``: the GPU's readings are changed.
        fault: What the service is told, without how long.
        rate: Requests a second, meanwhile.
        rows: Rows of each request.
    """

    name: str
    alerts: tuple[str, ...]
    text: str
    action: Action = "fault"
    fault: Mapping[str, object] | None = None
    rate: float = 20.0
    rows: int = 1


SCENARIOS: Mapping[str, Scenario] = {
    each.name: each
    for each in (
        Scenario(
            name="latency",
            # Requests also wait for the batch before theirs: they take up to 4.4 s, less than 5.
            fault={"kind": "delay", "seconds": 2.2},
            alerts=("HighInferenceLatencyWarning", "HighInferenceLatency"),
            text="each batch of the model takes 2.2 s longer",
        ),
        Scenario(
            name="errors",
            fault={"kind": "error", "ratio": 0.5},
            alerts=("HighErrorRate",),
            text="half of the model's batches fail",
        ),
        Scenario(
            name="queue",
            # Four requests fill a batch of 64 rows: 20 a second come, 4 a second are done. Batches
            # do end, or it would be InferenceStalled that fires, and hides the alert on the queue.
            fault={"kind": "delay", "seconds": 1.0},
            rows=16,
            alerts=("RequestQueueBacklog", "QueueSaturated"),
            text="each batch takes 1 s longer, so that more requests come than are done",
        ),
        Scenario(
            name="down",
            action="stop",
            alerts=("TritonDown",),
            text="the service is stopped, and started again",
        ),
        Scenario(
            name="gpu",
            action="gpu",
            alerts=("GPUMemoryExhausted",),
            text="a GPU has more of its memory in use than the alert allows",
        ),
    )
}
