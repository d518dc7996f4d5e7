"""Engines as the parts make them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

import inferometer as im

# Deep enough for every group; all else is the default, recording included.
ROOM: Final = 200_000
NOT_THERE: Final = "not there yet"


class OptionNotThere(Exception):
    """The engine cannot do yet what a row is about."""


def engine(
    stack: ExitStack,
    model: im.Model | Callable[..., Any],
    name: str,
    max_queue_delay: float = 0.0,
    **options: Any,
) -> im.Engine:
    """An engine that lives as long as the stack.

    Raises:
        OptionNotThere: The engine refuses one of the options because it cannot do that yet.
    """
    batching = im.Batching(max_queue_size=ROOM, max_queue_delay=max_queue_delay)
    try:
        made = im.Engine(model, name=name, batching=batching, **options)
    except im.ConfigError as error:
        if NOT_THERE in str(error):
            raise OptionNotThere(str(error)) from error
        raise
    return stack.enter_context(made)
