"""Protobuf's text format: what it means, what is refused; protobuf's own writer is the judge."""

from __future__ import annotations

import math
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from hypothesis import given, settings
from hypothesis import strategies as st

import inferometer as im
from inferometer.repository.text_format import MAX_NESTING, Message, Scalar, parse


def plain(message: Message) -> list[tuple[str, Any]]:
    """The fields as (name, value), messages as lists."""
    return [
        (
            field.name,
            field.value.value if isinstance(field.value, Scalar) else plain(field.value),
        )
        for field in message.fields
    ]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", []),
        ("# nothing but a comment", []),
        ("a: 1 b: 2", [("a", 1), ("b", 2)]),
        ("a: 1, b: 2; c: 3", [("a", 1), ("b", 2), ("c", 3)]),
        ("a { b: 1 }", [("a", [("b", 1)])]),
        ("a: { b: 1 }", [("a", [("b", 1)])]),
        ("a < b: 1 > c: <>", [("a", [("b", 1)]), ("c", [])]),
        ("a: [1, 2]\na: 3", [("a", 1), ("a", 2), ("a", 3)]),
        ("a [ { b: 1 }, { b: 2 } ]", [("a", [("b", 1)]), ("a", [("b", 2)])]),
        ("a: [] b []", []),
        ("a: -1 b: - 2", [("a", -1), ("b", -2)]),
        ("a: 0x1F b: 010 c: 0", [("a", 31), ("b", 8), ("c", 0)]),
        ("a: 1.5 b: .5 c: 2.", [("a", 1.5), ("b", 0.5), ("c", 2.0)]),
        ("a: 1e3 b: 2f", [("a", 1000.0), ("b", 2.0)]),
        ("a: inf b: -Infinity", [("a", math.inf), ("b", -math.inf)]),
        ("a: true b: KIND_CPU", [("a", "true"), ("b", "KIND_CPU")]),
        ("a: 'x' b: \"y # no comment\" # one", [("a", "x"), ("b", "y # no comment")]),
        ("a: 'one' \"two\"\n  'three'", [("a", "onetwothree")]),
        (
            r"""a: "\n\t\"\'\\\101\x41\u00e9\U0001F600\?" """,
            [("a", "\n\t\"'\\AA\u00e9\U0001f600?")],
        ),
        (r"a: '\303\251'", [("a", "\u00e9")]),
        ("a\n:\n1\n", [("a", 1)]),
    ],
)
def test_what_a_text_means(text: str, want: list[tuple[str, Any]]) -> None:
    assert plain(parse(text, "f")) == want


def test_nan_has_no_sign_that_matters() -> None:
    for text in ("a: nan", "a: -nan"):
        ((_, value),) = plain(parse(text, "f"))
        assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n}", "f:2: got '}', want a field's name"),
        ("a {\n\n", "f:3: got the end of the file, want a field's name or '}'"),
        ("a { b: 1 >", "f:1: got '>', want a field's name or '}'"),
        ("a 1", "f:1: got '1', want ':' or '{' after 'a'"),
        ("a [1]", "f:1: got '1', want ':' or '{' after 'a'"),
        ("a:", "f:1: got the end of the file, want a value"),
        ("a: [1 2]", "f:1: got '2', want ',' or ']'"),
        ("a: [1,]", "f:1: got ']', want a value"),
        ("a: 1,, b: 2", "f:1: got ',', want a field's name"),
        ("a: - b", "f:1: got 'b', want a number after '-'"),
        ("a: 08", "f:1: got '08', want digits from 0 to 7 in a number that begins with 0"),
        ("a: 12x", "f:1: got '12x', want a number"),
        ("a: 1.2.3", "f:1: got '1.2.3', want a number"),
        ("a: 0x", "f:1: got '0x', want a number"),
        ('a: "x\nb: 1', 'f:1: got a string that does not end in its line ("), want a clos'),
        (r'a: "\q"', r"f:1: got the escape '\\q', want one of protobuf's escapes"),
        (r'a: "\477"', r"f:1: got the escape \477, want an octal one up to \377"),
        (r'a: "\ud800"', "f:1: got code point 0xd800, want one of Unicode's"),
        (r'a: "\U00110000"', "f:1: got code point 0x110000, want one of Unicode's"),
        (r'a: "\xff"', "f:1: got bytes that are not UTF-8 in "),
        ("a: 1\n\nb: @", "f:3: got the character '@', want a field, a value or a bracket"),
        ("[ext]: 1", "f:1: got '[', want a field's name"),
        ("1: 2", "f:1: got '1', want a field's name"),
        ("a: " + "9" * 2000, "f:1: got a number of 2000 characters, want at most 1024"),
        ("a" * 2000, "f:1: got a name of 2000 characters, want at most 1024"),
        ("\ud800", "f:1: got the character "),
        ("a: '\ud800'", "f:1: got a lone surrogate, want text"),
    ],
)
def test_an_error_says_where_what_and_what_instead(text: str, message: str) -> None:
    with pytest.raises(im.ConfigError) as caught:
        parse(text, "f")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("opening", ["a {", "a: <", "a: [ {"])
def test_nesting_is_bounded(opening: str) -> None:
    closing = {"{": "}", "<": ">", "[ {": "} ]"}[opening[opening.index(" ") + 1 :]]
    deepest = opening * MAX_NESTING + closing * MAX_NESTING
    parse(deepest, "f")
    for text in (opening * (MAX_NESTING + 1), opening * 100_000):
        with pytest.raises(im.ConfigError, match=f"nested more than {MAX_NESTING} deep"):
            parse(text, "f")


@settings(max_examples=500, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                *("a", "b:", "{", "}", "<", ">", "[", "]", ",", ";", ":", "-", "1", "0x", "1.5e"),
                *('"', "'", "\\", "\n", "#", " ", "inf", "true", '"x"', "\\u", "\\777", "\x00"),
                "\ud800",
            ]
        ),
        max_size=40,
    ).map("".join)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(parse(text, "f"), Message)
    except im.ConfigError as error:
        assert str(error).startswith("f:") and ", want " in str(error)


def _message_class() -> Any:
    """A message type with every kind of field that a config.pbtxt has."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    message = file.message_type.add(name="M")
    for number, (name, kind, label) in enumerate(
        [
            ("text", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL),
            ("texts", kinds.TYPE_STRING, kinds.LABEL_REPEATED),
            ("whole", kinds.TYPE_INT64, kinds.LABEL_OPTIONAL),
            ("large", kinds.TYPE_UINT64, kinds.LABEL_OPTIONAL),
            ("wholes", kinds.TYPE_INT32, kinds.LABEL_REPEATED),
            ("real", kinds.TYPE_DOUBLE, kinds.LABEL_OPTIONAL),
            ("flag", kinds.TYPE_BOOL, kinds.LABEL_OPTIONAL),
            ("one", kinds.TYPE_MESSAGE, kinds.LABEL_OPTIONAL),
            ("many", kinds.TYPE_MESSAGE, kinds.LABEL_REPEATED),
        ],
        start=1,
    ):
        field = message.field.add(name=name, number=number, type=kind, label=label)
        if kind == kinds.TYPE_MESSAGE:
            field.type_name = ".t.M"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.M"))


_M = _message_class()
_SCALARS = st.fixed_dictionaries(
    {},
    optional={
        "text": st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
        "texts": st.lists(st.text(st.characters(codec="utf-8"), max_size=4), max_size=3),
        "whole": st.integers(-(2**63), 2**63 - 1).filter(bool),
        "large": st.integers(1, 2**64 - 1),
        "wholes": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
        "real": st.floats(allow_nan=False).filter(bool),
        "flag": st.just(True),
    },
)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.builds(
        lambda fields, one, many: {**fields, "one": one, "many": many},
        _SCALARS,
        inner,
        st.lists(inner, max_size=2),
    ),
    max_leaves=8,
)


def _plain_of(value: Any) -> list[tuple[str, Any]]:
    """What ``plain`` should say of a message, read off protobuf's own object."""
    found: list[tuple[str, Any]] = []
    for field, content in value.ListFields():
        repeated = isinstance(content, (str, int, float, bool, _M)) is False
        for one in content if repeated else [content]:
            if isinstance(one, bool):
                found.append((field.name, str(one).lower()))
            else:
                found.append((field.name, _plain_of(one) if isinstance(one, _M) else one))
    return found


@settings(max_examples=300, deadline=None)
@given(
    tree=_TREES,
    one_line=st.booleans(),
    short=st.booleans(),
    utf8=st.booleans(),
    angles=st.booleans(),
)
def test_what_protobuf_writes_is_read_as_protobuf_meant_it(
    tree: dict[str, Any], one_line: bool, short: bool, utf8: bool, angles: bool
) -> None:
    message = _M(**tree)
    text = text_format.MessageToString(
        message,
        as_one_line=one_line,
        use_short_repeated_primitives=short,
        as_utf8=utf8,
        pointy_brackets=angles,
    )
    assert plain(parse(text, "f")) == _plain_of(message)
