"""Pictures side by side with a line of text under each."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

CAPTION = 16
"""Height in pixels of the line of text."""
INDENT = (3, 2)


def strip(panels: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Captions and pictures of one height, from left to right."""
    height = panels[0][1].height
    whole = Image.new("RGB", (sum(picture.width for _, picture in panels), height + CAPTION), "white")
    pen, left = ImageDraw.Draw(whole), 0
    for text, picture in panels:
        whole.paste(picture, (left, 0))
        pen.text((left + INDENT[0], height + INDENT[1]), text, fill="black")
        left += picture.width
    return whole


def stack(strips: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one width, from top to bottom."""
    whole = Image.new("RGB", (strips[0].width, sum(each.height for each in strips)), "white")
    top = 0
    for each in strips:
        whole.paste(each, (0, top))
        top += each.height
    return whole
