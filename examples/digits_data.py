"""The data of ``resnet_model``: scikit-learn's handwritten digits, split once and for all.

Needs scikit-learn and numpy only, so that clients, load tests and notebooks share the split that
the model was trained with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SPLIT_SEED = 20
HELD_OUT_SHARE = 0.25

Images = NDArray[np.float32]
Labels = NDArray[np.int64]


def _split() -> tuple[Images, Images, Labels, Labels]:
    digits = load_digits()
    images = digits.images.astype(np.float32)[:, np.newaxis]
    labels = digits.target.astype(np.int64)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=HELD_OUT_SHARE, random_state=SPLIT_SEED, stratify=labels
    )
    return train_x, test_x, train_y, test_y


def training() -> tuple[Images, Labels]:
    """The 1,347 images that ``resnet_model`` learned from.

    Returns:
        Images ``(n, 1, 8, 8)`` float32 with pixel values from 0 to 16 as scikit-learn gives them,
        and labels ``(n,)`` int64 from 0 to 9. Fresh arrays.
    """
    train_x, _, train_y, _ = _split()
    return train_x, train_y


def held_out() -> tuple[Images, Labels]:
    """The 450 images that ``resnet_model`` has never seen, shaped as those of `training`."""
    _, test_x, _, test_y = _split()
    return test_x, test_y
