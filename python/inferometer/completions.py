"""One completion queue for each asyncio loop."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from inferometer._core import Completions

if TYPE_CHECKING:
    import asyncio

# By id(loop), because that is the cheapest look-up; an entry leaves with its loop. The weak
# reference tells a new loop at an old address from the old one.
_by_loop: dict[int, tuple[weakref.ref[asyncio.AbstractEventLoop], Completions]] = {}


def _forget_closed_loops() -> None:
    # Answers that a loop was closed too early to take hold futures, and those their loop: without
    # this such a loop would never go.
    for key, (reference, _) in list(_by_loop.items()):
        loop = reference()
        if loop is None or loop.is_closed():
            _by_loop.pop(key, None)


def completions_of(loop: asyncio.AbstractEventLoop) -> Completions:
    """The queue whose ended requests this running loop delivers, watched by it.

    It is shared by all engines, costs an idle loop nothing, and is made at a loop's first request.
    """
    entry = _by_loop.get(id(loop))
    if entry is not None and entry[0]() is loop:
        return entry[1]
    _forget_closed_loops()
    completions = Completions()
    loop.add_reader(completions.fd, completions.deliver)
    key = id(loop)

    def forget(gone: weakref.ref[asyncio.AbstractEventLoop]) -> None:
        if key in _by_loop and _by_loop[key][0] is gone:
            del _by_loop[key]

    _by_loop[key] = (weakref.ref(loop, forget), completions)
    return completions
