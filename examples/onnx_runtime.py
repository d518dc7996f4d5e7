"""ONNX Runtime behind an engine, for models that the native loader does not take.

    pip install onnxruntime
    python examples/onnx_runtime.py

``im.onnx.load`` runs float32 networks natively; a session of ONNX Runtime runs all the others. It
is thread-safe and drops the GIL, so two instances may run batches at the same time.
"""

from pathlib import Path

import numpy as np
import onnxruntime

import inferometer as im
from digits_data import held_out

PATH = Path(__file__).resolve().parent.parent / "model_repository/resnet_model/1/model.onnx"

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(str(PATH), options, providers=["CPUExecutionProvider"])
engine = im.Engine(
    lambda image: session.run(None, {"image": image})[0],
    name="resnet_model",
    batching=im.Batching(max_batch_size=32),
    inputs=[im.Spec("image", "float32", (-1, 1, 8, 8))],
    instances=2,
)

images, labels = held_out()
with engine:
    answers = np.concatenate(engine.infer_many(images[i : i + 1] for i in range(len(images))))
    stats = engine.stats()

native = im.onnx.load(str(PATH)).run(images[:64])
print(f"accuracy: {(answers.argmax(axis=1) == labels).mean():.1%}")
print("largest difference from the native graph:", float(np.abs(answers[:64] - native).max()))
print("mean batch size:", round(stats["batch_size"]["mean"], 2))
