"""Loading: options, files of all kinds, messages."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import onnx.external_data_helper
import pytest
from onnx import TensorProto, helper

import inferometer as im
from onnx_files import mlp, model, node, random, reference, save


def test_a_path_may_be_a_string_or_a_path(tmp_path: Path) -> None:
    path = save(mlp(), tmp_path)
    x = random((3, 5))
    np.testing.assert_array_equal(im.onnx.load(path).run(x), im.onnx.load(str(path)).run(x))


def test_devices(tmp_path: Path) -> None:
    path = save(mlp(), tmp_path)
    assert im.onnx.load(path, device="cpu").device.startswith("cpu")
    for device in ("gpu", "cuda:x", "", "CPU"):
        with pytest.raises(im.ConfigError, match="device"):
            im.onnx.load(path, device=device)


@pytest.mark.parametrize("threads", [0, 2, -1, True, 1.0, "1"])
def test_only_one_thread_so_far(tmp_path: Path, threads: int) -> None:
    with pytest.raises(im.ConfigError, match="threads"):
        im.onnx.load(save(mlp(), tmp_path), threads=threads)


def test_without_the_onnx_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"inferometer\[onnx\]"):
        im.onnx.load(tmp_path / "model.onnx")


def test_missing_files_and_directories(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        im.onnx.load(tmp_path / "missing.onnx")
    with pytest.raises(im.ConfigError, match="directory"):
        im.onnx.load(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"hello, I am a text file\n" * 20, b"\x00" * 64, b"\x08\x07", b"{}"]
)
def test_what_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(im.ConfigError, match=r"model\.onnx"):
        im.onnx.load(path)


def test_a_truncated_file(tmp_path: Path) -> None:
    path = save(mlp(), tmp_path)
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(im.ConfigError):
            im.onnx.load(path)


def test_an_invalid_model_says_why(tmp_path: Path) -> None:
    proto = mlp()
    proto.graph.node[0].input[1] = "missing"
    with pytest.raises(im.ConfigError, match="missing"):
        im.onnx.load(save(proto, tmp_path))


def test_operators_that_are_not_there_are_all_named_with_the_alternative(tmp_path: Path) -> None:
    nodes = [
        node("Sigmoid", ["x"], "a"),
        node("Relu", ["a"], "b"),
        node("Tanh", ["b"], "c"),
        helper.make_node("Fancy", ["c"], ["y"], domain="com.example"),
    ]
    proto = model(nodes, {"x": ["batch", 5]}, {"y": ["batch", 5]})
    path = save(proto, tmp_path)
    with pytest.raises(im.UnsupportedOperatorError) as caught:
        im.onnx.load(path)
    message = str(caught.value)
    for part in ('Sigmoid "a"', 'Tanh "c"', "com.example.Fancy", str(path), "onnxruntime"):
        assert part in message
    assert "Relu" not in message
    assert "im.Engine(lambda x: session.run(None, {'x': x})[0]" in message


def test_the_alternative_is_code_that_runs(tmp_path: Path) -> None:
    import onnxruntime

    path = save(model([node("Tanh", ["x"], "y")], {"x": ["n", 2]}, {"y": None}), tmp_path)
    with pytest.raises(im.UnsupportedOperatorError) as caught:
        im.onnx.load(path)
    code = [line.strip() for line in str(caught.value).splitlines() if " = " in line]
    space = {"onnxruntime": onnxruntime, "im": im}
    exec("\n".join(code).replace("name=...", 'name="alternative"'), space)
    engine = space["engine"]
    assert isinstance(engine, im.Engine)
    with engine:
        x = random((3, 2))
        np.testing.assert_allclose(engine.infer(x), np.tanh(x), rtol=1e-5)


def test_an_operator_newer_than_we_know_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inferometer.onnx import _operators

    monkeypatch.setitem(_operators.KNOWN_VERSIONS, "MatMul", 9)
    with pytest.raises(im.UnsupportedOperatorError, match="MatMul version 13"):
        im.onnx.load(save(mlp(), tmp_path))


def test_the_versions_we_know_are_those_of_the_installed_onnx() -> None:
    from inferometer.onnx._operators import KNOWN_VERSIONS

    newest = {name: onnx.defs.get_schema(name).since_version for name in KNOWN_VERSIONS}
    assert newest == KNOWN_VERSIONS, "read what changed, then raise the number"


@pytest.mark.parametrize(
    "elem_type", [TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.INT64]
)
def test_other_types_are_named(tmp_path: Path, elem_type: int) -> None:
    op = "ReduceMean" if elem_type != TensorProto.INT64 else "Add"
    inputs = ["x"] if op == "ReduceMean" else ["x", "x"]
    attributes = {"axes": [1]} if op == "ReduceMean" else {}
    proto = model(
        [node(op, inputs, "y", **attributes)], {"x": ["n", 4]}, {"y": None}, elem_type=elem_type
    )
    name = TensorProto.DataType.Name(elem_type).lower().replace("double", "float64")
    with pytest.raises(im.UnsupportedOperatorError, match=name):
        im.onnx.load(save(proto, tmp_path))


@pytest.mark.parametrize("shape", [[4, 5], ["batch", "length"], []])
def test_shapes_that_cannot_be_batched(tmp_path: Path, shape: list[int | str]) -> None:
    proto = model([node("Relu", ["x"], "y")], {"x": shape}, {"y": None})
    with pytest.raises(im.ConfigError, match="dimension 0"):
        im.onnx.load(save(proto, tmp_path))


@pytest.mark.parametrize("batch", ["batch", -1, None, 0])
def test_spellings_of_a_free_batch(tmp_path: Path, batch: int | str | None) -> None:
    proto = model([node("Relu", ["x"], "y")], {"x": ["n", 5]}, {"y": ["n", 5]})
    dim = proto.graph.input[0].type.tensor_type.shape.dim[0]
    dim.Clear()
    if isinstance(batch, str):
        dim.dim_param = batch
    elif batch is not None:
        dim.dim_value = batch
    assert im.onnx.load(save(proto, tmp_path)).inputs == [("x", "float32", (-1, 5))]


def test_weights_listed_among_the_inputs(tmp_path: Path) -> None:
    proto = mlp()
    proto.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [5, 7]))
    native = im.onnx.load(save(proto, tmp_path))
    assert [name for name, _, _ in native.inputs] == ["x"]


def test_local_functions_are_inlined(tmp_path: Path) -> None:
    function = helper.make_function(
        "com.example", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    twice = helper.make_node("Twice", ["x"], ["y"], domain="com.example")
    proto = model([twice], {"x": ["n", 5]}, {"y": ["n", 5]})
    proto.functions.append(function)
    x = random((2, 5))
    np.testing.assert_array_equal(im.onnx.load(save(proto, tmp_path)).run(x), x + x)


def external(folder: Path, location: str) -> Path:
    """A model that keeps its weight in another file."""
    proto = mlp({"w": random((50, 70), 2)[:5, :7].copy()})
    tensor = proto.graph.initializer[0]
    data = tensor.raw_data
    onnx.external_data_helper.set_external_data(tensor, location, length=len(data))
    tensor.ClearField("raw_data")
    if not location.startswith(("/", "..")) and location:
        (folder / location).parent.mkdir(exist_ok=True)
        (folder / location).write_bytes(data)
    return save(proto, folder)


@pytest.mark.parametrize("location", ["weights.bin", "parts/weights.bin"])
def test_external_data_beside_the_model(tmp_path: Path, location: str) -> None:
    path = external(tmp_path, location)
    x = random((3, 5))
    np.testing.assert_allclose(
        im.onnx.load(path).run(x), reference(path, {"x": x})[0], rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("location", ["/etc/hostname", "../weights.bin", "a/../../b", ""])
def test_external_data_elsewhere_is_refused(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "weights.bin").write_bytes(b"\0" * 140)
    with pytest.raises(im.ConfigError, match="folder"):
        im.onnx.load(external(folder, location) if location[:1] != "a" else _outside(folder))


def _outside(folder: Path) -> Path:
    """A location that leaves the folder in the middle."""
    path = external(folder, "weights.bin")
    data = path.read_bytes().replace(b"weights.bin", b"a/../../b.b")
    path.write_bytes(data)
    return path


def test_external_data_that_is_missing_or_too_short(tmp_path: Path) -> None:
    path = external(tmp_path, "weights.bin")
    (tmp_path / "weights.bin").write_bytes(b"\0" * 10)
    with pytest.raises(im.ConfigError):
        im.onnx.load(path)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(im.ConfigError, match="not there"):
        im.onnx.load(path)


def test_external_data_behind_a_link_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    path = external(folder, "weights.bin")
    (folder / "weights.bin").rename(tmp_path / "secret.bin")
    (folder / "weights.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(im.ConfigError):
        im.onnx.load(path)


def test_run_checks_its_arguments(tmp_path: Path) -> None:
    native = im.onnx.load(save(mlp(), tmp_path))
    with pytest.raises(im.InputError):
        native.run()
    with pytest.raises(im.ShapeError, match=r"\(3, 4\)"):
        native.run(random((3, 4)))
    with pytest.raises(im.ShapeError):
        native.run(np.zeros((), np.float32))
    with pytest.raises(im.DTypeError, match="float64"):
        native.run(np.zeros((3, 5)))
    with pytest.raises(im.DTypeError, match="list"):
        native.run([[1.0] * 5])  # type: ignore[arg-type]
    x = random((5, 3))
    np.testing.assert_array_equal(native.run(x.T), native.run(np.ascontiguousarray(x.T)))
    assert native.run(random((0, 5))).shape == (0, 7)


def test_it_says_what_it_is(tmp_path: Path) -> None:
    native = im.onnx.load(save(mlp(), tmp_path))
    assert native.inputs == [("x", "float32", (-1, 5))]
    assert native.outputs == [("y", "float32", (-1, 7))]
    assert native.weights_bytes >= 5 * 7 * 4
    assert native.activation_bytes(10) >= 0
    assert native.max_rows == 0
    assert "cpu" in repr(native)
