"""Pictures of a few dozen bytes, to show before the real one: inline streams, their text, and `data:` URLs.

An inline stream (FORMAT.md, section 4.2) leaves out signature and model id: 5 or 6 bytes in addition to the indices.
Whoever decodes it must know the model, and another one is noticed.
"""

from __future__ import annotations

import base64
import dataclasses
import io
from typing import Any

import numpy as np
from PIL import Image, features

import bitstream
from ddncodec.codec import DEFAULT_QUALITY, Codec
from ddncodec.coding.tune import DEFAULT_TUNE
from ddncodec.errors import ArgumentError
from ddncodec.images.pixels import Picture, pixels_of
from ddncodec.metrics import finite_psnr

MAX_BYTES = 28
"""Default size of a placeholder: that of a BlurHash of 4 x 3 components."""
SIDES = (16, 24, 32, 48, 64)
"""Longer sides in pixels that a placeholder may have."""
REFERENCE = 64
"""Longer side in pixels of the picture that placeholders are compared with."""
_URL_QUALITY = 50


@dataclasses.dataclass(frozen=True)
class Placeholder:
    """An inline stream and what it shows, enlarged by whoever shows it.

    `psnr` in dB is over 8-bit RGB samples against the picture at a longer side of REFERENCE pixels.
    """

    data: bytes
    image: Image.Image
    psnr: float

    @property
    def text(self) -> str:
        """The stream in base64."""
        return base64.b64encode(self.data).decode()


def encode_inline(
    codec: Codec,
    image: Picture,
    quality: float = DEFAULT_QUALITY,
    coding: str = "coded",
    *,
    tune: str = DEFAULT_TUNE,
) -> bytes:
    """Encode a picture to an inline stream; transparency is laid over white, for it has no chunks.

    Raises: as `Codec.encode`.
    """
    return to_inline(codec, codec.encode(image, quality, coding, background="white", tune=tune))


def decode_inline(codec: Codec, data: bytes, levels: int | None = None) -> Image.Image:
    """Decode an inline stream of the codec's model. Raises: as `Codec.decode`."""
    return codec.decode(from_inline(codec, data), levels)


def to_inline(codec: Codec, data: bytes) -> bytes:
    """A stream of the codec's model as an inline one; its chunks are dropped. Raises: as `Codec.decode`."""
    header = dataclasses.replace(bitstream.read_header(data, limits=codec.limits), compact=True)
    passes = bitstream.encode_planes(codec.planes(data), codec.info.layout, header, codec.engine.model.probabilities)
    return bitstream.write_stream(header, passes, inline=True)


def from_inline(codec: Codec, data: bytes) -> bytes:
    """An inline stream of the codec's model as an ordinary one. Raises: as `Codec.decode`."""
    layout, probabilities = codec.info.layout, codec.engine.model.probabilities
    stream = bitstream.read_stream(data, limits=codec.limits, inline=codec.info.identity)
    planes = bitstream.decode_planes(stream, layout, probabilities, limits=codec.limits)
    header = dataclasses.replace(stream.header, compact=False)
    return bitstream.write_stream(header, bitstream.encode_planes(planes, layout, header, probabilities))


def make_placeholder(codec: Codec, image: Picture, max_bytes: int = MAX_BYTES, *, tune: str = "psnr") -> Placeholder:
    """The placeholder of at most `max_bytes` that comes nearest to the picture, over SIDES and qualities.

    It comes nearest by PSNR, and `tune`, as for `Codec.encode`, is meant for pictures that are not enlarged.

    Raises ArgumentError where nothing fits, and as `Codec.encode`.
    """
    reference = reduced(image, REFERENCE)
    sizes = sorted({min(side, max(reference.size)) for side in SIDES})
    found = [_best(codec, reduced(image, side), max_bytes, tune) for side in sizes]
    made = [
        Placeholder(data, shown := decode_inline(codec, data), resized_psnr(shown, reference))
        for data in found if data is not None
    ]  # fmt: skip
    if not made:
        raise ArgumentError(f"`max_bytes` (={max_bytes}) is too few for any placeholder of model {codec.info.name}")
    return max(made, key=lambda placeholder: placeholder.psnr)


def reduced(image: Picture, side: int) -> Image.Image:
    """A picture, mode RGB or L, shrunk to a longer side of at most `side` pixels; transparency is laid over white."""
    pixels = pixels_of(image, "white")
    small = Image.fromarray(pixels.rgb)
    small = small.convert("L") if pixels.gray else small
    small.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=None)
    return small


def data_url(image: Image.Image) -> str:
    """A picture as a `data:` URL of a WebP or PNG file, whichever is smaller."""
    formats: dict[str, dict[str, Any]] = {"PNG": {"optimize": True}, "WEBP": {"quality": _URL_QUALITY, "method": 6}}
    files = {}
    for name in formats if features.check("webp") else ("PNG",):
        file = io.BytesIO()
        image.save(file, name, **formats[name])
        files[name] = file.getvalue()
    name = min(files, key=lambda each: len(files[each]))
    return f"data:image/{name.lower()};base64,{base64.b64encode(files[name]).decode()}"


def resized_psnr(image: Image.Image, reference: Image.Image) -> float:
    """PSNR in dB, over 8-bit RGB samples, of a picture brought to the size of the reference; at most 100."""
    resized = image.convert("RGB").resize(reference.size, Image.Resampling.BICUBIC)
    return finite_psnr(np.asarray(reference.convert("RGB")), np.asarray(resized))


def _best(codec: Codec, image: Image.Image, max_bytes: int, tune: str) -> bytes | None:
    """The inline stream of the highest whole quality that fits, None if there is none."""
    best, fits, exceeds = None, -1, 101
    while exceeds - fits > 1:
        quality = (fits + exceeds) // 2
        data = encode_inline(codec, image, quality, tune=tune)
        if len(data) <= max_bytes:
            best, fits = data, quality
        else:
            exceeds = quality
    return best
