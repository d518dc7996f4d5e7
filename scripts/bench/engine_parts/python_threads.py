"""Python threads that call `tiny` in turn: calls a second, and how long a call takes."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from typing import Any

from comparison.samples import emit

from engine_parts import groups
from engine_parts.batchers import Model, ThreadedBatcher
from engine_parts.engines import engine
from engine_parts.groups import NATIVE, NUMPY
from engine_parts.rounds import rounds
from engine_parts.settings import Settings
from engine_parts.turns import Seen, threads
from engine_parts.who import OURS, THREADED
from workloads import TINY


def emit_seen(group: str, who: str, seen: list[Seen]) -> None:
    """Hands on what the turns of a design saw."""
    emit(group, who, [one.calls_per_second for one in seen])
    emit(groups.p50(group), who, [one.p50_seconds for one in seen])
    emit(groups.p99(group), who, [one.p99_seconds for one in seen])


def main() -> None:
    """Native and numpy, each with 16 and 64 threads."""
    settings = Settings.of_argument(sys.argv[1])
    x = TINY.rows(1)
    native = TINY.native()
    models: dict[str, tuple[Any, Model]] = {NATIVE: (native, native.run), NUMPY: (TINY, TINY)}
    with ExitStack() as stack:
        for name, (model, function) in models.items():
            ours = engine(stack, model, f"threads, {name}")
            peer = ThreadedBatcher(function)
            stack.callback(peer.close)
            for count in groups.THREADS:
                group = groups.python_threads(count, name)
                if not settings.wants(*groups.of_threads(group)):
                    continue
                designs = {
                    OURS: partial(threads, partial(ours.infer, x), count, settings.seconds),
                    THREADED: partial(threads, partial(peer.infer, x), count, settings.seconds),
                }
                for who, seen in rounds(group, designs, settings).items():
                    emit_seen(group, who, seen)


if __name__ == "__main__":
    main()
