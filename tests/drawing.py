"""Pictures drawn by code: gradients, waves, hard edges and textures, the same on every machine up to rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def draw_picture(height: int, width: int, seed: int) -> np.ndarray:
    """A colourful picture, (height, width, 3) uint8."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    picture = np.empty((height, width, 3))
    picture[:] = random.uniform(60, 195) + random.normal(0, 20, 3)
    picture += (x[..., None] * random.normal(0, 1, 3) + y[..., None] * random.normal(0, 1, 3)) * 60 / max(height, width)
    for _ in range(6):
        inside = _shape(y, x, random)
        picture[inside] += random.normal(0, 20, 3)
        if random.random() < 0.5:
            wave = np.sin(x * random.uniform(-1, 1) + y * random.uniform(-1, 1))
            picture[inside] += 20 * wave[inside][:, None]
    picture += random.normal(0, 2, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


def draw_folder(folder: Path, count: int, side: int = 96) -> Path:
    """Write `count` drawn pictures to `folder`, which is made; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        Image.fromarray(draw_picture(side, side + 16, seed)).save(folder / f"drawn{seed:03}.png")
    return folder


def _shape(y: np.ndarray, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A disc, a rectangle or a half plane."""
    height, width = y.shape
    row, col = random.uniform(0, height), random.uniform(0, width)
    size = random.uniform(0.1, 0.4) * max(height, width)
    kind = random.integers(3)
    if kind == 0:
        return (y - row) ** 2 + (x - col) ** 2 < size**2
    if kind == 1:
        return (abs(y - row) < size) & (abs(x - col) < size * random.uniform(0.3, 1))
    return (y - row) * random.normal() + (x - col) * random.normal() > size
