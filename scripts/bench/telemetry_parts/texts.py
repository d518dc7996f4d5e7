"""The same series in each library, and what writes them as text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import prometheus_client

import inferometer as im
from inferometer import prometheus
from telemetry_parts.who import APP, CLIENT, DROP_IN

FAMILIES: Final = 100


def fill(make: Callable[[str, str, list[str]], Any], series_of_a_family: int) -> None:
    """Makes the families: counters with two labels."""
    for family in range(FAMILIES):
        counter = make(f"requests_{family}", "Requests.", ["path", "code"])
        for i in range(series_of_a_family):
            counter.labels(f"/{i}", "200").inc(family * i)


def writers(series_of_a_family: int) -> dict[str, Callable[[], object]]:
    """What writes the text of a hundred families, without `_created`, which im.Registry lacks."""
    print(f"making {FAMILIES * series_of_a_family} series in each library", flush=True)
    own = im.Registry()
    fill(own.counter, series_of_a_family)
    calls: dict[str, Callable[[], object]] = {APP: partial(im.render_metrics, own)}
    libraries: dict[str, Any] = {DROP_IN: prometheus, CLIENT: prometheus_client}
    for who, library in libraries.items():
        library.disable_created_metrics()
        registry = library.CollectorRegistry()
        fill(partial(library.Counter, registry=registry), series_of_a_family)
        calls[who] = partial(library.generate_latest, registry)
    return calls
