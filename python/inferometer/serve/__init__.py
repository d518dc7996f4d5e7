"""``inferometer serve``: a model repository behind HTTP, batched and measured.

``create_app`` makes the application for other servers and for tests. Needs the extras
``inferometer[serve,onnx]``. See docs/serve.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inferometer.serve.app import create_app
    from inferometer.serve.limits import Limits
    from inferometer.serve.loading import load_repository
    from inferometer.serve.served_model import ServedModel

__all__ = ["Limits", "ServedModel", "create_app", "load_repository"]

_MODULES = {
    "Limits": "limits",
    "ServedModel": "served_model",
    "create_app": "app",
    "load_repository": "loading",
}


def __getattr__(name: str) -> Any:
    # The command line asks this package for its options, also where the extras are missing.
    if name in _MODULES:
        import importlib

        return getattr(importlib.import_module(f"inferometer.serve.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'inferometer.serve' has no attribute {name!r}")
