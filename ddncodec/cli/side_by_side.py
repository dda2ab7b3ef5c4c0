"""Small pictures enlarged next to each other, under what they are."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

PANEL = 224
"""Longer side in pixels of each."""
LABEL, INDENT = 22, 4


def side_by_side(pictures: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Labelled pictures, all brought to the shape of the first one, bicubic, on white."""
    width, height = pictures[0][1].size
    shape = (max(1, round(PANEL * width / max(width, height))), max(1, round(PANEL * height / max(width, height))))
    sheet = Image.new("RGB", (PANEL * len(pictures), LABEL + shape[1]), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    for number, (label, picture) in enumerate(pictures):
        draw.text((PANEL * number + INDENT, INDENT), label, "black", font)
        enlarged = picture.convert("RGB").resize(shape, Image.Resampling.BICUBIC)
        sheet.paste(enlarged, (PANEL * number + (PANEL - shape[0]) // 2, LABEL))
    return sheet
