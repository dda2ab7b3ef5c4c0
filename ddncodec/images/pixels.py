"""Pictures in and out: what callers hand over becomes 8-bit sRGB arrays, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageColor

from ddncodec.errors import ArgumentError, ImageError
from ddncodec.images import exif, light
from ddncodec.images.color_profiles import from_profile, in_mode
from ddncodec.images.containers import Slim
from ddncodec.images.depth import DEEP_MODES, raw_mode, reduced
from ddncodec.images.metadata import NO_METADATA, Metadata
from ddncodec.images.sources import NO_INFO, Source, read_source

MAX_SIDE = 65535
OPAQUE = 255
_GRAY_MODES = {"1", "L", "LA", "La"}
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture of an EXIF orientation upright."""


@dataclasses.dataclass(frozen=True)
class Pixels:
    """A picture as the codec sees it.

    `rgb` (H, W, 3) uint8, three equal planes where `gray`; `alpha` (H, W) uint8, or None where all is opaque.
    `notices` are lines for the user: what was converted with a loss. `unkept` are kinds of metadata that the source has
    and that cannot be kept, with the reason.
    """

    rgb: np.ndarray
    gray: bool
    alpha: np.ndarray | None = None
    metadata: Metadata = NO_METADATA
    notices: tuple[str, ...] = ()
    unkept: tuple[tuple[str, str], ...] = ()


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


def from_file(image: Image.Image, slim: Slim | None, background: str | None = None) -> Pixels:
    """As `pixels_of`, of a picture whose file says in `slim` what it does not."""
    pixels = _from_pil(image, slim)
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
    image.info.update(info_of(pixels.metadata))
    return image


def info_of(metadata: Metadata) -> dict[str, bytes]:
    """Metadata as `info` of a PIL picture has it."""
    kinds = {
        "exif": metadata.exif and exif.PREFIX + metadata.exif,
        "xmp": metadata.xmp,
        "source_icc_profile": metadata.icc,
    }
    return {key: value for key, value in kinds.items() if value is not None}


def check_color(name: str) -> tuple[int, int, int]:
    """A colour as Pillow names it, as red, green and blue 0..255. Raises ArgumentError if there is none such."""
    try:
        red, green, blue = ImageColor.getrgb(name)[:3]
    except (ValueError, AttributeError, TypeError) as error:  # the latter two for what is no text
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


def described_as(image: Image.Image, info: Mapping[str, bytes], background: str | None = None) -> Pixels:
    """As `pixels_of`, with other values for `exif`, `xmp` and `icc_profile` of its `info`; empty ones for none."""
    pixels = _from_pil(image, None, info)
    return pixels if background is None else _laid_over(pixels, background)


def _from_pil(image: Image.Image, slim: Slim | None = None, info: Mapping[str, bytes] = NO_INFO) -> Pixels:
    try:
        raw = raw_mode(image)
        source = read_source(image, slim, info)
        image.load()
        method = _TRANSPOSITIONS.get(source.orientation)
        upright = image if method is None else image.transpose(method)
        color, alpha = _split(upright, image, raw)
        metadata, unkept = source.metadata(*upright.size)
        color, complaint = _to_srgb(color, source)
        gray = color.mode == "L"
        rgb = np.asarray(in_mode(color, "RGB"))
    except ImageError:
        raise
    except ValueError as error:
        raise ImageError(f"picture of mode {image.mode} cannot be converted to RGB: {error}") from error
    except Exception as error:  # Pillow's decoders raise anything over damaged files
        raise ImageError(f"picture cannot be decoded: {str(error) or type(error).__name__}") from error
    return _checked(Pixels(rgb, gray, alpha, metadata, (*_notices(image.mode, raw), *complaint), unkept))


def _to_srgb(color: Image.Image, source: Source) -> tuple[Image.Image, tuple[str, ...]]:
    """Colours as sRGB, mode L or RGB, by what the source says of them in numbers, or else by its profile; notices."""
    if source.light is None or color.mode not in ("L", "RGB"):
        return from_profile(color, source.icc)
    if source.light.notice is not None:
        return color, (source.light.notice,)
    return Image.fromarray(light.to_srgb(np.asarray(color), source.light)), ()


def _split(upright: Image.Image, image: Image.Image, raw: str) -> tuple[Image.Image, np.ndarray | None]:
    """Colours, of a mode without alpha, and alpha if there is any, of a picture that is `image` turned upright."""
    if upright.mode in DEEP_MODES:
        gray, alpha = reduced(upright, image, raw)
        return Image.fromarray(gray), alpha
    is_gray = upright.mode in _GRAY_MODES or raw == "LA;16B"  # which Pillow reads as RGBA
    if upright.has_transparency_data:
        whole = in_mode(_with_transparency_of_8_bits(upright, raw), "LA" if is_gray else "RGBA")
        return whole.convert("L" if is_gray else "RGB"), np.asarray(whole.getchannel("A"))
    if is_gray:
        return in_mode(upright, "L"), None
    return (upright if upright.mode in ("CMYK", "LAB") else in_mode(upright, "RGB")), None


def _with_transparency_of_8_bits(image: Image.Image, raw: str) -> Image.Image:
    """A picture whose transparent sample is one of 8 bits, as the others are; PNG says it in the depth of the file."""
    key = image.info.get("transparency")
    if raw in ("L;2", "L;4") and isinstance(key, int):
        scaled: object = key * {"L;2": 85, "L;4": 17}[raw]
    elif image.mode == "1" and isinstance(key, int):
        image, scaled = image.convert("L"), OPAQUE * bool(key)
    elif raw == "RGB;16B" and isinstance(key, tuple):
        scaled = tuple(sample >> 8 for sample in key)
    else:
        return image
    image = image.copy()
    image.info["transparency"] = scaled
    return image


def _notices(mode: str, raw: str) -> tuple[str, ...]:
    # Pillow reduces 16-bit colour on its own, and only the raw modes of a file not yet loaded tell.
    deep = mode in ("I", "F") or any(";16" in name for name in (mode, raw))
    notices = ("more than 8 bits a sample, reduced to 8",) if deep else ()
    return (*notices, f"{mode} converted to sRGB") if mode in ("CMYK", "LAB") else notices


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
