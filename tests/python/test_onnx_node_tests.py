"""The official node tests of the ONNX package: every one of every operator that is claimed.

A case runs in each way in which it has rows (`onnx_node_cases`), or is refused for a reason that is
listed (`onnx_node_lists`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

import inferometer as im
from inferometer.onnx._operators import KNOWN_VERSIONS
from onnx_devices import DEVICES, load
from onnx_files import save
from onnx_node_cases import (
    Array,
    NodeCase,
    Prepared,
    as_added,
    as_one_row,
    as_rows,
    choices,
    collected,
    is_sound,
    names_of_all_claimed,
)
from onnx_node_lists import (
    AS_ONE_ROW,
    EXACT,
    NO_TENSOR,
    NOT_AS_ROWS,
    ONLY_AS_ONE_ROW,
    REFUSED,
    TOLERANCE_OF,
    TOLERANCES,
    Tolerance,
)
from onnx_node_report import PROPERTY, RUN, documented

CASES = collected()
RUNNING = [case for case in CASES if case.name not in REFUSED]
Record = Callable[[str, object], None]


def may_be_one_row(case: NodeCase) -> bool:
    return case.op in AS_ONE_ROW or case.name in ONLY_AS_ONE_ROW


def sound_forms(case: NodeCase) -> Iterator[Prepared]:
    """The case in every way in which it has rows."""
    if case.op == "Constant":
        yield as_added(case)
        return
    for kept in choices(case):
        if case.name not in ONLY_AS_ONE_ROW and is_sound(case, kept):
            yield as_rows(case, kept)
            if all(case.inputs[i].shape[0] == 1 for i in kept):
                yield as_rows(case, kept, free=False)
        if may_be_one_row(case) and is_sound(case, kept, in_front=True):
            yield as_one_row(case, kept)


def assert_same(got: Array, want: Array, tolerance: Tolerance) -> None:
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    if tolerance == EXACT:
        np.testing.assert_array_equal(got, want)
    else:
        np.testing.assert_allclose(got, want, rtol=tolerance.rtol, atol=tolerance.atol)


def run(native: im.Model, arrays: list[Array]) -> Array:
    got = native.run(*arrays)
    assert isinstance(got, np.ndarray)
    return got


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", RUNNING, ids=lambda case: case.name)
def test_runs(device: str, case: NodeCase, tmp_path: Path, record_property: Record) -> None:
    record_property(PROPERTY, f"{device}: {RUN}")
    tolerance = TOLERANCE_OF.get(case.name, TOLERANCES[case.op])
    forms = list(sound_forms(case))
    assert forms
    for proto, arrays, want in forms:
        native = load(save(proto, tmp_path), device)
        assert_same(run(native, arrays), want, tolerance)
        if native.max_rows == 1:
            continue
        # Each row alone, and all of them among others.
        rows = range(len(want))
        alone = [run(native, [array[i : i + 1] for array in arrays]) for i in rows]
        assert_same(np.concatenate(alone), want, tolerance)
        others = [-array for array in arrays]
        among = [np.concatenate([a, b, a]) for a, b in zip(arrays, others, strict=True)]
        before, between, after = np.split(run(native, among), 3)
        assert_same(before, want, tolerance)
        assert_same(after, want, tolerance)
        assert_same(between, run(native, others), tolerance)


def any_forms(case: NodeCase) -> Iterator[onnx.ModelProto]:
    """The case in every way that could be tried."""
    yield case.model
    if REFUSED[case.name] == NO_TENSOR:
        return
    for kept in choices(case):
        yield as_rows(case, kept).proto
        if case.claimed and case.op in {*AS_ONE_ROW, "Flatten"}:
            yield as_one_row(case, kept).proto


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(device: str, name: str, tmp_path: Path, record_property: Record) -> None:
    (case,) = [case for case in CASES if case.name == name]
    reason = REFUSED[name]
    record_property(PROPERTY, f"{device}: {reason.text}")
    messages = []
    for proto in any_forms(case):
        path = save(proto, tmp_path)
        with pytest.raises((im.UnsupportedOperatorError, im.ConfigError)) as caught:
            load(path, device)
        messages.append(str(caught.value))
    # The official model itself may be refused for its fixed dimension 0 first.
    fixed = "dimension 0 counts rows"
    assert all(re.search(reason.says, text) or fixed in text for text in messages[:1])
    assert all(re.search(reason.says, text) for text in messages[1:])
    assert len(messages) > 1 or fixed not in messages[0]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", sorted(ONLY_AS_ONE_ROW))
def test_has_no_rows_as_it_is(device: str, name: str, tmp_path: Path) -> None:
    (case,) = [case for case in CASES if case.name == name]
    for kept in choices(case):
        path = save(as_rows(case, kept).proto, tmp_path)
        with pytest.raises(im.UnsupportedOperatorError, match=NOT_AS_ROWS):
            load(path, device)


def test_every_operator_is_tested_and_has_a_tolerance() -> None:
    assert {case.op for case in RUNNING} == set(KNOWN_VERSIONS) == set(TOLERANCES)


def test_the_lists_name_cases_that_exist() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert {*REFUSED, *ONLY_AS_ONE_ROW, *TOLERANCE_OF} <= set(names)
    assert not ONLY_AS_ONE_ROW & set(REFUSED)


@pytest.mark.slow
def test_no_other_module_has_cases_of_these_operators() -> None:
    assert names_of_all_claimed() == {case.name for case in CASES if case.claimed}


def test_the_documented_counts() -> None:
    version, counts = documented()
    if version != onnx.__version__:
        pytest.skip(f"the counts are those of onnx {version}, this is {onnx.__version__}")
    refused = Counter(reason.text for reason in REFUSED.values())
    assert counts == {"collected": len(CASES), RUN: len(RUNNING), **refused}
