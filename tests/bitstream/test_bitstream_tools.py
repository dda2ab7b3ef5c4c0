"""Cutting, checking and describing streams, without a model."""

from __future__ import annotations

import json

import numpy as np
import pytest
from bitstream_cases import LAYOUT, MODEL, same, small_stream

from bitstream import (
    BitstreamError,
    Chunk,
    ChunkType,
    Header,
    InsufficientDataError,
    InvalidArgumentError,
    Pass,
    decode_planes,
    describe,
    encode_planes,
    in_order,
    read_stream,
    truncate,
    verify,
    write_stream,
)


def test_truncation_by_levels_keeps_whole_passes() -> None:
    data, _, planes, tables = small_stream(True)
    for levels, kept in ((2, 2), (3, 2), (4, 4), (5, 5), (99, 5)):
        short = truncate(data, levels=levels)
        verify(short)
        assert data.startswith(short)
        assert same(decode_planes(read_stream(short), LAYOUT, tables), planes[:kept])
    assert truncate(data, levels=99) == data


def test_truncation_by_size_is_the_longest_prefix_that_fits() -> None:
    data = small_stream(False)[0]
    ends = read_stream(data).ends
    after_pass = [ends[1], ends[3], ends[4]]
    for size in range(ends[1], len(data) + 2):
        assert len(truncate(data, max_bytes=size)) == max(e for e in after_pass if e <= size)
    assert len(truncate(data, max_bytes=len(data), levels=4)) == ends[3]


def test_chunks_before_the_cut_are_kept() -> None:
    data = small_stream(False)[0]
    assert [c.type for c in read_stream(truncate(data, levels=2)).chunks] == [1]
    assert [c.type for c in read_stream(truncate(data, levels=4)).chunks] == [1, 99]


def test_a_cut_keeps_the_post_filter_and_drops_metadata_first() -> None:
    data, header, planes, tables = small_stream(True)
    passes = encode_planes(planes, LAYOUT, header, tables, (2, 3))
    chunks = [Chunk(kind, bytes(9)) for kind in (ChunkType.ALPHA, ChunkType.POST_FILTER, ChunkType.ICC, ChunkType.XMP)]
    data = write_stream(header, in_order(passes, chunks))
    ends = read_stream(data).ends
    for size, kept in ((ends[5], 6), (ends[5] - 1, 4), (ends[3], 4), (ends[3] - 1, 3), (ends[2] - 1, 2), (ends[1], 2)):
        assert truncate(data, max_bytes=size) == data[: ends[kept - 1]]
    with pytest.raises(InvalidArgumentError, match="the first pass exceeds"):
        truncate(data, max_bytes=ends[1] - 1)


def test_truncation_that_cannot_be_done_is_refused() -> None:
    data = small_stream(False)[0]
    with pytest.raises(InvalidArgumentError, match="the first pass exceeds"):
        truncate(data, levels=1)
    with pytest.raises(InvalidArgumentError, match="the first pass exceeds"):
        truncate(data, max_bytes=20)
    with pytest.raises(InvalidArgumentError, match="give"):
        truncate(data)
    with pytest.raises(InsufficientDataError):
        truncate(data[:-1], levels=2)
    compact = write_stream(Header(MODEL, 9, 9, compact=True), [Pass(1, b"abc")])
    assert truncate(compact, max_bytes=len(compact)) == compact
    with pytest.raises(InvalidArgumentError, match="compact"):
        truncate(compact, levels=1)


def test_description_accounts_for_every_byte() -> None:
    data, header, _, _ = small_stream(True)
    text = json.dumps(describe(data).as_dict())
    found = json.loads(text)
    assert found["model_id"] == MODEL.hex()
    assert (found["width"], found["height"], found["lambda_step"]) == (40, 24, 200)
    assert found["rate_lambda"] == header.rate_lambda
    assert [p["levels"] for p in found["passes"]] == [2, 2, 1]
    assert found["passes"][-1]["end"] == len(data) == found["total_bytes"]
    assert [(c["type"], c["name"]) for c in found["chunks"]] == [(1, "ICC"), (99, "unknown")]
    payloads = sum(e["payload_bytes"] for e in found["passes"] + found["chunks"])
    assert found["overhead_bytes"] + payloads == len(data)
    assert found["bits_per_pixel"] == pytest.approx(8 * len(data) / (40 * 24))
    assert found["torn_bytes"] == 0


def test_torn_and_inline_streams_can_be_described() -> None:
    data = small_stream(False)[0]
    torn = describe(data[:-1])
    assert [p.levels for p in torn.passes] == [2, 2]
    assert torn.torn_bytes == len(data) - 1 - torn.passes[-1].end
    inline = write_stream(Header(MODEL, 9, 9, compact=True), [Pass(1, b"abc")], inline=True)
    assert describe(inline, inline=MODEL).overhead_bytes == 5


def test_verify_accepts_what_was_written_and_nothing_else() -> None:
    data = small_stream(True)[0]
    verify(data)
    rng = np.random.default_rng(0)
    with pytest.raises(BitstreamError):
        verify(rng.bytes(200))
