"""Chunks are read by other libraries; whatever is in them, the answer is a typed error or what the header promises."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from drawing import draw_picture
from PIL import Image
from trust_cases import mutated

from bitstream import (
    BitstreamError,
    Chunk,
    ChunkType,
    CorruptionError,
    Header,
    Pass,
    Stream,
    read_stream,
    write_stream,
)
from ddncodec.codec import Codec
from ddncodec.coding.chunks import read_alpha

SIZE = (40, 30)


def stream_with(alpha: bytes) -> Stream:
    return Stream(Header(bytes(8), *SIZE), (Chunk(ChunkType.ALPHA, alpha), Pass(1, b"")), (0, 0))


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def resealed_png(data: bytes) -> bytes:
    """`data` with the checksums of its chunks recomputed, as far as chunks can be found."""
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        end = at + 8 + int.from_bytes(out[at : at + 4], "big")
        out[end : end + 4] = struct.pack(">I", zlib.crc32(out[at + 4 : end]))
        at = end + 4
    return bytes(out)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("little_memory")
def test_damaged_alpha_is_an_error_or_alpha_of_the_size_of_the_picture() -> None:
    random = np.random.default_rng(4)
    sources = [png(Image.linear_gradient("L").resize(SIZE)), png(Image.new("1", SIZE, 1))]
    assert all(read_alpha(stream_with(source)) is not None for source in sources)
    outcomes = set()
    for number in range(2000):
        source = sources[number % 2]
        data = source[:8] + mutated(random, source[8:])
        try:
            alpha = read_alpha(stream_with(resealed_png(data) if number % 4 < 3 else data))
        except CorruptionError:
            outcomes.add("refused")
            continue
        assert alpha is not None
        assert (alpha.shape, alpha.dtype) == ((SIZE[1], SIZE[0]), np.uint8)
        outcomes.add("read")
    assert outcomes == {"refused", "read"}


BOMB = zlib.compress(bytes(300 << 20), 9)
BOMBS = {
    b"zTXt": b"text\0\0" + BOMB,
    b"iTXt": b"text\0\1\0\0\0" + BOMB,
    b"iCCP": b"profile\0\0" + BOMB,
    b"acTL": struct.pack(">II", 2**31 - 1, 0),
}


def with_part(source: bytes, kind: bytes, payload: bytes) -> bytes:
    """A PNG with one more chunk after its header."""
    return resealed_png(source[:33] + struct.pack(">I", len(payload)) + kind + payload + bytes(4) + source[33:])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("little_memory", [128 << 20], indirect=True)
@pytest.mark.usefixtures("little_memory")
def test_alpha_that_unpacks_to_more_than_the_picture_costs_little() -> None:
    source = png(Image.linear_gradient("L").resize(SIZE))
    idat = source.index(b"IDAT") - 4
    packed = struct.pack(">I", len(BOMB)) + b"IDAT" + BOMB + bytes(4) + png(Image.new("L", SIZE))[-12:]
    many = source
    for _ in range(100):  # each within what Pillow allows a text to be
        many = with_part(many, b"zTXt", b"text\0\0" + zlib.compress(bytes(1_000_000)))
    cases = [with_part(source, *bomb) for bomb in BOMBS.items()] + [resealed_png(source[:idat] + packed), many]
    outcomes = []
    for data in cases:
        try:
            alpha = read_alpha(stream_with(data))
            outcomes.append(alpha is not None and alpha.shape == SIZE[::-1])
        except CorruptionError:
            outcomes.append(False)
    assert outcomes == [False, False, False, True, True, False]


def test_hostile_alpha_is_an_error_of_the_codec(tiny_codec: Codec) -> None:
    """As it comes from a file: the chunk is sound, what it holds is not."""
    clear = np.dstack([draw_picture(30, 40, 3), np.full((30, 40), 7, np.uint8)])
    stream = read_stream(tiny_codec.encode(clear))
    alpha, *rest = stream.elements
    assert isinstance(alpha, Chunk)
    for payload in (b"", alpha.payload[:40], png(Image.new("L", (41, 30))), bytes(1 << 20)):
        data = write_stream(stream.header, [Chunk(ChunkType.ALPHA, payload), *rest])
        with pytest.raises(CorruptionError, match="alpha is"):
            tiny_codec.decode(data)
    data = write_stream(stream.header, [alpha, *rest])
    assert np.array_equal(tiny_codec.decode_array(data)[:, :, 3], clear[:, :, 3])
    with pytest.raises(BitstreamError):
        tiny_codec.decode(write_stream(stream.header, [alpha, *rest, alpha]))


@pytest.mark.usefixtures("little_memory")
def test_alpha_of_another_size_or_mode_is_refused_unread() -> None:
    small = png(Image.new("L", SIZE))
    huge = resealed_png(small[:16] + struct.pack(">II", 60_000, 60_000) + small[24:])
    for data in (huge, png(Image.new("RGB", SIZE)), png(Image.new("L", SIZE[::-1]))):
        with pytest.raises(CorruptionError, match="alpha is"):
            read_alpha(stream_with(data))
