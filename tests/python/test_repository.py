"""Model repositories: layout, what a config.pbtxt means, and every error with file and line."""

from __future__ import annotations

import logging
import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inferometer as im
from conftest import ROOT
from inferometer.repository import (
    ModelConfig,
    check_agreement,
    config_of,
    datatype_name,
    read_config,
    read_repository,
)
from inferometer.repository.instance_groups import Instances

REPOSITORY = ROOT / "model_repository"


def config(text: str) -> ModelConfig:
    return config_of(text, "m", "m/config.pbtxt")


def test_the_shipped_repository_is_read_and_agrees_with_its_model() -> None:
    (model,) = read_repository(REPOSITORY)
    assert (model.name, model.version) == ("resnet_model", "1")
    assert model.config.batching == im.Batching(max_batch_size=64, max_queue_delay=0.1)
    assert model.config.batching.merge_requests and model.config.instances == Instances()
    native = im.onnx.load(model.path)
    check_agreement(model.config, native.inputs, native.outputs, native.max_rows)


def test_the_highest_version_is_served(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    for version in ("1", "9", "10", "011", "latest"):
        (folder / version).mkdir(parents=True)
        (folder / version / "model.onnx").touch()
    (folder / "11").touch()  # a file is no version
    (folder / "config.pbtxt").touch()
    (tmp_path / "README.md").touch()
    (tmp_path / ".git").mkdir()
    (model,) = read_repository(tmp_path)
    assert (model.version, model.path) == ("10", folder / "10" / "model.onnx")


def test_a_folder_that_is_no_repository_is_named(tmp_path: Path) -> None:
    for folder, message in (
        (tmp_path / "none", "cannot be read (No such file or directory), want a folder"),
        (tmp_path, "got no models, want NAME/config.pbtxt and NAME/1/model.onnx"),
        (Path(__file__), "got a file, want a folder"),
    ):
        with pytest.raises(im.ConfigError, match=re.escape(f"{folder}: {message}")):
            read_repository(folder)
    model = tmp_path / "m"
    model.mkdir()
    with pytest.raises(im.ConfigError, match=r"m: got no config\.pbtxt, want NAME/config"):
        read_repository(tmp_path)
    (model / "config.pbtxt").touch()
    with pytest.raises(im.ConfigError, match="m: got no version, want a folder named 1, 2"):
        read_repository(tmp_path)
    (model / "3").mkdir()
    with pytest.raises(im.ConfigError, match=r"m/3: got nothing, want model\.onnx"):
        read_repository(tmp_path)
    (model / "3" / "model.plan").touch()
    with pytest.raises(im.ConfigError, match=r"m/3: got model\.plan, want model\.onnx"):
        read_repository(tmp_path)


def test_what_is_no_file_is_named_as_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    (folder / "1").mkdir(parents=True)
    for path in (folder / "config.pbtxt", folder / "1" / "model.onnx"):
        for make, undo, got in (
            (
                lambda path: path.symlink_to("gone"),
                Path.unlink,
                "a link to 'gone', which is not th",
            ),
            (Path.mkdir, Path.rmdir, "a folder, want a file"),
            (os.mkfifo, Path.unlink, "something that is no file, want a file"),
        ):
            make(path)
            with pytest.raises(im.ConfigError, match=re.escape(f"{path}: got {got}")):
                read_repository(tmp_path)
            undo(path)
        path.touch()


def test_a_config_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m" / "config.pbtxt"
    with pytest.raises(im.ConfigError, match=r"cannot be read \(No such file"):
        read_config(path)
    path.parent.mkdir()
    path.write_bytes(b"# a\n\n# \xff\n")
    with pytest.raises(im.ConfigError, match=r"m/config\.pbtxt:3: got bytes that are not UTF-8"):
        read_config(path)
    path.write_bytes(b" " * (1 << 20))
    assert read_config(path).name == "m"
    path.write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(im.ConfigError, match="got more than 1048576 bytes, want fewer"):
        read_config(path)


def test_dynamic_batching_becomes_batching() -> None:
    got = config(
        """
        name: "m"  backend: "onnxruntime"
        max_batch_size: 32
        instance_group [ { count: 2 kind: KIND_CPU }, { } ]
        dynamic_batching {
          preferred_batch_size: [ 16, 4, 8, 8 ]
          max_queue_delay_microseconds: 1500
          priority_levels: 3
          default_priority_level: 2
          default_queue_policy { max_queue_size: 900 allow_timeout_override: true }
          priority_queue_policy [
            { key: 1
              value { timeout_action: DELAY default_timeout_microseconds: 250000 } },
            { key: 3 value: { max_queue_size: 500 } }
          ]
        }
        """
    )
    assert (
        got.batching.merge_requests
        and got.instances == Instances(3, "cpu")
        and got.max_batch_size == 32
    )
    assert got.batching == im.Batching(
        max_batch_size=32,
        max_queue_delay=0.0015,
        preferred_batch_sizes=(4, 8, 16),
        max_queue_size=1400,  # 0 of level 1, 900 of level 2, 500 of level 3
        priority_levels=3,
        default_priority_level=2,
        default_queue_policy=im.QueuePolicy(max_queue_size=900, allow_timeout_override=True),
        priority_queue_policy={
            1: im.QueuePolicy(timeout=0.25, timeout_action="delay"),
            3: im.QueuePolicy(max_queue_size=500),
        },
    )


def test_the_queue_has_room_for_what_the_levels_may_hold() -> None:
    policy = (
        "max_batch_size: 8 dynamic_batching {{ default_queue_policy {{ max_queue_size: {} }} }}"
    )
    assert config(policy.format(5000)).batching.max_queue_size == 5000
    assert config(policy.format(5)).batching.max_queue_size == 1024
    assert config(policy.format(2**31 - 1)).batching.max_queue_size == 2**24
    got = config(policy.format(2**31 - 1)).batching
    im.Engine(lambda x: x, name="m", batching=got, registry=im.NO_METRICS).close()


def test_without_dynamic_batching_nothing_is_merged() -> None:
    got = config("max_batch_size: 16")
    assert not got.batching.merge_requests
    assert got.batching == im.Batching(max_batch_size=16, merge_requests=False)
    assert config("max_batch_size: 16 dynamic_batching {}").batching.merge_requests


def test_a_model_without_a_batch_dimension_of_its_own() -> None:
    assert config("").batching.max_batch_size == 1024
    one = 'input [ { name: "x" data_type: TYPE_FP32 dims: [ 1, 4 ] } ]'
    assert config(one).batching.max_batch_size == 1
    assert config(one.replace("1, 4", "-1, 4")).batching.max_batch_size == 1024


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", Instances(1, "auto")),
        ("instance_group { count: 3 }", Instances(3, "auto")),
        ("instance_group [ { kind: KIND_CPU }, { count: 2 } ]", Instances(3, "cpu")),
        ("instance_group { kind: KIND_GPU }", Instances(1, "cuda")),
        (
            "instance_group [ { kind: KIND_GPU gpus: 2 count: 4 },"
            " { kind: KIND_GPU count: 4 gpus: 0 } ]",
            Instances(4, "cuda", (2, 0)),
        ),
    ],
)
def test_instances_and_where_they_run(text: str, want: Instances) -> None:
    assert config(text).instances == want


def test_known_fields_without_effect_get_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "inferometer"):
        config(
            'version_policy { latest { num_versions: 2 } }\nparameters { key: "a" value { } }\n'
            'input [ { name: "x" data_type: TYPE_FP32 dims: [ 4 ]\nreshape { shape: [ 2, 2 ] } } ]'
            "\ninstance_group { gpus: [ 0 ] }\ndynamic_batching { preserve_ordering: true }"
        )
    assert sorted(record.getMessage() for record in caplog.records) == [
        "m/config.pbtxt:1: version_policy has no effect here",
        "m/config.pbtxt:2: parameters has no effect here",
        "m/config.pbtxt:4: input[0].reshape has no effect here",
        "m/config.pbtxt:5: instance_group[0].gpus has no effect here",
        "m/config.pbtxt:6: dynamic_batching.preserve_ordering has no effect here",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("naem: 'm'", "1: got the unknown field 'naem' (is it 'name'?), want a field of a model's"),
        (
            "\ndynamic_batching { max_delay: 1 }",
            "2: got the unknown field 'max_delay', want a field of dynamic_batching",
        ),
        ("name: 'other'", "1: got name: 'other', want the name of its folder, 'm'"),
        ("name: m", "1: got name: the name m, want a string in quotes"),
        ("name: 'm' name: 'm'", "1: got name 2 times, want it once"),
        ("platform: 'tensorrt_plan'", "1: got platform: 'tensorrt_plan', want 'onnxruntime_onnx'"),
        ("backend: 'python'", "1: got backend: 'python', want 'onnxruntime': only ONNX models"),
        ("\n\nmax_batch_size: -1", "3: got max_batch_size: the integer -1, want an integer from 0"),
        ("max_batch_size: 4.0", "1: got max_batch_size: the float 4.0, want an integer from 0"),
        ("max_batch_size: true", "1: got max_batch_size: the name true, want an integer from 0"),
        ("max_batch_size: 2000000", "1: got max_batch_size: 2000000, want 0 to 1048576"),
        ("max_batch_size: 9999999999", "1: got max_batch_size: the integer 9999999999, want an "),
        ("max_batch_size {}", "1: got max_batch_size: a message in {}, want an integer"),
        ("input: 'x'", "1: got input: the string 'x', want a message in {}"),
        ("input {}", "1: got input[0].name: none, want the name of an input"),
        ("output { name: 'y' }", "1: got output[0].data_type: none, want a type such as TYPE_FP32"),
        (
            "input { name: 'x' data_type: FP32 }",
            "1: got input[0].data_type: the name FP32, want one of TYPE_BOOL, TYPE_UINT8",
        ),
        (
            "input { name: 'x' data_type: TYPE_FP32 dims: 0 }",
            "1: got input[0].dims: 0, want sizes of 1 and more, or -1",
        ),
        (
            "input { name: 'x' data_type: TYPE_FP32 }\ninput { name: 'x' data_type: TYPE_FP32 }",
            "2: got input[1].name: 'x' again, want each input once",
        ),
        ("instance_group { kind: KIND_MODEL }", "1: got instance_group[0].kind: KIND_MODEL, want"),
        (
            "instance_group [ { kind: KIND_GPU }, { kind: KIND_CPU } ]",
            "1: got instance_group: KIND_CPU and KIND_GPU, want one kind",
        ),
        (
            "instance_group [ { kind: KIND_GPU gpus: 0 }, { kind: KIND_GPU gpus: [ 1, 0 ] } ]",
            "1: got instance_group: the GPUs [0, 1, 0], want each GPU once",
        ),
        (
            "instance_group [ { kind: KIND_GPU gpus: 0 count: 2 }, { kind: KIND_GPU gpus: 1 } ]",
            "1: got instance_group: counts of [2, 1], want as many on each GPU",
        ),
        (
            "instance_group [ { kind: KIND_GPU }, { kind: KIND_GPU } ]",
            "1: got instance_group: 2 groups on all GPUs, want one",
        ),
        (
            "instance_group { kind: KIND_GPU gpus: -1 }",
            "1: got instance_group[0].gpus: the int",
        ),
        (
            "instance_group { kind: KIND_GPU count: 600 gpus: [ 0, 1 ] }",
            "1: got instance_group: 1200 instances in all, want 1024 at most",
        ),
        ("instance_group { count: 0 }", "1: got instance_group[0].count: the integer 0, want an"),
        (
            "instance_group [ { count: 1000 }, { count: 1000 } ]",
            "1: got instance_group: 2000 instances in all, want 1024 at most",
        ),
        (
            "max_batch_size: 4\ndynamic_batching { preferred_batch_size: [ 2, 8 ] }",
            "2: got dynamic_batching.preferred_batch_size: the integer 8, want an integer from 1 t",
        ),
        (
            "dynamic_batching { max_queue_delay_microseconds: 3600000001 }",
            "1: got dynamic_batching.max_queue_delay_microseconds: the integer 3600000001, want",
        ),
        (
            "dynamic_batching { priority_levels: 65 }",
            "1: got dynamic_batching.priority_levels: the integer 65, want an integer from 0 to 64",
        ),
        (
            "dynamic_batching { priority_levels: 2 }",
            "1: got dynamic_batching.default_priority_level: none, want a level from 1 to 2",
        ),
        (
            "dynamic_batching { priority_levels: 2 default_priority_level: 3 }",
            "1: got dynamic_batching.default_priority_level: the integer 3, want an integer from 0",
        ),
        (
            "dynamic_batching { priority_queue_policy { key: 1 } }",
            "1: got dynamic_batching.priority_queue_policy[0].key: a policy, want none without",
        ),
        (
            "dynamic_batching { priority_levels: 2 default_priority_level: 1\n"
            "priority_queue_policy { key: 3 } }",
            "2: got dynamic_batching.priority_queue_policy[0].key: the integer 3, want an integer",
        ),
        (
            "dynamic_batching { priority_levels: 2 default_priority_level: 1\n"
            "priority_queue_policy [ { key: 1 }, { key: 1 } ] }",
            "2: got dynamic_batching.priority_queue_policy[1].key: 1 again, want one policy",
        ),
        (
            "dynamic_batching { default_queue_policy { timeout_action: DROP } }",
            "1: got dynamic_batching.default_queue_policy.timeout_action: the name DROP, want one",
        ),
        (
            "dynamic_batching { default_queue_policy { allow_timeout_override: 'yes' } }",
            "1: got dynamic_batching.default_queue_policy.allow_timeout_override: the string 'yes'",
        ),
        ("max_batch_size: ", "1: got the end of the file, want a value"),
    ],
)
def test_an_error_says_where_what_and_what_instead(text: str, message: str) -> None:
    with pytest.raises(im.ConfigError) as caught:
        config(text)
    assert str(caught.value).startswith(f"m/config.pbtxt:{message}")


TENSORS = """
max_batch_size: {rows}
input [ {{ name: "{input}" data_type: {type} dims: [ {dims} ] }} ]
output [ {{ name: "y" data_type: TYPE_FP32 dims: [ 2 ] }} ]
"""
DESCRIBED = {"rows": "8", "input": "x", "type": "TYPE_FP32", "dims": "4"}
INPUTS = [("x", "float32", (-1, 4))]
OUTPUTS = [("y", "float32", (-1, 2))]


def test_what_a_config_describes_must_be_the_models() -> None:
    check_agreement(config(TENSORS.format(**DESCRIBED)), INPUTS, OUTPUTS, 0)
    check_agreement(config("max_batch_size: 8"), INPUTS, OUTPUTS, 0)  # need not describe it
    check_agreement(
        config('input { name: "x" data_type: TYPE_FP32 dims: [ -1, 4 ] }'), INPUTS, OUTPUTS, 0
    )
    for change, message in (
        ({"input": "z"}, ":3: got input 'z', want the model's, 'x'"),
        ({"type": "TYPE_INT64"}, ":3: got input 'x' of type INT64, want the model's, FP32"),
        ({"dims": "5"}, ":3: got input 'x' with dims [5], want the model's, [4] without the batch"),
        ({"rows": "0"}, ":3: got input 'x' with dims [4], want the model's, [-1, 4]"),
    ):
        with pytest.raises(im.ConfigError) as caught:
            check_agreement(config(TENSORS.format(**{**DESCRIBED, **change})), INPUTS, OUTPUTS, 0)
        assert message in str(caught.value)
    two = [*INPUTS, ("z", "float32", (-1, 4))]
    with pytest.raises(im.ConfigError, match="got no input 'z', want all of the model's"):
        check_agreement(config(TENSORS.format(**DESCRIBED)), two, OUTPUTS, 0)
    with pytest.raises(im.ConfigError, match="got 8, but the model takes 1 row at a time"):
        check_agreement(config(TENSORS.format(**DESCRIBED)), INPUTS, OUTPUTS, 1)


def test_datatypes_have_the_names_of_kserve() -> None:
    names = {
        dtype: datatype_name(dtype)
        for dtype in ("bool", "uint8", "int16", "uint64", "float16", "float32", "float64")
    }
    assert list(names.values()) == ["BOOL", "UINT8", "INT16", "UINT64", "FP16", "FP32", "FP64"]


SHIPPED = (REPOSITORY / "resnet_model/config.pbtxt").read_text(encoding="utf-8")


@settings(max_examples=400, deadline=None)
@given(
    at=st.integers(0, len(SHIPPED)),
    length=st.integers(0, 30),
    put=st.text(max_size=5)
    | st.sampled_from(["{", "}", "[", "]", "-1", "9" * 30, '"', "nan", "x:"]),
)
def test_a_damaged_config_is_read_or_refused(at: int, length: int, put: str) -> None:
    text = SHIPPED[:at] + put + SHIPPED[at + length :]
    try:
        config_of(text, "resnet_model", "f")
    except im.ConfigError as error:
        assert re.match(r"f:\d+: got .*, want ", str(error), re.DOTALL)


def test_a_copy_of_the_shipped_repository_is_read_from_anywhere(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY, tmp_path / "models")
    assert [model.name for model in read_repository(tmp_path / "models")] == ["resnet_model"]
