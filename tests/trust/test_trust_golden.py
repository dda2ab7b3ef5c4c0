"""Every truncation and every flipped bit of the golden streams is noticed, or leaves a documented partial picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from trust_cases import STREAMS, flipped, read_all, resealed

import bitstream
from bitstream import BitstreamError
from ddncodec.codec import Codec

CodecOf = Callable[[str], Codec]
NAMES = pytest.mark.parametrize("name", STREAMS)


@NAMES
def test_every_truncation_is_an_error_or_a_blurrier_picture(name: str, codec_of: CodecOf) -> None:
    data = STREAMS[name]
    whole = dict(zip(bitstream.read_stream(data).ends, _levels(data)))
    for size in range(len(data)):
        if size not in whole:
            with pytest.raises(BitstreamError):
                codec_of(name).decode(data[:size])
        else:
            assert _same(codec_of(name).decode(data[:size]), codec_of(name).decode(_unfiltered(data), whole[size]))


@NAMES
def test_every_truncation_shows_its_whole_passes_on_request(name: str, codec_of: CodecOf) -> None:
    data = STREAMS[name]
    ends, levels = bitstream.read_stream(data).ends, _levels(data)
    for size in range(len(data)):
        there = [count for end, count in zip(ends, levels) if end <= size]
        if not there:
            with pytest.raises(BitstreamError):
                codec_of(name).decode(data[:size], allow_partial=True)
        elif size - 1 in ends or size in (*ends, len(data) - 1):  # the others decode the same passes
            found = codec_of(name).decode(data[:size], allow_partial=True)
            assert _same(found, codec_of(name).decode(_unfiltered(data), there[-1]))
        else:
            assert len(bitstream.read_stream(data[:size], allow_partial=True).passes) == len(there)


@NAMES
def test_every_flipped_bit_is_noticed(name: str, codec_of: CodecOf) -> None:
    for bit in range(8 * len(STREAMS[name])):
        with pytest.raises(BitstreamError):
            codec_of(name).decode(flipped(STREAMS[name], bit))


@NAMES
@pytest.mark.usefixtures("little_memory")
def test_every_flipped_bit_under_forged_checksums_is_an_error_or_in_range(name: str, codec_of: CodecOf) -> None:
    codec = codec_of(name)
    layout, probabilities = codec.info.layout, codec.engine.model.probabilities
    forged = (resealed(flipped(STREAMS[name], bit)) for bit in range(8 * len(STREAMS[name])))
    found = [read_all(data, layout, probabilities) is not None for data in forged]
    assert any(found)
    assert not all(found)


@NAMES
def test_the_name_of_another_model_is_an_error_whatever_the_checksums_say(name: str, codec_of: CodecOf) -> None:
    for bit in range(8 * 4, 8 * 12):
        with pytest.raises(bitstream.CompatibilityError, match="written by model"):
            codec_of(name).decode(resealed(flipped(STREAMS[name], bit)))


def _levels(data: bytes) -> list[int]:
    """Levels up to each pass; the golden streams have nothing but passes, except a post-filter at the end."""
    return np.cumsum([each.levels for each in bitstream.read_stream(data).passes]).tolist()


def _unfiltered(data: bytes) -> bytes:
    stream = bitstream.read_stream(data)
    return bitstream.write_stream(stream.header, stream.passes)


def _same(first: object, second: object) -> bool:
    return np.array_equal(np.asarray(first), np.asarray(second))
