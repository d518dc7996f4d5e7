"""A service in virtual time: the core's simulator, and what its registry exposes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inferometer.testing.faults import Delay, Errors, Fault, Flood, Stall
from inferometer.testing.loads import Random, Recorded, Steady

if TYPE_CHECKING:
    import inferometer as im


@dataclass(frozen=True)
class Model:
    """A model of the simulated service.

    Attributes:
        name: The label ``model_name``.
        batching: An ``im.Batching``; None: its defaults.
        cost: Seconds of a batch, as ``im.simulate`` takes them: ``(seconds, seconds_per_row)``, a
            callable on the rows, or a list by rows.
        instances: Batches at the same time.
        latency_objective: Seconds.
        recording: Seconds that recording a request costs. It cannot be measured in virtual time.
        seed: Of the draws of faults.
    """

    name: str = "model"
    batching: im.Batching | None = None
    cost: Any = (0.02, 0.0)
    instances: int = 1
    latency_objective: float | None = None
    recording: float = 1e-6
    seed: int = 0


@dataclass
class SimulatedService:
    """One target with its models. Single-owner.

    Attributes:
        instance: The target.
        models: What it serves.
    """

    instance: str
    models: Sequence[Model]
    now: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Starts it, at second 0 and without requests."""
        import inferometer as im

        self._render = im.render_metrics
        self._registry = im.Registry()
        self._simulations = {
            model.name: im.simulate(
                model.batching or im.Batching(),
                [],
                model.cost,
                model.instances,
                name=model.name,
                latency_objective=model.latency_objective,
                registry=self._registry,
                recording=model.recording,
                seed=model.seed,
            )
            for model in self.models
        }

    def begin(
        self,
        end: float,
        loads: dict[str, Steady | Random | Recorded],
        faults: Sequence[Fault],
    ) -> None:
        """A phase begins: its load and its faults are known."""
        import numpy as np

        for name, simulation in self._simulations.items():
            mine = [fault for fault in faults if fault.meets(self.instance, name)]
            simulation.faults.clear()
            for fault in mine:
                if isinstance(fault, Delay):
                    simulation.faults.add("delay", seconds=fault.seconds)
                elif isinstance(fault, Errors):
                    kind: im.faults.FaultKind = "error" if fault.whole_batches else "partial"
                    simulation.faults.add(kind, ratio=fault.ratio)
                elif isinstance(fault, Stall):
                    simulation.faults.add("stall")
            arrivals = [loads[name].arrivals(self.now, end)]
            arrivals += [
                Steady(fault.rate, fault.rows).arrivals(self.now, end)
                for fault in mine
                if isinstance(fault, Flood)
            ]
            together = np.concatenate(arrivals)
            simulation.extend(together[np.argsort(together[:, 0], kind="stable")])

    def advance_to(self, moment: float) -> None:
        """Lets time go by."""
        for simulation in self._simulations.values():
            simulation.advance(round(moment * 1e9) / 1e9 - simulation.now)
        self.now = moment

    def exposition(self) -> str:
        """What a scraper gets now."""
        return self._render(self._registry)[0].decode()
