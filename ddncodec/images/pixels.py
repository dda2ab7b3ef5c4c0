"""Pictures in and out: what callers hand over becomes 8-bit sRGB arrays, and back."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageColor, ImageOps

from ddncodec.errors import ArgumentError, ImageError
from ddncodec.images.color_profiles import from_profile, in_mode
from ddncodec.images.metadata import NO_METADATA, Metadata

MAX_SIDE = 65535
OPAQUE = 255
_GRAY_MODES = {"1", "L", "LA", "La", "I", "F"}
_ORIENTATION = 0x0112
_UPRIGHT = 1
_EXIF_PREFIX = b"Exif\x00\x00"
_XMP_TAG = 700
"""Of TIFF files."""


@dataclasses.dataclass(frozen=True)
class Pixels:
    """A picture as the codec sees it.

    `rgb` (H, W, 3) uint8, three equal planes where `gray`; `alpha` (H, W) uint8, or None where all is opaque.
    `notices` are lines for the user: what was converted with a loss.
    """

    rgb: np.ndarray
    gray: bool
    alpha: np.ndarray | None = None
    metadata: Metadata = NO_METADATA
    notices: tuple[str, ...] = ()


Picture: TypeAlias = Image.Image | np.ndarray | Pixels


def pixels_of(picture: Picture, background: str | None = None) -> Pixels:
    """Take a PIL picture; an array (H, W), (H, W, 2), (H, W, 3) or (H, W, 4) uint8; or what this function returned.

    Orientation from EXIF is applied, ICC profiles are converted to sRGB, samples to 8 bits. Where `background`, a
    colour as Pillow names it, is given, transparent pictures are laid over it.

    Raises ImageError where mode, type or size is outside the limits, ArgumentError for an unknown colour.
    """
    if isinstance(picture, np.ndarray):
        pixels = _from_array(picture)
    elif isinstance(picture, Image.Image):
        pixels = _from_pil(picture)
    elif isinstance(picture, Pixels):
        pixels = picture
    else:
        raise ImageError(f"`image` is a {type(picture).__name__}, must be a PIL image, a numpy array or a torch tensor")
    return pixels if background is None else _laid_over(pixels, background)


def to_array(pixels: Pixels) -> np.ndarray:
    """Samples as one array: (H, W, 3) uint8, (H, W) where gray; with alpha (H, W, 4) or (H, W, 2)."""
    samples = pixels.rgb
    if pixels.gray:  # the mean, rounded
        samples = ((samples.sum(axis=2, dtype=np.uint16) + 1) // 3).astype(np.uint8)
    return samples if pixels.alpha is None else np.dstack([samples, pixels.alpha])


def to_image(pixels: Pixels) -> Image.Image:
    """A PIL picture of mode RGB, L, RGBA or LA; metadata as `info["exif"]`, `["xmp"]` and `["source_icc_profile"]`.

    The profile has a name of its own, for under `icc_profile` Pillow would take it to describe the pixels.
    """
    image = Image.fromarray(to_array(pixels))
    metadata = pixels.metadata
    if metadata.exif is not None:
        image.info["exif"] = _EXIF_PREFIX + metadata.exif
    if metadata.xmp is not None:
        image.info["xmp"] = metadata.xmp
    if metadata.icc is not None:
        image.info["source_icc_profile"] = metadata.icc
    return image


def check_color(name: str) -> tuple[int, int, int]:
    """A colour as Pillow names it, as red, green and blue 0..255. Raises ArgumentError if there is none such."""
    try:
        red, green, blue = ImageColor.getrgb(name)[:3]
    except ValueError as error:
        raise ArgumentError(f"`background` (={name!r}) must be a colour such as white or #ffd080") from error
    return red, green, blue


def _from_array(array: np.ndarray) -> Pixels:
    if array.dtype != np.uint8:
        raise ImageError(f"`image` has dtype {array.dtype}, must be uint8")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or not 1 <= array.shape[2] <= 4:
        raise ImageError(f"`image` has shape {array.shape}, must be (H, W), (H, W, 2), (H, W, 3) or (H, W, 4)")
    gray, opaque = array.shape[2] < 3, array.shape[2] % 2 == 1
    rgb = np.repeat(array[:, :, :1], 3, axis=2) if gray else array[:, :, :3]
    return _checked(Pixels(rgb, gray, None if opaque else array[:, :, -1]))


def _from_pil(image: Image.Image) -> Pixels:
    try:
        notices = _notices(image)
        image.load()
        lies = image.getexif().get(_ORIENTATION, _UPRIGHT) != _UPRIGHT
        upright = ImageOps.exif_transpose(image) if lies else image
        metadata = _metadata(upright, lies)
        color, alpha = _split(_shallow(upright))
        color, complaint = from_profile(color, metadata.icc)
        gray = color.mode == "L"
        rgb = np.asarray(in_mode(color, "RGB"))
    except ValueError as error:
        raise ImageError(f"picture of mode {image.mode} cannot be converted to RGB: {error}") from error
    except Exception as error:  # Pillow's decoders raise anything over damaged files
        raise ImageError(f"picture cannot be decoded: {error}") from error
    return _checked(Pixels(rgb, gray, alpha, metadata, (*notices, *complaint)))


def _shallow(image: Image.Image) -> Image.Image:
    """8 bits a sample: 16-bit gray keeps its upper byte, and integers and floats beyond the range its ends."""
    if not image.mode.startswith("I"):
        return image
    deep = np.asarray(image).astype(np.int64)
    return Image.fromarray((deep >> 8).clip(0, 255).astype(np.uint8))


def _split(image: Image.Image) -> tuple[Image.Image, np.ndarray | None]:
    """Colours, of a mode without alpha, and alpha if there is any."""
    gray = image.mode in _GRAY_MODES
    if image.has_transparency_data:
        whole = in_mode(image, "LA" if gray else "RGBA")
        return whole.convert("L" if gray else "RGB"), np.asarray(whole.getchannel("A"))
    if gray:
        return in_mode(image, "L"), None
    return (image if image.mode in ("CMYK", "LAB") else in_mode(image, "RGB")), None


def _metadata(upright: Image.Image, turned: bool) -> Metadata:
    exif = upright.info.get("exif")
    if turned:
        changed = upright.getexif()
        changed[_ORIENTATION] = _UPRIGHT
        exif = changed.tobytes()
    xmp = upright.info.get("xmp")
    if xmp is None and hasattr(upright, "tag_v2"):
        xmp = upright.tag_v2.get(_XMP_TAG)
    return Metadata(
        icc=upright.info.get("icc_profile") or None,
        exif=exif.removeprefix(_EXIF_PREFIX) if exif else None,
        xmp=xmp.encode() if isinstance(xmp, str) else xmp or None,
    )


def _notices(image: Image.Image) -> tuple[str, ...]:
    # Pillow reduces 16-bit colour on its own, and only the raw modes of a file not yet loaded tell.
    stored = [image.mode, *(str(tile[3]) for tile in getattr(image, "tile", ()))]
    deep = image.mode in ("I", "F") or any(";16" in mode for mode in stored)
    notices = ("more than 8 bits a sample, reduced to 8",) if deep else ()
    return (*notices, f"{image.mode} converted to sRGB") if image.mode in ("CMYK", "LAB") else notices


def _laid_over(pixels: Pixels, background: str) -> Pixels:
    color = check_color(background)
    if pixels.alpha is None:
        return pixels
    alpha = pixels.alpha[:, :, None].astype(np.uint16)
    mixed = (pixels.rgb * alpha + np.array(color, np.uint16) * (OPAQUE - alpha) + OPAQUE // 2) // OPAQUE
    gray = pixels.gray and len(set(color)) == 1
    return dataclasses.replace(pixels, rgb=mixed.astype(np.uint8), gray=gray, alpha=None)


def _checked(pixels: Pixels) -> Pixels:
    for name, side in (("height", pixels.rgb.shape[0]), ("width", pixels.rgb.shape[1])):
        if not 1 <= side <= MAX_SIDE:
            raise ImageError(f"{name} (={side}) must be 1..{MAX_SIDE} pixels")
    if pixels.alpha is not None and (pixels.alpha == OPAQUE).all():
        return dataclasses.replace(pixels, alpha=None)
    return pixels
