"""A function becomes a batching engine, in ten lines. Run: ``python examples/minimal.py``."""

import numpy as np

import inferometer as im

engine = im.Engine(lambda x: x * 2, name="double")
with engine:
    answers = engine.infer_many([np.full((1, 3), i, np.float32) for i in range(8)])
    print("answers:", [float(y[0, 0]) for y in answers])
    print("mean batch size:", engine.stats()["batch_size"]["mean"])
    print(im.render_metrics()[0].decode().count("\ninference_"), "series of inference_* metrics")
