"""A colour profile for tests, made of the one that Pillow makes."""

from __future__ import annotations

from functools import cache

from PIL import ImageCms

GAMMA, LINEAR = bytes.fromhex("00026666"), bytes.fromhex("00010000")


@cache
def steep_profile() -> bytes:
    """The profile of sRGB under another name and with nearly linear curves; made once, as it holds the time."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert GAMMA in profile, "littlecms writes the exponent 2.4 of its curves so"
    return profile.replace(GAMMA, LINEAR).replace("sRGB".encode("utf-16-be"), "tRGB".encode("utf-16-be"))
