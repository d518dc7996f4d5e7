"""Models for tests of the service, and the application around them in this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import httpx
from starlette.applications import Starlette

import inferometer as im
from gated_model import GatedModel
from inferometer.repository.batching_config import unmerged
from inferometer.serve import ServedModel

INPUTS = [im.Spec("x", "float32", (-1, 2))]


def served(
    model: Callable[..., Any],
    *,
    name: str = "m",
    merges: bool = True,
    batching: im.Batching | None = None,
    faults: im.Faults | None = None,
    registry: im.Registry | None = None,
) -> ServedModel:
    """A served model around a callable on ``x``, whose output is called ``y``."""
    options = batching or (im.Batching(max_batch_size=4) if merges else unmerged(4))
    engine = im.Engine(
        lambda x: {"y": model(x)},
        name=name,
        batching=options,
        inputs=INPUTS,
        faults=faults,
        registry=registry or im.Registry(),
        inline_limit=0,
    )
    return ServedModel(engine, ["y"], options, faults)


def tensor(*rows: Sequence[float]) -> dict[str, Any]:
    """A request of those rows."""
    data = [list(row) for row in rows]
    shape = [len(data), 2]
    return {"inputs": [{"name": "x", "shape": shape, "datatype": "FP32", "data": data}]}


@contextlib.contextmanager
def closing(*models: ServedModel) -> Iterator[None]:
    """Closes models at the end."""
    try:
        yield
    finally:
        for model in models:
            model.close()


@contextlib.asynccontextmanager
async def client_of(app: Starlette, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of an application, without a server; errors become replies of 500."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, **options)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield http


async def entered(model: GatedModel, batches: int) -> None:
    """Waits until that many batches have reached a model."""
    await asyncio.get_running_loop().run_in_executor(None, model.wait_entered, batches)
