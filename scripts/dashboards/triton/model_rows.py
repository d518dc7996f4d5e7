"""Rows about models: batches, queues, and a table of all of them."""

from __future__ import annotations

from dashboards.colours import GREEN
from dashboards.layout import Placed, Row
from dashboards.limits import BATCH_SIZE
from dashboards.panels import About, lines
from dashboards.tables import Column, by_label
from dashboards.targets import Query
from dashboards.triton.queries import (
    BY_MODEL,
    MODELS,
    efficiency,
    mean_ms,
    per,
    quantile_ms,
    rate,
    total,
)


def batching() -> Row:
    """How well requests share executions, and what that costs them."""
    size = lines(
        About(
            401,
            "Average batch size",
            "Rows of the mean batch. Good above 2, the line: below it batching hardly pays for "
            "the time that requests wait for company.",
            "none",
            ("LowBatchingEfficiency",),
        ),
        [
            Query(
                per(
                    rate("nv_inference_count", BY_MODEL), rate("nv_inference_exec_count", BY_MODEL)
                ),
                "{{model}}",
            )
        ],
        limits=((BATCH_SIZE, GREEN),),
    )
    queue = lines(
        About(
            402,
            "Queue time by model",
            "How long the mean request waits for its batch to start.",
            "ms",
            ("RequestQueueBacklog", "QueueSaturated"),
        ),
        [Query(mean_ms("nv_inference_queue_duration_us", BY_MODEL), "{{model}}")],
    )
    compute = lines(
        About(
            403,
            "Compute time by model",
            "How long the model runs on the batch of the mean request.",
            "ms",
        ),
        [Query(mean_ms("nv_inference_compute_infer_duration_us", BY_MODEL), "{{model}}")],
    )
    waiting = lines(
        About(
            404,
            "Requests waiting",
            "Requests that wait for their batch, as each scrape found them.",
            "short",
            ("RequestQueueBacklog", "InferenceStalled"),
        ),
        [Query(total("nv_inference_pending_request_count", BY_MODEL), "{{model}}")],
    )
    return Row(
        400, "Batching and queue", tuple(Placed(p, 6) for p in (size, queue, compute, waiting))
    )


def models() -> Row:
    """One line for each model."""
    failing = rate("nv_inference_request_failure", BY_MODEL)
    table = by_label(
        About(
            501,
            "Models",
            "One row for each model; click a heading to sort. Cells without a value: no request "
            "came lately.",
            "none",
        ),
        "model",
        "Model",
        [
            Column("Requests/s", rate("nv_inference_request_success", BY_MODEL), "reqps"),
            Column("Failures/s", failing, "reqps"),
            Column("P95", quantile_ms(0.95, "model, le"), "ms", 1),
            Column("Queue time", mean_ms("nv_inference_queue_duration_us", BY_MODEL), "ms", 1),
            Column(
                "Compute time", mean_ms("nv_inference_compute_infer_duration_us", BY_MODEL), "ms", 1
            ),
            Column("Batching efficiency", efficiency(BY_MODEL), "percent", 1),
            Column("Waiting", total("nv_inference_pending_request_count", BY_MODEL), "short", 0),
            Column("Load time", f"max{BY_MODEL}(nv_model_load_duration_secs{{{MODELS}}})", "s"),
        ],
    )
    return Row(500, "Models", (Placed(table, 24, 9),))
