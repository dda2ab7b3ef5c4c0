"""Metadata that a stream kept, as picture files embed it."""

from __future__ import annotations

from typing import Any

from PIL import Image, PngImagePlugin

from ddncodec.images.exif import PREFIX, into_tiff, kept, without_prefix
from ddncodec.images.sources import kept_xmp

METADATA_FORMATS = frozenset({"AVIF", "HEIF", "JPEG", "JXL", "PNG", "TIFF", "WEBP"})
"""Those in which Pillow embeds EXIF and ICC profiles."""
_XMP_KEYWORD = "XML:com.adobe.xmp"


def options_of(image: Image.Image, name: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The options of Pillow that embed what the stream kept, as true of this picture, and notices. Raises ExifError."""
    exif, xmp = _kept_exif(image), _kept_xmp(image)
    if not (exif or xmp):
        return {}, ()
    if name not in METADATA_FORMATS:
        kinds = " and ".join(kind for kind, data in (("EXIF", exif), ("XMP", xmp)) if data)
        return {}, (f"{name} holds no {kinds}, which the stream has",)
    options: dict[str, Any] = {"exif": PREFIX + exif} if exif and name != "TIFF" else {}
    if xmp and name in ("AVIF", "HEIF", "JPEG", "JXL", "WEBP"):
        options["xmp"] = xmp
    elif xmp and name == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt(_XMP_KEYWORD, xmp.decode("utf-8", "replace"))
    return options, ()


def described_tiff(tiff: bytes, image: Image.Image) -> bytes:
    """A TIFF file with what the stream kept."""
    exif, xmp = _kept_exif(image), _kept_xmp(image)
    return into_tiff(tiff, exif or b"", xmp) if exif or xmp else tiff


def _kept_exif(image: Image.Image) -> bytes | None:
    exif = image.info.get("exif")
    return kept(without_prefix(exif), *image.size) if exif else None


def _kept_xmp(image: Image.Image) -> bytes | None:
    return kept_xmp(image.info.get("xmp"), *image.size)
