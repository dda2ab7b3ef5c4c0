"""Framing: elements survive, any whole prefix is a stream, lost or moved elements are noticed."""

from __future__ import annotations

import zlib

import pytest
from bitstream_cases import LAYOUT, MODEL, same, small_stream

from bitstream import (
    ALL_LEVELS,
    Chunk,
    ChunkType,
    CorruptionError,
    Element,
    Header,
    InsufficientDataError,
    InvalidArgumentError,
    LimitError,
    Limits,
    Pass,
    decode_planes,
    in_order,
    read_stream,
    write_stream,
)

HEADER = Header(MODEL, 64, 64)
COMPACT = Header(MODEL, 64, 64, compact=True)
ELEMENTS: list[Element] = [
    Chunk(2, b"exif"),
    Pass(1, b"first"),
    Chunk(1000, b""),
    Pass(3, b"second" * 50),
    Chunk(4, b"alpha"),
]


def pieces(data: bytes) -> list[bytes]:
    """The header, of 14 bytes as HEADER's, and each element, as separate byte strings."""
    ends = [14, *read_stream(data).ends]
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def test_elements_survive_and_rewriting_gives_the_same_bytes() -> None:
    data = write_stream(HEADER, ELEMENTS)
    stream = read_stream(data)
    assert list(stream.elements) == ELEMENTS
    assert [p.levels for p in stream.passes] == [1, 3]
    assert [c.type for c in stream.chunks] == [2, 1000, 4]
    assert write_stream(stream.header, stream.elements) == data
    assert stream.ends[-1] == len(data)


def test_bytearray_and_memoryview_are_read_too() -> None:
    data = write_stream(HEADER, ELEMENTS)
    assert read_stream(bytearray(data)) == read_stream(memoryview(data)) == read_stream(data)


def test_a_stream_may_end_after_any_element_with_a_pass_before() -> None:
    data = write_stream(HEADER, ELEMENTS)
    ends = read_stream(data).ends
    for count, end in enumerate(ends, start=1):
        if count < 2:
            with pytest.raises(InsufficientDataError, match="no whole pass"):
                read_stream(data[:end])
        else:
            assert list(read_stream(data[:end]).elements) == ELEMENTS[:count]


def test_torn_streams_give_their_whole_elements_on_request_only() -> None:
    data = write_stream(HEADER, ELEMENTS)
    ends = read_stream(data).ends
    for size in range(ends[1] + 1, len(data)):
        whole = sum(end <= size for end in ends)
        if size in ends:
            continue
        with pytest.raises(InsufficientDataError):
            read_stream(data[:size])
        torn = read_stream(data[:size], allow_partial=True)
        assert list(torn.elements) == ELEMENTS[:whole]
        assert torn.torn_bytes == size - ends[whole - 1]
    for size in range(ends[1]):
        with pytest.raises(InsufficientDataError):
            read_stream(data[:size], allow_partial=True)


@pytest.mark.parametrize("order", [[0, 2], [1, 0, 2], [0, 2, 1], [0, 1, 1, 2], [1, 2]])
def test_lost_moved_and_repeated_elements_are_noticed(order: list[int]) -> None:
    head, *elements = pieces(write_stream(HEADER, [Pass(1, b"abc"), Chunk(9, b"de"), Pass(1, b"f")]))
    with pytest.raises(CorruptionError, match="CRC-32"):
        read_stream(head + b"".join(elements[number] for number in order))


def test_an_element_of_another_stream_is_noticed() -> None:
    one = write_stream(HEADER, [Pass(1, b"abc"), Pass(1, b"f")])
    two = write_stream(Header(MODEL, 64, 65), [Pass(1, b"abc"), Pass(1, b"f")])
    with pytest.raises(CorruptionError, match="CRC-32"):
        read_stream(b"".join([*pieces(one)[:2], pieces(two)[2]]))


def test_a_checksum_over_checksums_would_forget() -> None:
    """Why earlier CRC fields are left out of the running CRC-32."""
    states = {zlib.crc32(text + zlib.crc32(text).to_bytes(4, "little")) for text in (b"one", b"another")}
    assert len(states) == 1


@pytest.mark.parametrize("tail", [b"\x00", b"\x01", b"\x02\x00\x00\x00\x00\x00", b"GARBAGE!" * 9])
def test_trailing_garbage_is_an_error(tail: bytes) -> None:
    with pytest.raises((CorruptionError, InsufficientDataError)):
        read_stream(write_stream(HEADER, ELEMENTS) + tail)


def test_known_chunks_occur_once_unknown_ones_as_often_as_they_like() -> None:
    data = write_stream(HEADER, [Chunk(70, b"a"), Chunk(70, b"b"), Pass(1, b"")])
    assert [c.payload for c in read_stream(data).chunks] == [b"a", b"b"]
    with pytest.raises(InvalidArgumentError, match="type 1 occurs twice"):
        write_stream(HEADER, [Chunk(1, b"a"), Chunk(1, b"b"), Pass(1, b"")])
    data = data[:14]
    crc = zlib.crc32(data)
    for element in (b"\x03\x00", b"\x03\x00", b"\x02\x00"):
        crc = zlib.crc32(element, crc)
        data += element + crc.to_bytes(4, "little")
    with pytest.raises(CorruptionError, match="type 1 occurs twice"):
        read_stream(data)


def test_compact_overhead_is_16_bytes_and_inline_at_most_6() -> None:
    for step, extra in ((None, 0), (96, 1)):
        header = Header(MODEL, 127, 127, compact=True, lambda_step=step)
        payload = bytes(range(144))
        data = write_stream(header, [Pass(128, payload)])
        assert len(data) - len(payload) == 16 + extra
        inline = write_stream(header, [Pass(128, payload)], inline=True)
        assert len(inline) - len(payload) == 5 + extra
        for stream in (read_stream(data), read_stream(inline, inline=MODEL)):
            assert stream.passes == (Pass(ALL_LEVELS, payload),)
            assert stream.header == header


def test_inline_streams_of_another_model_are_noticed() -> None:
    inline = write_stream(COMPACT, [Pass(1, b"abc")], inline=True)
    for bit in range(64):
        other = int.from_bytes(COMPACT.model_id, "big") ^ 1 << bit
        with pytest.raises(CorruptionError, match="CRC-16"):
            read_stream(inline, inline=other.to_bytes(8, "big"))


def test_elements_are_limited_in_number() -> None:
    data = write_stream(HEADER, [Pass(1, b"")] + [Chunk(9, b"")] * 4)
    assert len(read_stream(data, limits=Limits(max_elements=5)).elements) == 5
    with pytest.raises(LimitError, match="max_elements"):
        read_stream(data, limits=Limits(max_elements=4))


def test_compact_streams_hold_one_pass_and_inline_ones_are_compact() -> None:
    for elements in ([], [Pass(1, b""), Pass(1, b"")], [Chunk(1, b"")]):
        with pytest.raises(InvalidArgumentError, match="exactly one pass"):
            write_stream(COMPACT, elements)
    with pytest.raises(InvalidArgumentError, match="compact"):
        write_stream(HEADER, [Pass(1, b"")], inline=True)
    with pytest.raises(InvalidArgumentError, match="inline"):
        read_stream(b"\x41\x01\x01\x00\x00", inline=b"short")
    with pytest.raises(CorruptionError, match="must be compact"):
        read_stream(b"\x01\x01\x01\x00\x00", inline=MODEL)


def test_elements_out_of_range_are_refused() -> None:
    for element in (Pass(0, b""), Pass(1 << 31, b""), Chunk(0, b""), Chunk(-1, b"")):
        with pytest.raises(InvalidArgumentError, match="must be 1"):
            write_stream(HEADER, [element, Pass(1, b"")])
    with pytest.raises(InvalidArgumentError, match="at least one pass"):
        write_stream(HEADER, [Chunk(1, b"")])


@pytest.mark.parametrize("coded", [False, True])
def test_prefixes_decode_to_the_first_planes(coded: bool) -> None:
    data, _, planes, tables = small_stream(coded)
    ends = read_stream(data).ends
    for end, levels in zip(ends[1:], (2, 2, 4, 5), strict=True):
        stream = read_stream(data[:end])
        assert same(decode_planes(stream, LAYOUT, tables), planes[:levels])


def test_chunks_go_to_the_places_of_their_types() -> None:
    chunks = [Chunk(kind, b"") for kind in (ChunkType.XMP, 99, ChunkType.POST_FILTER, ChunkType.ICC, ChunkType.ALPHA)]
    passes = [Pass(1, b"a"), Pass(2, b"b")]
    found = [each.type if isinstance(each, Chunk) else "pass" for each in in_order(passes, chunks)]
    assert found == [ChunkType.ALPHA, "pass", "pass", ChunkType.POST_FILTER, ChunkType.XMP, 99, ChunkType.ICC]


def test_the_picture_depends_on_alpha_and_post_filter_only() -> None:
    assert {kind for kind in ChunkType if kind.belongs_to_picture} == {ChunkType.ALPHA, ChunkType.POST_FILTER}
