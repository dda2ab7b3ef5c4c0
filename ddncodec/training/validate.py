"""What a weights file achieves on a folder of pictures, by real encoding and decoding."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from ddncodec.codec import Codec
from ddncodec.metrics import finite_psnr
from ddncodec.training.data.pictures import Pictures

QUALITIES = (0.0, 25.0, 50.0, 75.0, 100.0)


@dataclasses.dataclass(frozen=True)
class Point:
    """Means over pictures at one quality: bits per pixel, header included, and PSNR in dB over 8-bit RGB."""

    quality: float
    bpp: float
    psnr: float


def validate(path: Path, folder: Path, device: str = "cpu", qualities: Sequence[float] = QUALITIES) -> list[Point]:
    """Encode and decode every picture of `folder` (or zip archive) with the weights at `path`.

    Raises: ModelError, ArgumentError, ImageError.
    """
    codec, pictures = Codec(path, device), Pictures(folder)
    points = []
    for quality in qualities:
        measured = [
            _measure(_under(codec, pictures, index), pictures.picture(index), quality) for index in range(len(pictures))
        ]
        bpp, psnr = (fmean(values) for values in zip(*measured, strict=True))
        points.append(Point(quality, bpp, psnr))
    return points


def _under(codec: Codec, pictures: Pictures, index: int) -> Codec:
    """The codec under the condition of picture `index`, if it takes one."""
    kind = codec.engine.model.network.config.condition
    return codec if kind == "none" else codec.condition(pictures.condition(index, kind))


def _measure(codec: Codec, picture: np.ndarray, quality: float) -> tuple[float, float]:
    data = codec.encode(picture, quality, tune="psnr")
    decoded = np.asarray(codec.decode(data))
    return 8 * len(data) / (picture.shape[0] * picture.shape[1]), finite_psnr(picture, decoded)
