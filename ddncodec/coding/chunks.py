"""What a stream has in addition to index planes, as chunks: alpha, post-filter, metadata (FORMAT.md, section 4.1)."""

from __future__ import annotations

import io
import struct
from collections.abc import Collection

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from bitstream import Chunk, ChunkType, CorruptionError, Stream, read_filter_weights, read_header, write_filter_weights
from bitstream.header import write_header
from ddncodec.errors import ArgumentError
from ddncodec.images.metadata import METADATA_KINDS, Metadata


def check_kinds(kinds: Collection[str]) -> None:
    """Raise ArgumentError unless all are of METADATA_KINDS."""
    if isinstance(kinds, str) or not isinstance(kinds, Collection):
        raise ArgumentError(f"`metadata` (={kinds!r}) must be a list of {', '.join(METADATA_KINDS)}")
    for kind in kinds:
        if kind not in METADATA_KINDS:
            raise ArgumentError(f"`metadata` (={kind!r}) must be of {', '.join(METADATA_KINDS)}")


def alpha_chunks(alpha: np.ndarray | None) -> list[Chunk]:
    """Alpha (H, W) uint8 as a chunk; none for None."""
    if alpha is None:
        return []
    image = Image.fromarray(alpha)
    if not ((alpha > 0) & (alpha < 255)).any():
        image = image.convert("1", dither=Image.Dither.NONE)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return [Chunk(ChunkType.ALPHA, file.getvalue())]


def starts_with_alpha(data: bytes) -> bool:
    """Whether alpha follows the header, which is its place; `data` needs one byte after the header only."""
    end = len(write_header(read_header(data)))
    return data[end : end + 1] == bytes([ChunkType.ALPHA << 1 | 1])


def metadata_chunks(metadata: Metadata, kinds: Collection[str]) -> list[Chunk]:
    """The kinds of metadata that are wanted and present, as chunks."""
    found = ((kind, getattr(metadata, kind)) for kind in METADATA_KINDS if kind in kinds)
    return [Chunk(ChunkType[kind.upper()], payload) for kind, payload in found if payload is not None]


def read_alpha(stream: Stream) -> np.ndarray | None:
    """Alpha (H, W) uint8, or None if the stream has none. Raises bitstream.CorruptionError if it is no such PNG."""
    payload = _payload(stream, ChunkType.ALPHA)
    if payload is None:
        return None
    size = (stream.header.width, stream.header.height)
    try:
        with PngImageFile(io.BytesIO(payload)) as image:
            if image.size == size and image.mode in ("1", "L"):
                return np.asarray(image.convert("L"))
            found = f"{image.mode} {image.size}"
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise CorruptionError(f"alpha is no readable PNG: {error}") from error
    raise CorruptionError(f"alpha is {found}, must be 1 or L {size}")


def post_filter_chunks(weights: np.ndarray | None) -> list[Chunk]:
    """Weights of the post-filter as a chunk; none for None."""
    return [] if weights is None else [Chunk(ChunkType.POST_FILTER, write_filter_weights(weights))]


def read_post_filter(stream: Stream) -> np.ndarray | None:
    """Weights of the post-filter, (components, ATOMS) int32, or None if the stream has none.

    Raises bitstream.CorruptionError.
    """
    payload = _payload(stream, ChunkType.POST_FILTER)
    if payload is None:
        return None
    if stream.header.lambda_step is None:
        raise CorruptionError("a stream without lambda step has a post-filter, whose weights are scaled by lambda")
    return read_filter_weights(payload, 1 if stream.header.gray else 3)


def read_metadata(stream: Stream) -> Metadata:
    """All metadata that the stream has."""
    return Metadata(**{kind: _payload(stream, ChunkType[kind.upper()]) for kind in METADATA_KINDS})


def _payload(stream: Stream, kind: ChunkType) -> bytes | None:
    return next((chunk.payload for chunk in stream.chunks if chunk.type == kind), None)
