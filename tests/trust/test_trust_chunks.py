"""Chunks are read by other libraries; whatever is in them, the answer is a typed error or what the header promises."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from trust_cases import mutated

from bitstream import Chunk, ChunkType, CorruptionError, Header, Pass, Stream
from ddncodec.chunks import read_alpha

SIZE = (40, 30)


def stream_with(alpha: bytes) -> Stream:
    return Stream(Header(bytes(8), *SIZE), (Chunk(ChunkType.ALPHA, alpha), Pass(1, b"")), (0, 0))


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def resealed_png(data: bytes) -> bytes:
    """`data` with the checksums of its parts made right, as far as they can be told apart."""
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


@pytest.mark.usefixtures("little_memory")
def test_alpha_of_another_size_or_mode_is_refused_unread() -> None:
    small = png(Image.new("L", SIZE))
    huge = resealed_png(small[:16] + struct.pack(">II", 60_000, 60_000) + small[24:])
    for data in (huge, png(Image.new("RGB", SIZE)), png(Image.new("L", SIZE[::-1]))):
        with pytest.raises(CorruptionError, match="alpha is"):
            read_alpha(stream_with(data))
