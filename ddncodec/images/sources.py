"""What a picture says in addition to its pixels, wherever its format puts it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from PIL import Image

from ddncodec.images import exif as exif_data
from ddncodec.images.containers import PNG_SIGNATURE, Slim, nclx_light, slim_png
from ddncodec.images.light import Light, gamma_light
from ddncodec.images.metadata import Metadata

NO_INFO: Mapping[str, bytes] = MappingProxyType({})
_XMP_KEYWORD = "XML:com.adobe.xmp"
_SAYING_MORE = ("AVIF", "HEIF", "PNG", "TIFF")
_TURNED_ON_LOADING = ("HEIF", "JXL", "TIFF")
"""Formats whose pixels are upright, whatever EXIF says, once Pillow has loaded them."""
_ADOBE_RGB = "EXIF says Adobe RGB without a profile, the samples are taken for sRGB"
_NUMBERS_IN_XMP = (
    (rb"tiff:Orientation", None),
    (rb"(?:exif:PixelXDimension|tiff:ImageWidth)", "width"),
    (rb"(?:exif:PixelYDimension|tiff:ImageLength)", "height"),
)


@dataclasses.dataclass(frozen=True)
class Source:
    """What a picture that is not yet turned says of itself; `orientation` is that of EXIF, which is yet to be applied.

    `unkept` are the kinds of metadata that could not be read.
    """

    orientation: int
    icc: bytes | None
    exif: bytes | None
    xmp: bytes | None
    light: Light | None = None
    unkept: tuple[tuple[str, str], ...] = ()

    def metadata(self, width: int, height: int) -> tuple[Metadata, tuple[tuple[str, str], ...]]:
        """Metadata as they are kept of the upright picture, and the kinds that cannot be, with the reason."""
        unkept, exif = self.unkept, None
        if self.exif:
            try:
                exif = exif_data.kept(self.exif, width, height)
            except exif_data.ExifError as error:
                unkept = (*unkept, ("exif", f"EXIF is damaged and not kept: {error}"))
        return Metadata(self.icc, exif, kept_xmp(self.xmp, width, height)), unkept


def read_source(image: Image.Image, slim: Slim | None = None, instead: Mapping[str, bytes] = NO_INFO) -> Source:
    """What a picture says, which is not yet loaded if it is from a file; never raises over what is odd or damaged.

    slim: what was read from its file, where Pillow was given only a part of it. instead: entries that replace those of
    `image.info`.
    """
    data = b"" if slim is not None else _file_of(image)
    if data.startswith(PNG_SIGNATURE):
        slim = slim_png(data)
    info: dict[Any, Any] = dict(image.info)
    info.update(slim.info if slim else {})
    info.update(instead)
    icc, exif, xmp = (info.get(key) for key in ("icc_profile", "exif", "xmp"))
    if image.format == "TIFF" and "exif" not in instead:
        exif = _exif_of_tiff(data or (slim.data if slim else b""), image)
    exif = exif_data.without_prefix(exif) if isinstance(exif, bytes) else None
    xmp = info.get(_XMP_KEYWORD) if xmp is None else xmp
    xmp = xmp.encode() if isinstance(xmp, str) else xmp if isinstance(xmp, bytes) else None
    icc = icc if isinstance(icc, bytes) else None
    light = slim.light if slim else nclx_light(data) if icc is None else None
    if light is None and "icc_profile" not in instead and icc is None and not data and slim is None:
        light = _light_of_info(image)
    if light is None and icc is None and _says_adobe_rgb(exif):
        light = Light(_ADOBE_RGB)
    return Source(
        _orientation(image, exif, xmp), icc or None, exif or None, xmp or None, light, slim.lost if slim else ()
    )


def kept_xmp(xmp: bytes | None, width: int, height: int) -> bytes | None:
    """XMP as it is kept of an upright picture of a size: it says so wherever it said another orientation or size."""
    if xmp is None:
        return None
    for names, value in _NUMBERS_IN_XMP:
        number = str({None: 1, "width": width, "height": height}[value]).encode()
        xmp = re.sub(rb"(" + names + rb"(?:\s*=\s*[\"']|\s*>)\s*)\d+", rb"\g<1>" + number, xmp)
    return xmp


def _file_of(image: Image.Image) -> bytes:
    """The bytes of the file of a picture that is not yet loaded, if its format is one that says more than Pillow."""
    file = getattr(image, "fp", None)
    if file is None or image.format not in _SAYING_MORE:
        return b""
    try:
        place = file.tell()
        file.seek(0)
        data = file.read()
        file.seek(place)
    except (OSError, ValueError):
        return b""
    return bytes(data)


def _exif_of_tiff(data: bytes, image: Image.Image) -> bytes | None:
    """What a TIFF file says; of one that is loaded, what Pillow remembers."""
    with suppress(Exception):  # whatever it is that Pillow meets
        return exif_data.of_tiff(data or exif_data.without_prefix(image.getexif().tobytes()))
    return None


def _orientation(image: Image.Image, exif: bytes | None, xmp: bytes | None) -> int:
    """How the pixels that Pillow makes are to be turned, 1 to 8. XMP counts where EXIF says nothing, as in Pillow."""
    if image.format in _TURNED_ON_LOADING and not getattr(image, "jpeg", False):  # a JPEG inside of a JPEG XL file
        return 1
    orientation = exif_data.orientation_of(exif) if exif is not None else _set_by_caller(image)
    if orientation is None and xmp is not None:
        found = re.search(rb"tiff:Orientation(?:=\"|>)([1-8])", xmp)
        orientation = int(found[1]) if found else None
    return orientation or 1


def _set_by_caller(image: Image.Image) -> int | None:
    """The orientation in `Image.getexif()`, which callers may change, or which Pillow found."""
    if image.format == "PNG" and getattr(image, "tile", None):  # which Pillow would load, and never raise over again
        return None
    with suppress(Exception):  # whatever it is that Pillow's parser meets
        orientation: Any = image.getexif().get(exif_data.ORIENTATION)
        return int(orientation) if orientation in range(1, 9) else None
    return None


def _light_of_info(image: Image.Image) -> Light | None:
    """What Pillow remembers of a PNG file that is loaded."""
    gamma, points = image.info.get("gamma"), image.info.get("chromaticity")
    if "srgb" in image.info or not isinstance(gamma, (float, type(None))):
        return None
    return gamma_light(gamma, points if isinstance(points, tuple) else None)


def _says_adobe_rgb(exif: bytes | None) -> bool:
    """Whether EXIF names the colour space of DCF's optional files (DCF 2.0, section 4.2)."""
    if not exif:
        return False
    try:
        below = exif_data.read_directory(exif).get(exif_data.EXIF_IFD)
    except exif_data.ExifError:
        return False
    interop = below.get(exif_data.INTEROP_IFD) if isinstance(below, dict) else None
    index = interop.get(1) if isinstance(interop, dict) else None
    return isinstance(index, exif_data.Entry) and index.value.startswith(b"R03")
