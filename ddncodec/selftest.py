"""Whether this machine decodes what the format says: pictures drawn here, coded and decoded in every way there is.

Indices must come out identical whatever the threads, the precision, the batch or the device. Pixels may differ, by no
more than the tolerances below.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from bitstream import Planes
from ddncodec.codec import Codec
from ddncodec.metrics import psnr

LARGEST_DIFFERENCE = 1
"""Of a sample of 255, between decoders in float32."""
LARGEST_LOSS = 0.1
"""Of PSNR in dB against the original, by decoding in bfloat16."""
QUALITIES = (15.0, 85.0)
SIZES = ((1, 1, False), (5, 17, True), (64, 64, False), (64, 64, True), (97, 131, False), (90, 33, False))
"""Height, width, and whether gray. Equally large streams, at least one of each quality, make a batch."""


@dataclasses.dataclass(frozen=True)
class Way:
    """One way to decode."""

    device: str = "cpu"
    threads: int = 1
    precision: str = "float32"
    batch: bool = False

    def __str__(self) -> str:
        batch = "batch" if self.batch else "single"
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return f"{self.device}, {threads}, {self.precision}, {batch}"


@dataclasses.dataclass(frozen=True)
class Check:
    """What decoding all streams in one way gave.

    `wrong_indices` and `difference` (largest, of 255) are against the encoder's indices and the first way's pixels;
    `loss` is of PSNR over the samples of all pictures, in dB, compared with the first way.
    """

    way: Way
    wrong_indices: int
    difference: int
    loss: float

    @property
    def passed(self) -> bool:
        exact = self.difference <= LARGEST_DIFFERENCE or self.way.precision != "float32"
        return self.wrong_indices == 0 and exact and self.loss <= LARGEST_LOSS


def ways() -> list[Way]:
    """Every way that this machine has; the first one is what others are compared with."""
    found = [
        Way(threads=threads, precision=precision, batch=batch)
        for precision in ("float32", "bfloat16")
        for threads in (1, 2)
        for batch in (False, True)
    ]
    if torch.cuda.is_available():
        found += [Way("cuda", 1, precision, batch) for precision in ("float32", "bfloat16") for batch in (False, True)]
    return found


def draw() -> list[np.ndarray]:
    """The pictures: waves, edges and noise, (H, W, 3) or (H, W) uint8; equal sizes differ in content."""
    return [_draw(height, width, gray, np.random.default_rng(seed)) for seed, (height, width, gray) in enumerate(SIZES)]


def run(model: str | os.PathLike[str]) -> Iterator[Check]:
    """Encode the pictures, in both codings, and decode them in every way. Raises ModelError.

    The encoder's indices are those of its plain streams, which hold them as they are; so the coded ones, and all that
    predicts indices, are checked against them.
    """
    pictures = draw()
    codec = Codec(model, precision="float32", threads=1)
    datas = [codec.encode(picture, quality) for quality in QUALITIES for picture in pictures]
    plain = [codec.encode(picture, quality, "plain") for quality in QUALITIES for picture in pictures]
    planes = [codec.planes(data) for data in plain]
    first: list[np.ndarray] = []
    for way in ways():
        codec = Codec(model, way.device, way.precision, threads=way.threads)
        wrong = sum(_wrong(codec.planes(data), expected) for data, expected in zip(datas, planes, strict=True))
        decoded = _decode(codec, datas, way.batch)
        first = first or decoded
        yield _compare(way, wrong, decoded, first, pictures * len(QUALITIES))


def _decode(codec: Codec, datas: Sequence[bytes], batch: bool) -> list[np.ndarray]:
    pictures = codec.decode_batch(datas) if batch else [codec.decode(data) for data in datas]
    return [np.asarray(picture) for picture in pictures]


def _compare(
    way: Way, wrong: int, decoded: list[np.ndarray], first: list[np.ndarray], originals: list[np.ndarray]
) -> Check:
    difference = max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(decoded, first, strict=True))
    return Check(way, wrong, difference, _psnr(first, originals) - _psnr(decoded, originals))


def _wrong(planes: Planes, expected: Planes) -> int:
    return sum(int((a != b).sum()) for a, b in zip(planes, expected, strict=True))


def _psnr(decoded: list[np.ndarray], originals: list[np.ndarray]) -> float:
    return psnr(*(np.concatenate([picture.ravel() for picture in pictures]) for pictures in (originals, decoded)))


def _draw(height: int, width: int, gray: bool, random: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / random.uniform(3, 40) + y / random.uniform(3, 40)) for _ in range(3)]
    pixels = 128 + 60 * np.stack(waves, axis=-1) + random.normal(0, 4, (height, width, 3))
    pixels[(y // 24 + x // 40) % 3 == 0] -= 50
    rounded = pixels.clip(0, 255).astype(np.uint8)
    return rounded[..., 0] if gray else rounded
