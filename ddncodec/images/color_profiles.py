"""Colour profiles: pictures to sRGB, and back to the profile that they came in."""

from __future__ import annotations

import io

from PIL import Image, ImageCms


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
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return in_mode(image, mode), ()
        return _convert(image, source, _srgb(), "RGB").convert(mode), ()
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        return in_mode(image, mode), (f"ICC profile is not used: {' '.join(str(error).split())}",)


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """A picture in a mode; itself where it is in it, for Pillow copies even then."""
    return image if image.mode == mode else image.convert(mode)


def to_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """An sRGB picture of mode RGB or RGBA in another RGB profile. Raises ImageCms.PyCMSError if it cannot be used."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return _convert(image, _srgb(), source, image.mode)
    except (OSError, ValueError) as error:
        raise ImageCms.PyCMSError(str(error)) from error


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _convert(image: Image.Image, source: object, target: object, mode: str) -> Image.Image:
    converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)  # type: ignore[arg-type]
    assert converted is not None, "only conversion in place returns nothing"
    converted.info.pop("icc_profile", None)
    return converted
