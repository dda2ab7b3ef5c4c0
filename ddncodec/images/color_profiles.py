"""Colour profiles: pictures to sRGB, and back to the profile that they came in."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_GRAY, _RGB = "GRAY", "RGB "
_SRGB_TOLERANCE = 2
"""Most by which samples differ that a profile and sRGB take for the same colour, if the profile is that of sRGB."""


def from_profile(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """A picture of mode L, RGB, CMYK or LAB as sRGB, mode L or RGB, and complaints about its profile.

    Pictures without a profile, and those whose profile cannot be used, are taken to be sRGB already.
    """
    mode = "L" if image.mode == "L" else "RGB"
    if image.mode == "LAB":
        return _convert(image, ImageCms.createProfile("LAB"), _srgb(), "RGB"), ()
    if profile is None:
        return in_mode(image, mode), ()
    try:
        if image.mode in ("L", "RGB") and _is_srgb(profile):
            return in_mode(image, mode), ()
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        fitting = in_mode(image, "RGB") if source.profile.xcolor_space == _RGB and image.mode == "L" else image
        return _convert(fitting, source, _srgb(), "RGB").convert(mode), ()
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        return in_mode(image, mode), (f"ICC profile is not used: {' '.join(str(error).split())}",)


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """A picture in a mode; itself where it is in it, for Pillow copies even then."""
    return image if image.mode == mode else image.convert(mode)


def to_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """An sRGB picture in the profile of another: mode RGB or RGBA, or L or LA in one of gray.

    Raises ImageCms.PyCMSError if the profile cannot be used.
    """
    try:
        target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        color = image.convert({"L": "RGB", "LA": "RGBA"}.get(image.mode, image.mode))
        if target.profile.xcolor_space != _GRAY or image.mode not in ("L", "LA"):
            return _convert(color, _srgb(), target, color.mode)
        gray = _convert(color.convert("RGB"), _srgb(), target, "L")
        if image.mode == "LA":
            gray.putalpha(image.getchannel("A"))
        gray.info.update(color.info)
        return gray
    except (OSError, ValueError) as error:
        raise ImageCms.PyCMSError(str(error)) from error


@lru_cache(maxsize=16)
def _is_srgb(profile: bytes) -> bool:
    """Whether a profile means by samples of RGB what sRGB means, whatever its name is. Raises PyCMSError, OSError."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if source.profile.xcolor_space != _RGB:
        return False
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    colors = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 1, 3)
    converted = np.asarray(_convert(Image.fromarray(colors), source, _srgb(), "RGB"))
    return int(np.abs(converted.astype(int) - colors).max()) <= _SRGB_TOLERANCE


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _convert(image: Image.Image, source: object, target: object, mode: str) -> Image.Image:
    converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)  # type: ignore[arg-type]
    assert converted is not None, "only conversion in place returns nothing"
    converted.info.pop("icc_profile", None)
    return converted
