"""Engines and simulations as a notebook shows them: what they are, then their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Protocol

from inferometer.html.quantity import amount, duration
from inferometer.html.table import table

if TYPE_CHECKING:
    from inferometer.batching import Spec
    from inferometer.html.stats import Stats


class ShownEngine(Protocol):
    """What is shown of an engine."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it accepts requests."""
        ...

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        ...

    @property
    def instances(self) -> int:
        """How many batches may run at once."""
        ...

    @property
    def inputs(self) -> list[Spec]:
        """What a request looks like."""
        ...

    def stats(self) -> Stats:
        """Its numbers."""
        ...


class ShownSimulation(Protocol):
    """What is shown of a simulation."""

    @property
    def now(self) -> float:
        """Its second."""
        ...

    def stats(self) -> Stats:
        """Its numbers."""
        ...


def engine_state(engine: ShownEngine) -> str:
    """``closed``, ``ready``, or ``draining``."""
    return "closed" if engine.closed else "ready" if engine.ready else "draining"


def engine_html(engine: ShownEngine) -> str:
    """Returns the HTML of an engine; of one that a forked child cannot ask, its ``repr``."""
    from inferometer._core import ClosedError

    try:
        stats, inputs = engine.stats(), engine.inputs
    except ClosedError:
        return f"<code>{escape(repr(engine))}</code>"
    rows = [
        ("state", engine_state(engine)),
        ("version", engine.version),
        ("instances", amount(engine.instances)),
        ("inputs", "; ".join(map(_input, inputs)) or "fixed by the first request"),
    ]
    return table(f"Engine {engine.name}", ("property", "value"), rows) + stats._repr_html_()


def simulation_html(simulation: ShownSimulation) -> str:
    """Returns the HTML of a simulation."""
    rows = [("simulated time", duration(simulation.now))]
    return table("Simulation", ("property", "value"), rows) + simulation.stats()._repr_html_()


def _input(spec: Spec) -> str:
    return f"{spec.name}: {spec.dtype} {_shape(spec.shape)}"


def _shape(shape: Sequence[int]) -> str:
    return "(" + ", ".join("any" if size < 0 else str(size) for size in shape) + ")"
