"""BlurHash and ThumbHash of a picture, to compare placeholders with; by libraries of the extra `placeholder`."""

from __future__ import annotations

import base64
import dataclasses
from importlib.util import find_spec

import numpy as np
from PIL import Image

SIDE = 32
"""Longer side in pixels that hashes are made from, and rendered at; they hold a handful of waves."""


@dataclasses.dataclass(frozen=True)
class Hash:
    """A placeholder of another kind: `size` in bytes as it is stored, `text` as it is sent, what it shows."""

    name: str
    size: int
    text: str
    image: Image.Image


def hashes(picture: Image.Image) -> list[Hash]:
    """Those whose libraries are installed. `picture` is RGB or L, with sides of at most SIDE pixels."""
    makers = {"blurhash": _blurhash, "thash": _thumbhash}
    return [make(picture.convert("RGB")) for library, make in makers.items() if find_spec(library)]


def _blurhash(picture: Image.Image) -> Hash:
    import blurhash  # type: ignore[import-untyped]

    across, down = (4, 3) if picture.width >= picture.height else (3, 4)
    text = blurhash.encode(np.asarray(picture), across, down)
    shown = np.asarray(blurhash.decode(text, *picture.size), float).clip(0, 255).astype(np.uint8)
    return Hash("blurhash", len(text), text, Image.fromarray(shown))


def _thumbhash(picture: Image.Image) -> Hash:
    import thash

    samples = np.asarray(picture.convert("RGBA")).ravel().tolist()
    data = bytes(thash.rgba_to_thumb_hash(*picture.size, samples))
    width, height, shown = thash.thumb_hash_to_rgba(data)
    image = Image.frombytes("RGBA", (width, height), bytes(shown)).convert("RGB")
    return Hash("thumbhash", len(data), base64.b64encode(data).decode(), image)
