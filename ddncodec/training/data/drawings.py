"""Pictures drawn at random: pure colours, hard edges, text and smooth gradients, which photographs hardly have.

A network that never saw them overshoots where a photograph would not ask it to.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;()+-=    "
MAX_SHAPES = 16
BLURRED_SHARE, PLAIN_SHARE = 0.3, 0.5
"""Shares of drawings that are blurred a little, and whose ground has one colour."""


def draw(side: int, random: np.random.Generator) -> np.ndarray:
    """A drawn picture, (side, side, 3) uint8: shapes and text over a plain or graded ground, sharp or a little blurred.

    The same on any machine with the same version of Pillow.
    """
    image = Image.fromarray(_ground(side, random))
    pen = ImageDraw.Draw(image)
    for _ in range(int(random.integers(MAX_SHAPES))):
        (left, right), (top, bottom) = np.sort(random.integers(-side // 4, side + side // 4, (2, 2)), axis=1).tolist()
        kind = random.integers(4)
        if kind == 0:
            pen.rectangle((left, top, right, bottom), fill=_color(random))
        elif kind == 1:
            pen.ellipse((left, top, right, bottom), fill=_color(random))
        elif kind == 2:
            pen.line((left, bottom, right, top), fill=_color(random), width=int(random.integers(1, 6)))
        else:
            _write(pen, (left, top), random)
    if random.random() < BLURRED_SHARE:
        small = image.resize((side * 2 // 3, side * 2 // 3), Image.Resampling.BILINEAR)
        image = small.resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image)


def _ground(side: int, random: np.random.Generator) -> np.ndarray:
    """One colour, or four that the corners have and that fade into one another."""
    if random.random() < PLAIN_SHARE:
        return np.full((side, side, 3), _color(random), np.uint8)
    corners = np.array([[_color(random) for _ in range(2)] for _ in range(2)], np.float64)
    down, across = np.linspace(0, 1, side)[:, None, None], np.linspace(0, 1, side)[None, :, None]
    left, right = (corners[0, i] * (1 - down) + corners[1, i] * down for i in range(2))
    return (left * (1 - across) + right * across).round().astype(np.uint8)


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], random: np.random.Generator) -> None:
    """Some lines of letters, from `place` on."""
    size = int(random.integers(8, 29))
    font, color = ImageFont.load_default(size), _color(random)
    left, top = place
    for line in range(int(random.integers(1, 9))):
        text = "".join(LETTERS[i] for i in random.integers(len(LETTERS), size=30))
        pen.text((left, top + line * size * 5 // 4), text, fill=color, font=font)


def _color(random: np.random.Generator) -> Color:
    """Pure or gray as often as any other."""
    kind = random.integers(3)
    if kind == 0:
        red, green, blue = random.integers(2, size=3).tolist()
        return 255 * red, 255 * green, 255 * blue
    red, green, blue = random.integers(256, size=3).tolist()
    return (red, green, blue) if kind == 1 else (red, red, red)
