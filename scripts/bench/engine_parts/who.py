"""Whose values they are: ours, and the peers. All of them run the same model."""

from __future__ import annotations

from typing import Final

OURS: Final = "inferometer"
BARE: Final = "the bare model, batches of 64"
RUN: Final = "the bare call"
INLINE: Final = "asyncio batcher, model inline"
THREAD: Final = "asyncio batcher, model in a thread"
THREADED: Final = "threaded batcher"
MUTEX: Final = "a mutex around the bare model"
