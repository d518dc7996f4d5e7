"""A PyTorch module behind an engine: 256 single requests from eight threads, run as batches.

    pip install torch==2.13.0
    python examples/pytorch_module.py

The module runs on a thread of the engine, which takes the GIL once a batch.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

import inferometer as im

torch.manual_seed(1)
module = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
module.eval()


@torch.inference_mode()  # type: ignore[misc, untyped-decorator, unused-ignore]
def model(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(rows, 64) float32 to (rows, 10) float32."""
    # torch.tensor copies: the engine's arrays are read-only, of which from_numpy warns.
    answer: np.ndarray[Any, Any] = module(torch.tensor(x)).numpy()
    return answer


rows = np.random.default_rng(1).normal(size=(256, 64)).astype(np.float32)
batching = im.Batching(max_batch_size=32, max_queue_delay=0.005)
with im.Engine(model, name="mlp", batching=batching) as engine:
    with ThreadPoolExecutor(8) as threads:
        answers = np.stack(list(threads.map(engine.infer_one, rows)))
    stats = engine.stats()

print("answers:", answers.shape, answers.dtype)
print("largest difference from the bare module:", float(np.abs(answers - model(rows)).max()))
print("mean batch size:", round(stats["batch_size"]["mean"], 2))
