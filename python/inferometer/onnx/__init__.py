"""ONNX models, run natively.

Needs the extra ``inferometer[onnx]`` to read files; running a loaded model needs nothing of it.
"""

from __future__ import annotations

from inferometer.onnx._load import load

__all__ = ["load"]
