"""Pictures in and out: what callers hand over becomes 8-bit sRGB arrays, and back."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageOps

from ddncodec.errors import ImageError

Picture: TypeAlias = "Image.Image | np.ndarray"
MAX_SIDE = 65535
GRAY_MODES = {"1", "L", "LA", "I;16", "I", "F"}


@dataclasses.dataclass(frozen=True)
class Pixels:
    """A picture as the codec sees it: `rgb` (H, W, 3) uint8, three equal planes where `gray`."""

    rgb: np.ndarray
    gray: bool


def to_pixels(picture: Picture) -> Pixels:
    """Take a PIL picture, or an array (H, W) or (H, W, 3) uint8.

    Orientation from EXIF is applied, transparency is laid over white, 16-bit gray is reduced to 8 bits.
    Raises ImageError where mode, type or size is outside the limits.
    """
    if isinstance(picture, np.ndarray):
        return _from_array(picture)
    if isinstance(picture, Image.Image):
        return _from_pil(picture)
    raise ImageError(f"`image` is a {type(picture).__name__}, must be a PIL image or a numpy array")


def to_image(rgb: np.ndarray, gray: bool) -> Image.Image:
    """(H, W, 3) uint8 -> a PIL picture, mode L where `gray`."""
    if not gray:
        return Image.fromarray(rgb)
    return Image.fromarray(rgb.mean(axis=2).round().astype(np.uint8))


def _from_array(array: np.ndarray) -> Pixels:
    if array.dtype != np.uint8:
        raise ImageError(f"`image` has dtype {array.dtype}, must be uint8")
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1):
        plane = array.reshape(array.shape[:2])
        return _checked(np.repeat(plane[:, :, None], 3, axis=2), gray=True)
    if array.ndim == 3 and array.shape[2] == 3:
        return _checked(array, gray=False)
    raise ImageError(f"`image` has shape {array.shape}, must be (H, W), (H, W, 1) or (H, W, 3)")


def _from_pil(image: Image.Image) -> Pixels:
    try:
        image = ImageOps.exif_transpose(image)
    except OSError as error:
        raise ImageError(f"picture cannot be decoded: {error}") from error
    if image.mode.startswith("I"):
        deep = np.asarray(image).astype(np.int64)
        image = Image.fromarray((deep >> 8).clip(0, 255).astype(np.uint8))
    gray = image.mode in GRAY_MODES
    if image.has_transparency_data:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        image = Image.alpha_composite(white, over)
    return _checked(np.asarray(image.convert("RGB")), gray)


def _checked(rgb: np.ndarray, gray: bool) -> Pixels:
    for name, side in (("height", rgb.shape[0]), ("width", rgb.shape[1])):
        if not 1 <= side <= MAX_SIDE:
            raise ImageError(f"{name} (={side}) must be 1..{MAX_SIDE} pixels")
    return Pixels(rgb, gray)
