"""Protocol buffers by tables of fields: read back, unknown fields, hostile bytes."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtrack.interop.tensorboard.crc32c import crc32c
from nbtrack.interop.wire_format import Message, many, one

some = settings(max_examples=40)
INNER = Message(x=one(1, "int"), text=one(2, "text"))
OUTER = Message(
    whole=one(1, "int"),
    flag=one(2, "bool"),
    wide=one(3, "double"),
    narrow=one(4, "float"),
    text=one(5, "text"),
    body=one(6, "bytes"),
    inner=one(7, INNER),
    wholes=many(8, "int"),
    wides=many(9, "double"),
    texts=many(10, "text"),
    inners=many(4000, INNER),
)
whole = st.integers(-(2**63), 2**63 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]))
inner = st.fixed_dictionaries({}, optional={"x": whole, "text": text})
outer = st.fixed_dictionaries(
    {},
    optional={
        "whole": whole,
        "flag": st.booleans(),
        "wide": st.floats(allow_nan=False),
        "narrow": st.floats(width=32, allow_nan=False),
        "text": text,
        "body": st.binary(),
        "inner": inner,
        "wholes": st.lists(whole, min_size=1),
        "wides": st.lists(st.floats(allow_nan=False), min_size=1),
        "texts": st.lists(text, min_size=1),
        "inners": st.lists(inner, min_size=1),
    },
)


@some
@given(outer)
def test_what_is_written_is_read_back(values):
    assert OUTER.read(OUTER.write(values)) == values


@some
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_value_error(body):
    with contextlib.suppress(ValueError):
        assert isinstance(OUTER.read(body), dict)


@some
@given(outer, st.data())
def test_a_message_that_is_cut_off_is_a_value_error_or_a_shorter_message(values, data):
    body = OUTER.write(values)
    cut = data.draw(st.integers(0, len(body)))
    with contextlib.suppress(ValueError):
        assert OUTER.read(body[:cut]).keys() <= values.keys()


def test_fields_that_no_table_names_are_passed_over():
    assert INNER.read(OUTER.write({"whole": 3, "wide": 0.5, "body": b"x"})) == {"x": 3}


def test_numbers_are_read_packed_and_one_by_one():
    packed = bytes([8 << 3 | 2, 3, 1, 2, 3]) + OUTER.write({"wholes": [4]})
    assert OUTER.read(packed) == {"wholes": [1, 2, 3, 4]}


def test_a_length_beyond_the_end_takes_no_memory():
    claims_4_gb = bytes([6 << 3 | 2, 255, 255, 255, 255, 15]) + b"short"
    with pytest.raises(ValueError, match="beyond the end"):
        OUTER.read(claims_4_gb)


def test_a_float_that_four_bytes_cannot_hold_is_infinite():
    for value, read in ((1e300, math.inf), (-1e39, -math.inf), (3.4028235e38, None)):
        found = OUTER.read(OUTER.write({"narrow": value}))["narrow"]
        assert found == read or (read is None and math.isfinite(found))


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # from RFC 3720
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_crc32c_is_the_one_of_the_standard(data, checksum):
    assert crc32c(data) == checksum


@pytest.mark.parametrize("size", [4095, 4096, 4097, 5000, 100_001])
def test_a_long_checksum_is_that_of_its_bytes_one_by_one(size):
    from nbtrack.interop.tensorboard import crc32c as module

    data = bytes(n * 7 % 251 for n in range(size))
    crc = 0xFFFFFFFF
    for byte in data:
        crc = module._TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    assert crc32c(data) == crc ^ 0xFFFFFFFF
