"""The trained model of the repository: accuracy, agreement with onnxruntime, serving."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import digits_data
import inferometer as im
from onnx_files import Floats, reference

FOLDER = Path(__file__).resolve().parents[2] / "model_repository" / "resnet_model"
PATH = FOLDER / "1" / "model.onnx"


@pytest.fixture(scope="module")
def model() -> im.Model:
    return im.onnx.load(PATH)


@pytest.fixture(scope="module")
def images() -> Floats:
    return digits_data.held_out()[0]


def test_it_is_what_the_configuration_says(model: im.Model) -> None:
    assert model.inputs == [("image", "float32", (-1, 1, 8, 8))]
    assert model.outputs == [("probabilities", "float32", (-1, 10))]
    config = (FOLDER / "config.pbtxt").read_text()
    for text in ('"resnet_model"', '"image"', '"probabilities"', "[ 1, 8, 8 ]", "[ 10 ]"):
        assert text in config
    assert PATH.stat().st_size < 2_000_000


def test_normalisation_shortcuts_and_activations_are_merged(model: im.Model) -> None:
    steps = model.steps
    assert len(steps) == 11
    assert steps.count("Conv+BatchNormalization+Relu") == 4
    assert steps.count("Conv+BatchNormalization+Add+Relu") == 3


def test_it_recognises_images_it_has_never_seen(model: im.Model) -> None:
    images, labels = digits_data.held_out()
    training, _ = digits_data.training()
    seen = {image.tobytes() for image in training}
    assert len(images) == 450
    assert sum(image.tobytes() in seen for image in images) == 0
    accuracy = float((model.run(images).argmax(axis=1) == labels).mean())
    assert accuracy > 0.98


def test_it_agrees_with_onnxruntime(model: im.Model, images: Floats) -> None:
    (want,) = reference(PATH, {"image": images})
    got = model.run(images)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(got.sum(axis=1), 1, rtol=1e-5)


def test_a_row_is_the_same_in_any_batch(model: im.Model, images: Floats) -> None:
    together = model.run(images[:64])
    for i in range(64):
        alone = model.run(images[i : i + 1])
        np.testing.assert_allclose(alone[0], together[i], rtol=1e-5, atol=1e-7)


def test_nan_stays_in_its_row(model: im.Model, images: Floats) -> None:
    broken = images[:8].copy()
    broken[3, 0, 4, 4] = np.nan
    got = model.run(broken)
    assert np.isnan(got[3]).all()
    assert not np.isnan(np.delete(got, 3, axis=0)).any()


def test_threads_may_share_a_model(model: im.Model, images: Floats) -> None:
    want = model.run(images[:16])
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: model.run(images[:16]), range(40)):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("isa", ["v2", "v3", "v4"])
def test_every_instruction_set_agrees(
    isa: str, images: Floats, model: im.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFEROMETER_CPU_ISA", isa)
    try:
        other = im.onnx.load(PATH)
    except im.ConfigError as error:
        assert "this processor runs" in str(error)
        pytest.skip(str(error))
    assert isa in other.device
    np.testing.assert_allclose(other.run(images), model.run(images), rtol=1e-4, atol=1e-6)


def test_an_unknown_instruction_set_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFEROMETER_CPU_ISA", "v9")
    with pytest.raises(im.ConfigError, match="v9"):
        im.onnx.load(PATH)


def test_behind_an_engine(images: Floats) -> None:
    want = im.onnx.load(PATH).run(images[:200])
    batching = im.Batching(max_batch_size=64)
    registry = im.Registry()
    model = im.onnx.load(PATH)
    with (
        im.Engine(model, name="resnet", batching=batching, registry=registry) as engine,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(lambda i: engine.infer(images[i : i + 1]), range(200)))
    np.testing.assert_allclose(np.concatenate(answers), want, rtol=1e-4, atol=1e-6)
