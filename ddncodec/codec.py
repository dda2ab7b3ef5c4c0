"""The codec: pictures to bytes and back, with one model loaded once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image

import bitstream
from bitstream import Header, Stream
from ddncodec import registry, tiles
from ddncodec.engine import Engine, Planes
from ddncodec.errors import ArgumentError
from ddncodec.loading import load_model
from ddncodec.pictures import Picture, Pixels, to_image, to_pixels
from ddncodec.rate import step_of_lambda

DEFAULT_QUALITY = 50.0
CODINGS = ("coded", "plain")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
BATCH_PIXELS = 1 << 22
"""Equally large pictures share a batch of at most this many pixels."""


class Codec:
    """Encoder and decoder around one model.

    Safe to share between threads: nothing changes after construction.

    model: name of an installed model or path of a weights file.
    device: "cpu", "cuda", "cuda:1", ...
    precision: of the convolutions, "float32" or "bfloat16"; either decodes what the other encoded.

    Raises: ModelError, ArgumentError.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "photo",
        device: str = "cpu",
        precision: str = "float32",
    ) -> None:
        if precision not in PRECISIONS:
            raise ArgumentError(f"`precision` (={precision!r}) must be one of {', '.join(PRECISIONS)}")
        self.device = _device(device)
        self.info = registry.find(model)
        self._engine = Engine(load_model(self.info, self.device), self.device, PRECISIONS[precision])

    def __repr__(self) -> str:
        return f"Codec(model={self.info.name!r}, device={str(self.device)!r})"

    def lambda_step(self, quality: float) -> int:
        """The lambda step of a quality from 0 (smallest files) to 100; even steps of log lambda."""
        if not 0 <= quality <= 100:
            raise ArgumentError(f"`quality` (={quality}) must be 0..100")
        config = self._engine.model.network.config
        low, high = step_of_lambda(config.smallest_lambda), step_of_lambda(config.largest_lambda)
        return round(high + (low - high) * quality / 100)

    def encode(self, image: Picture, quality: float = DEFAULT_QUALITY, coding: str = "coded") -> bytes:
        """Encode one picture: a PIL image, or (H, W, 3) or (H, W) uint8.

        quality: 0..100, smallest to best. coding: "coded" (range coded) or "plain" (log2 K bits an index).

        Raises: ArgumentError, ImageError.
        """
        pixels = to_pixels(image)
        header = self._header(pixels, quality, coding)
        return self._write(tiles.choose_planes(self._engine, pixels.rgb, header), header)

    def encode_batch(
        self, images: Sequence[Picture], quality: float = DEFAULT_QUALITY, coding: str = "coded"
    ) -> list[bytes]:
        """Encode many pictures; equally large ones go through the network together."""
        pixels = [to_pixels(image) for image in images]
        headers = [self._header(each, quality, coding) for each in pixels]
        out: list[bytes] = [b""] * len(pixels)
        for group in _batches(headers):
            if len(group) == 1:
                planes = [tiles.choose_planes(self._engine, pixels[group[0]].rgb, headers[group[0]])]
            else:
                stacked = np.stack([pixels[i].rgb for i in group])
                planes = self._engine.choose_planes(stacked, [headers[i] for i in group])
            for i, each in zip(group, planes):
                out[i] = self._write(each, headers[i])
        return out

    def decode(self, data: bytes, levels: int | None = None, *, allow_partial: bool = False) -> Image.Image:
        """Decode a stream to a PIL image, mode RGB or L.

        levels: stop after so many levels, for a preview. allow_partial: decode the whole passes of a torn stream.

        Raises: bitstream.BitstreamError for anything wrong with the data, ArgumentError.
        """
        stream, planes = self._read(data, levels, allow_partial)
        return to_image(tiles.replay(self._engine, planes, stream.header), stream.header.gray)

    def decode_batch(self, datas: Sequence[bytes], levels: int | None = None) -> list[Image.Image]:
        """Decode many streams; equally large ones with as many levels go through the network together."""
        read = [self._read(data, levels, False) for data in datas]
        headers = [stream.header for stream, _ in read]
        out: dict[int, Image.Image] = {}
        for group in _batches(headers, [len(planes) for _, planes in read]):
            if len(group) == 1:
                pictures = tiles.replay(self._engine, read[group[0]][1], headers[group[0]])[None]
            else:
                pictures = self._engine.replay([read[i][1] for i in group], [headers[i] for i in group])
            out.update((i, to_image(each, headers[i].gray)) for i, each in zip(group, pictures))
        return [out[i] for i in range(len(read))]

    def decode_progressive(self, data: bytes) -> Iterator[Image.Image]:
        """Decode a stream, yielding the full-size picture after each level. Raises as `decode`.

        A torn stream yields the pictures of its whole passes. Pictures larger than one tile are decoded anew for
        every level.
        """
        stream, planes = self._read(data, None, True)
        header = stream.header
        if tiles.fits_one(header.height, header.width):
            pictures = self._engine.replay_progressively(planes, header)
        else:
            pictures = (tiles.replay(self._engine, planes[:n], header) for n in range(1, len(planes) + 1))
        yield from (to_image(rgb, header.gray) for rgb in pictures)

    def planes(self, data: bytes) -> Planes:
        """The index planes in a stream, one (rows, cols) int32 array a level. Raises as `decode`."""
        return self._read(data, None, False)[1]

    def _header(self, pixels: Pixels, quality: float, coding: str) -> Header:
        if coding not in CODINGS:
            raise ArgumentError(f"`coding` (={coding!r}) must be one of {', '.join(CODINGS)}")
        height, width = pixels.rgb.shape[:2]
        return Header(
            self.info.identity, width, height,
            coded=coding == "coded", gray=pixels.gray, lambda_step=self.lambda_step(quality),
        )

    def _write(self, planes: Planes, header: Header) -> bytes:
        passes = bitstream.encode_planes(planes, self.info.layout, header, self._engine.model.tables)
        return bitstream.write_stream(header, passes)

    def _read(self, data: bytes, levels: int | None, allow_partial: bool) -> tuple[Stream, Planes]:
        if levels is not None and levels < 1:
            raise ArgumentError(f"`levels` (={levels}) must be at least 1")
        stream = bitstream.read_stream(data, allow_partial=allow_partial)
        stream.header.require_model(self.info.identity)
        planes = bitstream.decode_planes(stream, self.info.layout, self._engine.model.tables, levels)
        if not planes:
            raise bitstream.InsufficientDataError("the stream holds no pass, at least one is needed for a picture")
        return stream, planes


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ArgumentError(f"`device` (={name!r}) is not usable here: {str(error).splitlines()[0]}") from error
    return device


def _batches(headers: Sequence[Header], levels: Sequence[int] | None = None) -> Iterator[list[int]]:
    """Positions of pictures that can share a batch: equal sizes and levels, at most BATCH_PIXELS."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for i, header in enumerate(headers):
        key = (header.width, header.height, levels[i] if levels else 0)
        groups.setdefault(key, []).append(i)
    for (width, height, _), members in groups.items():
        size = max(1, BATCH_PIXELS // (width * height))
        for start in range(0, len(members), size):
            yield members[start : start + size]
