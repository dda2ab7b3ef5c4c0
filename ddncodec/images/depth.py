"""Samples of more than 8 bits as samples of 8, by the range that they have."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ddncodec.errors import ImageError

DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_WHITE_IS_ZERO, _PHOTOMETRIC, _SAMPLE_FORMAT, _BITS = 0, 262, 339, 258
_UNIT_SLACK = 0.05
"""How far decoders overshoot the range 0..1."""
_LEAST_FLOAT_RANGE = 32
"""Floats whose largest is between 1 and this are neither 0..1 nor 0..255 for sure."""


def raw_mode(image: Image.Image) -> str:
    """How the samples of a picture that is not yet loaded lie in its file, in Pillow's words; empty if unknown."""
    for tile in getattr(image, "tile", ()):
        args = tile[3]
        return str(args[0] if isinstance(args, tuple) and args else args)
    return ""


def reduced(upright: Image.Image, image: Image.Image, raw: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Gray samples (H, W) uint8 of a picture of one of DEEP_MODES, and alpha where one sample stands for transparent.

    image: the picture as it was opened, which knows its format and tags, in contrast to the one that is turned.

    16 bits keep their upper byte. Integers of 32 bits and floats are scaled by the range of their type where the file
    says it, and otherwise by the smallest of the usual ranges that holds them. Raises ImageError where there is none.
    """
    samples = np.asarray(upright)
    key = image.info.get("transparency")
    alpha = None if not isinstance(key, int) else np.where(samples == key, 0, 255).astype(np.uint8)
    gray = _by_floats(samples) if image.mode == "F" else _by_integers(samples, image, raw)
    tags = getattr(image, "tag_v2", {})
    return (255 - gray if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else gray), alpha


def _by_integers(samples: np.ndarray, image: Image.Image, raw: str) -> np.ndarray:
    tags = getattr(image, "tag_v2", {})
    if raw == "I;12":
        return (samples >> 4).clip(0, 255).astype(np.uint8)
    if image.mode != "I" or image.format == "PPM" or (raw.startswith("I;16B") and not raw.endswith("S")):
        return (samples.astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
    if raw == "I;32N" and tags.get(_BITS) == (32,) and tags.get(_SAMPLE_FORMAT, (1,)) == (1,):
        return (samples.view(np.uint32) >> 24).astype(np.uint8)
    low, high = int(samples.min(initial=0)), int(samples.max(initial=0))
    if low < 0 or high > 65535:
        raise ImageError(f"integer samples are {low}..{high}, must be 0..255 or 0..65535")
    return (samples if high <= 255 else samples >> 8).astype(np.uint8)


def _by_floats(samples: np.ndarray) -> np.ndarray:
    low, high = float(samples.min(initial=0)), float(samples.max(initial=0))
    if not np.isfinite([low, high]).all():
        raise ImageError("float samples are not all finite")
    unit = high <= 1 + _UNIT_SLACK
    if low < (-_UNIT_SLACK if unit else 0) or not (unit or _LEAST_FLOAT_RANGE <= high <= 65535):
        raise ImageError(f"float samples are {low:g}..{high:g}, must be 0..1, 0..255 or 0..65535")
    scale = 255.0 if unit else 1.0 if high <= 255 else 255 / 65535
    return (samples.astype(np.float64) * scale + 0.5).clip(0, 255).astype(np.uint8)
