"""Streams put together from what an encoder chose, and taken apart for a decoder (FORMAT.md, section 4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from numbers import Integral

import numpy as np

import bitstream
from bitstream import Header, Limits, Planes, Stream
from ddncodec.coding import chunks
from ddncodec.coding.tiles import Choice
from ddncodec.coding.tiling import Region
from ddncodec.errors import ArgumentError
from ddncodec.images.metadata import Metadata
from ddncodec.images.pixels import Pixels
from ddncodec.zoo.loading import Model

CODINGS = ("coded", "plain")


@dataclasses.dataclass(frozen=True)
class Parsed:
    """All that a stream says of a picture, read once.

    `stream` is the framing. `planes` has the levels that were asked for and are there. `post_filter` is
    (components, ATOMS) int32 weights or None, `alpha` (H, W) uint8 or None.
    """

    stream: Stream
    planes: Planes
    post_filter: np.ndarray | None
    alpha: np.ndarray | None
    metadata: Metadata

    @property
    def header(self) -> Header:
        return self.stream.header

    @property
    def choice(self) -> Choice:
        """What the pixels are decoded from."""
        return Choice(self.planes, self.post_filter)

    def pixels(self, rgb: np.ndarray, region: Region | None = None) -> Pixels:
        """The picture whose decoded samples are `rgb`, with alpha and metadata; `region` is the part that they show."""
        alpha = self.alpha
        if alpha is not None and region is not None:
            alpha = alpha[region.y : region.y + region.height, region.x : region.x + region.width]
        return Pixels(rgb, self.header.gray, alpha, self.metadata)


def check_coding(coding: str) -> None:
    """Raise ArgumentError unless it is one of CODINGS."""
    if coding not in CODINGS:
        raise ArgumentError(f"`coding` (={coding!r}) must be one of {', '.join(CODINGS)}")


def make_header(model: Model, pixels: Pixels, coding: str, lambda_step: int) -> Header:
    """The header of a picture to encode; a model of one rate leaves out the lambda step. Raises ArgumentError."""
    check_coding(coding)
    height, width = pixels.rgb.shape[:2]
    step = None if model.network.config.has_one_rate else lambda_step
    return Header(model.info.identity, width, height, coded=coding == "coded", gray=pixels.gray, lambda_step=step)


def assemble(model: Model, choice: Choice, header: Header, pixels: Pixels, metadata: Collection[str]) -> bytes:
    """A stream: passes of the chosen indices, and chunks of post-filter, alpha and the wanted kinds of metadata."""
    parts = chunks.alpha_chunks(pixels.alpha) + chunks.post_filter_chunks(choice.weights)
    parts += chunks.metadata_chunks(pixels.metadata, metadata)
    header = dataclasses.replace(header, compact=model.network.config.has_one_rate and not parts)
    passes = bitstream.encode_planes(choice.planes, model.info.layout, header, model.probabilities)
    return bitstream.write_stream(header, bitstream.in_order(passes, parts))


def parse(
    model: Model, data: bytes, limits: Limits, levels: int | None = None, *, allow_partial: bool = False
) -> Parsed:
    """Read a stream of the model: at most `levels` levels; of a torn one the whole passes, if `allow_partial`.

    Raises: bitstream.BitstreamError, ArgumentError.
    """
    if levels is not None and not (isinstance(levels, Integral) and levels >= 1):
        raise ArgumentError(f"`levels` (={levels!r}) must be an integer of at least 1")
    stream = bitstream.read_stream(data, limits=limits, allow_partial=allow_partial)
    stream.header.require_model(model.info.identity)
    planes = bitstream.decode_planes(stream, model.info.layout, model.probabilities, levels, limits=limits)
    if not planes:
        raise bitstream.InsufficientDataError("the stream holds no pass, at least one is needed for a picture")
    post_filter = chunks.read_post_filter(stream)
    return Parsed(stream, planes, post_filter, chunks.read_alpha(stream), chunks.read_metadata(stream))
