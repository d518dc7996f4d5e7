"""What ``stats()`` returns: a dict that a notebook shows as a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inferometer.html.quantity import amount, duration
from inferometer.html.table import table

_COLUMNS = ("of", "count", "mean", "P50", "P95", "P99")
_TIMES = (("latency", "a request"), ("queue", "a request"), ("compute", "a batch"))


class Stats(dict[str, Any]):
    """The numbers of an engine or a simulation at one moment; a plain dict in every other way."""

    def _repr_html_(self) -> str:
        """Two tables: how requests and batches went, and how long they took."""
        if not self.get("recording", True):
            return table(
                "Nothing is recorded (NO_METRICS)",
                ("now", "requests"),
                [(name.replace("_", " "), amount(self[name])) for name in _NOW if name in self],
            )
        return self._counts() + self._distributions()

    def _counts(self) -> str:
        rows = [
            (f"requests: {name}", amount(count))
            for name, count in self.get("requests", {}).items()
            if count or name == "success"
        ]
        rows += [
            (f"batches: {name}", amount(count))
            for name, count in self.get("batches", {}).items()
            if count
        ]
        rows += [(name.replace("_", " "), amount(self[name])) for name in _NOW if name in self]
        rows += [
            (f"{name} time", duration(self[f"{name}_seconds"]))
            for name in ("busy", "wasted", "telemetry")
            if f"{name}_seconds" in self
        ]
        if "throughput" in self:
            rows.append(("successes a second", amount(self["throughput"])))
        return table("Requests and batches so far", ("of", "number"), rows)

    def _distributions(self) -> str:
        rows = [
            _row(f"{name}, {of_what}", self[name], duration)
            for name, of_what in _TIMES
            if name in self
        ]
        if "batch_size" in self:
            rows.append(_row("batch size, rows", self["batch_size"], amount))
        return table("Distributions; quantiles are interpolated in buckets", _COLUMNS, rows)


_NOW = ("queue_depth", "in_flight")


def _row(name: str, numbers: dict[str, float], text: Callable[[float], str]) -> tuple[str, ...]:
    values = (numbers[of] for of in ("mean", "p50", "p95", "p99"))
    # Of nothing there is no mean.
    texts = (text(value) if numbers["count"] else "-" for value in values)
    return (name, amount(numbers["count"]), *texts)
