"""The header survives the trip, and each of its fields is checked."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from bitstream_cases import MODEL
from hypothesis import given, settings
from hypothesis import strategies as st

from bitstream import (
    CompatibilityError,
    CorruptionError,
    Header,
    InsufficientDataError,
    InvalidArgumentError,
    LimitError,
    Limits,
    Pass,
    read_header,
    read_stream,
    write_stream,
)

headers = st.builds(
    Header,
    model_id=st.binary(min_size=8, max_size=8),
    width=st.integers(1, 4096),
    height=st.integers(1, 65535),
    coded=st.booleans(),
    gray=st.booleans(),
    lambda_step=st.none() | st.integers(0, 255),
    compact=st.booleans(),
)


def stream_of(header: Header) -> bytes:
    return write_stream(header, [Pass(1, b"")])


def patched(offset: int, value: bytes, **fields: Any) -> bytes:
    data = bytearray(stream_of(dataclasses.replace(Header(MODEL, 5, 6), **fields)))
    data[offset : offset + 1] = value
    return bytes(data)


@settings(max_examples=60, deadline=None)
@given(headers)
def test_every_field_survives(header: Header) -> None:
    data = stream_of(header)
    assert read_header(data) == header
    assert read_stream(data).header == header


@settings(max_examples=30, deadline=None)
@given(headers)
def test_every_field_survives_inline(header: Header) -> None:
    header = dataclasses.replace(header, compact=True)
    data = write_stream(header, [Pass(1, b"abc")], inline=True)
    stream = read_stream(data, inline=header.model_id)
    assert stream.header == header
    assert stream.passes[0].payload == b"abc"


def test_header_cut_anywhere_needs_more_data() -> None:
    data = stream_of(Header(MODEL, 300, 300, lambda_step=1))
    for size in range(3 + 1 + 8 + 2 + 2 + 1):
        with pytest.raises(InsufficientDataError):
            read_header(data[:size])


@pytest.mark.parametrize("start", [b"\xdd\n", b"\xdd\r\r\n"])
def test_converted_line_endings_are_recognised(start: bytes) -> None:
    with pytest.raises(CorruptionError, match="line endings"):
        read_header(start + stream_of(Header(MODEL, 5, 6))[3:])


def test_other_files_are_refused() -> None:
    with pytest.raises(CorruptionError, match="signature is 89 50 4e"):
        read_header(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("version", [0, 2, 3, 4, 5, 6, 7])
def test_other_versions_are_incompatible(version: int) -> None:
    with pytest.raises(CompatibilityError, match=f"version is {version}"):
        read_header(patched(3, bytes([version])))


def test_reserved_bit_is_incompatible() -> None:
    with pytest.raises(CompatibilityError, match="reserved bit"):
        read_header(patched(3, b"\x81"))


@pytest.mark.parametrize(
    ("field", "match"),
    [
        (b"\x00", "width is 0"),
        (b"\x80\x80\x04", "width is 65536"),
        (b"\x85\x00", "overlong"),
        (b"\xff\xff\xff\xff\x1f", "exceeds"),
        (b"\x80\x80\x80\x80\x80\x01", "exceeds"),
    ],
)
def test_illegal_sides_are_corrupt(field: bytes, match: str) -> None:
    with pytest.raises(CorruptionError, match=match):
        read_header(patched(12, field))


def test_pixel_limit_can_be_moved() -> None:
    data = stream_of(Header(MODEL, 65535, 65535))
    with pytest.raises(LimitError, match="65535 x 65535"):
        read_header(data)
    assert read_header(data, limits=Limits(max_pixels=1 << 32)).width == 65535
    with pytest.raises(LimitError, match="max_pixels is 29"):
        read_header(stream_of(Header(MODEL, 5, 6)), limits=Limits(max_pixels=29))


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 2},
        {"model_id": b"short"},
        {"width": 0},
        {"height": 65536},
        {"lambda_step": 256},
        {"lambda_step": -1},
    ],
)
def test_headers_that_no_stream_can_express(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(fields))):
        dataclasses.replace(Header(MODEL, 5, 6), **fields)


def test_lambda_steps_are_sixteenths_of_octaves() -> None:
    assert Header(MODEL, 5, 6).rate_lambda is None
    assert Header(MODEL, 5, 6, lambda_step=96).rate_lambda == 64.0


def test_wrong_model_is_named() -> None:
    Header(MODEL, 5, 6).require_model(MODEL)
    with pytest.raises(CompatibilityError, match="by model 0123456789abcdef, this is 0000"):
        Header(MODEL, 5, 6).require_model(bytes(8))
