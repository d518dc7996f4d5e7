"""A process with one engine and the native metrics listener; ends when its input does.

Usage: python metrics_process.py HOST MODEL

Prints the URL, serves requests of its own all the time.
"""

from __future__ import annotations

import sys
import threading

import numpy as np

import inferometer as im


def main(host: str, model: str) -> None:
    """Serves until nobody wants it any more."""
    registry = im.Registry()
    over = threading.Event()
    with (
        im.Engine(lambda x: x, name=model, registry=registry) as engine,
        im.serve_metrics(port=0, host=host, registry=registry) as listener,
    ):

        def ask() -> None:
            while not over.wait(0.02):
                engine.infer(np.ones((1, 4), np.float32))

        asking = threading.Thread(target=ask)
        asking.start()
        print(listener.url, flush=True)
        sys.stdin.read()
        over.set()
        asking.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
