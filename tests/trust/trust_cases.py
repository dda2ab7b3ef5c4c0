"""Golden streams, ways to damage them, and what a reader may make of the result."""

from __future__ import annotations

import binascii
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bitstream import (
    BitstreamError,
    Layout,
    Limits,
    Probabilities,
    Stream,
    decode_planes,
    describe,
    grid,
    read_stream,
    truncate,
    verify,
)
from bitstream.reader import Reader, write_varint

GOLDEN = Path(__file__).parents[1] / "golden"
STREAMS = {path.stem: path.read_bytes() for path in sorted(GOLDEN.glob("v1-*.ddn"))}
SMALL = Limits(max_pixels=1 << 20, max_cells=1 << 14, max_elements=64)
"""What a test is willing to spend on one damaged stream."""
_COMPACT, _LAMBDA = 1 << 6, 1 << 5
_SIDES_AT = 12
_SIZES = (0, 1, 2, 63, 127, 128, 255, 16383, 65535, 65536, (1 << 31) - 1, (1 << 32) - 1)
"""Lengths, sides and level counts worth trying."""

Mutation = Callable[[np.random.Generator, bytearray], bytearray]


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit turned."""
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def resealed(data: bytes) -> bytes:
    """`data` with every checksum recomputed, as far as elements can be found: what a forger would do."""
    out = bytearray(data)
    if len(out) > _SIDES_AT and out[3] & _COMPACT:
        out[-2:] = binascii.crc_hqx(out[:-2], 0).to_bytes(2, "little")
        return bytes(out)
    try:
        crc = zlib.crc32(out[: _body(data)])
        for _, start, end in _elements(data):
            crc = zlib.crc32(out[start:end], crc)
            out[end : end + 4] = crc.to_bytes(4, "little")
    except BitstreamError:  # no further element can be found
        pass
    return bytes(out)


def inline_sealed(body: bytes, model: bytes) -> bytes:
    """`body` with the checksum that an inline stream of `model` ends with."""
    return body + binascii.crc_hqx(body, binascii.crc_hqx(model, 0)).to_bytes(2, "little")


def mutated(random: np.random.Generator, data: bytes) -> bytes:
    """`data` after one to four of MUTATIONS."""
    out = bytearray(data)
    for _ in range(int(random.integers(1, 5))):
        out = MUTATIONS[int(random.integers(len(MUTATIONS)))](random, out)
    return bytes(out)


def read_all(data: bytes, layout: Layout, probabilities: Probabilities, limits: Limits = SMALL) -> Stream | None:
    """Do everything to `data` that needs no network: None after a typed error, else the stream.

    Asserts that all ways agree and that indices are in range; any other exception passes through.
    """
    try:
        stream = read_stream(data, limits=limits)
    except BitstreamError:
        return _read_torn(data, limits)
    verify(data, limits=limits)
    assert describe(data, limits=limits).torn_bytes == 0
    assert truncate(data, max_bytes=len(data), limits=limits) == data
    _check_planes(stream, layout, probabilities, limits)
    return stream


def read_inline(
    data: bytes, model: bytes, layout: Layout, probabilities: Probabilities, limits: Limits = SMALL
) -> Stream | None:
    """As `read_all`, for streams of the inline profile."""
    try:
        stream = read_stream(data, limits=limits, inline=model)
    except BitstreamError:
        return None
    assert describe(data, limits=limits, inline=model).compact
    _check_planes(stream, layout, probabilities, limits)
    return stream


def _check_planes(stream: Stream, layout: Layout, probabilities: Probabilities, limits: Limits) -> None:
    try:
        planes = decode_planes(stream, layout, probabilities, limits=limits)
    except BitstreamError:
        return
    for plane, level in zip(planes, layout):
        assert plane.shape == grid(level, stream.header.width, stream.header.height)
        assert 0 <= plane.min() <= plane.max() < level.outputs


def _read_torn(data: bytes, limits: Limits) -> None:
    """What is left of a torn stream is a stream."""
    try:
        stream = read_stream(data, limits=limits, allow_partial=True)
    except BitstreamError:
        return
    assert read_stream(data[: len(data) - stream.torn_bytes], limits=limits).elements == stream.elements


def _body(data: bytes) -> int:
    """Where the elements begin."""
    reader = Reader(data, _SIDES_AT)
    reader.varint("width")
    reader.varint("height")
    return reader.position + bool(data[3] & _LAMBDA)


def _elements(data: bytes) -> Iterator[tuple[int, int, int]]:
    """For each element: the offsets of its length field, its own, and that of its checksum."""
    reader = Reader(data, _body(data))
    while reader.left:
        start = reader.position
        reader.varint("tag")
        length_at = reader.position
        reader.take(reader.varint("length"), "payload")
        yield length_at, start, reader.position
        reader.take(min(4, reader.left), "checksum")


def _flip(random: np.random.Generator, data: bytearray) -> bytearray:
    return bytearray(flipped(data, int(random.integers(8 * len(data))))) if data else data


def _set_byte(random: np.random.Generator, data: bytearray) -> bytearray:
    if data:
        data[_place(random, data)] = int(random.integers(256))
    return data


def _insert(random: np.random.Generator, data: bytearray) -> bytearray:
    at = _place(random, data)
    data[at:at] = random.bytes(int(random.integers(1, 9)))
    return data


def _delete(random: np.random.Generator, data: bytearray) -> bytearray:
    at = _place(random, data)
    del data[at : at + int(random.integers(1, 9))]
    return data


def _repeat(random: np.random.Generator, data: bytearray) -> bytearray:
    at = _place(random, data)
    data[at:at] = data[at : at + int(random.integers(1, 33))]
    return data


def _splice(random: np.random.Generator, data: bytearray) -> bytearray:
    other = list(STREAMS.values())[int(random.integers(len(STREAMS)))]
    return data[: _place(random, data)] + other[_place(random, other) :]


def _forge_flags(random: np.random.Generator, data: bytearray) -> bytearray:
    data[3:4] = bytes([1 | int(random.integers(32)) << 3])
    return data


def _forge_side(random: np.random.Generator, data: bytearray) -> bytearray:
    try:
        reader = Reader(bytes(data), _SIDES_AT)
        if random.random() < 0.5:
            reader.varint("width")
        start = reader.position
        reader.varint("side")
        data[start : reader.position] = _size(random)
    except BitstreamError:
        pass
    return data


def _forge_element(random: np.random.Generator, data: bytearray) -> bytearray:
    """Another tag or length for one of the elements."""
    try:
        found = list(_elements(bytes(data)))
    except BitstreamError:
        return data
    if found:
        length_at, start, _ = found[int(random.integers(len(found)))]
        if random.random() < 0.5:
            data[start:length_at] = _size(random)
        else:
            data[length_at : length_at + 1] = _size(random)
    return data


def _size(random: np.random.Generator) -> bytes:
    value = write_varint(_SIZES[int(random.integers(len(_SIZES)))])
    return value if random.random() < 0.8 else value[:-1] + bytes([value[-1] | 0x80, 0])  # overlong


def _place(random: np.random.Generator, data: bytes | bytearray) -> int:
    return int(random.integers(max(1, len(data))))


MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _set_byte,
    _insert,
    _delete,
    _repeat,
    _splice,
    _forge_flags,
    _forge_side,
    _forge_element,
)
