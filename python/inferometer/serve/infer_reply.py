"""The JSON body of an inference reply of KServe v2."""

from __future__ import annotations

import json
from collections.abc import Mapping

from inferometer.repository import datatype_name
from inferometer.serve.infer_request import InferRequest
from inferometer.serve.number_arrays import Array

# Values that are written in one call, which keeps other threads from running; about 2 ms.
_WINDOW = 4096


def write_reply(
    request: InferRequest, model: str, version: str, outputs: Mapping[str, Array]
) -> bytes:
    """Writes a reply.

    NaN, Infinity and -Infinity are written as such, as Triton writes them; JSON does not have them.

    Args:
        request: What is answered: its id, and which outputs it wants.
        model: Its name.
        version: Its version.
        outputs: All of the model's.

    Returns:
        ASCII.
    """
    names = request.outputs or tuple(outputs)
    head: dict[str, str] = {"id": request.id} if request.id else {}
    head |= {"model_name": model, "model_version": version}
    tensors = ",".join(_tensor(name, outputs[name]) for name in names)
    return f'{json.dumps(head)[:-1]},"outputs":[{tensors}]}}'.encode("ascii")


def _tensor(name: str, array: Array) -> str:
    head = {"name": name, "datatype": datatype_name(array.dtype.name), "shape": list(array.shape)}
    flat = array.reshape(-1)
    windows = (
        json.dumps(flat[at : at + _WINDOW].tolist(), separators=(",", ":"))[1:-1]
        for at in range(0, flat.size, _WINDOW)
    )
    return f'{json.dumps(head)[:-1]},"data":[{",".join(windows)}]}}'
