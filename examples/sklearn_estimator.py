"""A scikit-learn estimator behind an engine: 450 digits from eight threads, run as batches.

    pip install scikit-learn
    python examples/sklearn_estimator.py

An estimator costs nearly the same for one row as for many (input checks, Python), so batches help.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import inferometer as im
from digits_data import held_out, training

images, labels = training()
estimator = make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=1000))
estimator.fit(images.reshape(len(images), 64), labels)

images, labels = held_out()
batching = im.Batching(max_batch_size=64, max_queue_delay=0.005)
with im.Engine(estimator.predict_proba, name="digits", batching=batching) as engine:
    with ThreadPoolExecutor(8) as threads:
        answers = np.stack(list(threads.map(engine.infer_one, images.reshape(len(images), 64))))
    stats = engine.stats()

print(f"accuracy: {(answers.argmax(axis=1) == labels).mean():.1%}")
print("mean batch size:", round(stats["batch_size"]["mean"], 2))
