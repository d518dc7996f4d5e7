"""Bodies of inference requests to a model of numbers, and what reading them gives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

import inferometer as im
from inferometer.serve.errors import RequestError
from inferometer.serve.infer_request import InferRequest, read_request
from inferometer.serve.limits import Limits

LIMITS = Limits()


@dataclass
class Model:
    name: str = "m"
    inputs: tuple[im.Spec, ...] = (im.Spec("x", "float32", (-1, 2)),)
    output_names: tuple[str, ...] = ("y", "z")
    max_rows: int = 4
    priority_levels: int = 0


def tensor(**change: Any) -> dict[str, Any]:
    return {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2], **change}


def read(document: Any, model: Model | None = None) -> InferRequest:
    return read_request(json.dumps(document).encode(), model or Model(), LIMITS)


def error(document: Any, model: Model | None = None) -> str:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(RequestError) as caught:
        read_request(body, model or Model(), LIMITS)
    assert caught.value.status == 400
    return caught.value.text
