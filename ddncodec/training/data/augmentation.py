"""How training crops are taken from pictures, and how they differ from them: a network then sees more than there is."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

SMALLEST_DOWNSCALE = 0.55
"""Downscaled crops are of a square that is scaled to between this and 1 times its side."""
CONTRAST, TINT, BRIGHTNESS = (0.6, 1.15), 0.06, 20.0
"""Ranges of color jitter: contrast about middle gray, that of single colours in addition, and shift in 8-bit levels."""


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How crops differ from pictures: every number except `margin` is the share of crops that it applies to.

    `mirror` flips left to right; `flip_and_transpose` flips upside down and, by another draw, transposes; `downscale`
    scales down a larger square (see SMALLEST_DOWNSCALE); `color_jitter` changes contrast, colour and brightness;
    `synthetic` draws a picture by code instead (see `drawings`). `margin` pixels are added around each picture, by
    repeating its edges, before it is cropped.
    """

    mirror: float = 0.5
    flip_and_transpose: float = 0.0
    downscale: float = 0.0
    color_jitter: float = 0.0
    synthetic: float = 0.0
    margin: int = 0

    def crop(self, pixels: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
        """A random crop (size, size, 3) uint8 of a picture (H, W, 3) uint8, which is enlarged where it is smaller."""
        pixels = _at_least(pixels, size)
        if self.margin:
            pixels = np.pad(pixels, ((self.margin,) * 2, (self.margin,) * 2, (0, 0)), mode="edge")
        side = size
        if bernoulli(self.downscale, random):
            side = max(size, min(round(size / random.uniform(SMALLEST_DOWNSCALE, 1)), *pixels.shape[:2]))
        top = int(random.integers(pixels.shape[0] - side + 1))
        left = int(random.integers(pixels.shape[1] - side + 1))
        crop = _resized(pixels[top : top + side, left : left + side], (size, size))
        if bernoulli(self.mirror, random):
            crop = crop[:, ::-1]
        if bernoulli(self.flip_and_transpose, random):
            crop = crop[::-1]
        if bernoulli(self.flip_and_transpose, random):
            crop = crop.transpose(1, 0, 2)
        return _color_jittered(crop, random) if bernoulli(self.color_jitter, random) else crop


PLAIN = Augmentation()
"""Crops as they are, half of them mirrored."""


def bernoulli(share: float, random: np.random.Generator) -> bool:
    """True in a share of all calls; nothing is drawn where it is 0."""
    return share > 0 and random.random() < share


def _at_least(pixels: np.ndarray, side: int) -> np.ndarray:
    rows, cols = pixels.shape[:2]
    factor = max(1.0, side / min(rows, cols))
    return _resized(pixels, (max(side, round(rows * factor)), max(side, round(cols * factor))))


def _resized(pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bicubic; as it is where it has this shape already."""
    if pixels.shape[:2] == shape:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(shape[::-1], Image.Resampling.BICUBIC))


def _color_jittered(crop: np.ndarray, random: np.random.Generator) -> np.ndarray:
    gain = random.uniform(*CONTRAST) * random.uniform(1 - TINT, 1 + TINT, 3)
    changed = (crop - 128.0) * gain + 128 + random.uniform(-BRIGHTNESS, BRIGHTNESS)
    return changed.round().clip(0, 255).astype(np.uint8)
