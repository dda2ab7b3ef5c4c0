"""Picture files in and out, by Pillow."""

from __future__ import annotations

import dataclasses
import io
import struct
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, TypeVar

from PIL import Image, ImageCms, UnidentifiedImageError

from bitstream import BitstreamError, Limits
from ddncodec.errors import ArgumentError, DdncError, ImageError
from ddncodec.files import is_special
from ddncodec.images.color_profiles import to_profile
from ddncodec.images.containers import PNG_SIGNATURE, Slim, slim_png, without_metadata
from ddncodec.images.embedding import METADATA_FORMATS, described_tiff, options_of
from ddncodec.images.optional_formats import hint, register_optional_formats
from ddncodec.images.pixels import Pixels, from_file, pixels_of

T = TypeVar("T")
SUFFIXES = frozenset({
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".jxl", ".pgm", ".png",
    ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp",
})  # fmt: skip
"""Files in folders and archives that are taken for pictures; any other that Pillow can read has to be named."""
SAVE_OPTIONS: MappingProxyType[str, dict[str, Any]] = MappingProxyType(
    {**{name: {"quality": 95} for name in ("AVIF", "HEIF", "JPEG", "JXL", "MPO")}, "WEBP": {"lossless": True}}
)
"""Formats that would lose much at their defaults are written better."""
ALPHA_FORMATS = frozenset({"AVIF", "GIF", "HEIF", "JPEG2000", "JXL", "PNG", "TGA", "TIFF", "WEBP"})
_KEEPS_SIZE = METADATA_FORMATS | {"BMP", "DIB", "GIF", "JPEG2000", "PPM", "TGA"}
"""Others may hold some sizes only, and Pillow scales to these."""
_ICO_SIDE, _GIF_COLORS = 256, 256
_NOT_IN_SIZE = "{name} holds no picture of {width} x {height} pixels, try .png"
ANIMATIONS = {".gif": "GIF", ".webp": "WEBP"}
FRAME_MILLISECONDS, LAST_MILLISECONDS = 120, 2000
_WITHOUT_METADATA = "metadata is damaged, the picture is read without it"
_PREFIX_BYTES = 16
"""Bytes of a file by which Pillow recognises formats."""


@dataclasses.dataclass(frozen=True)
class Reading:
    """How picture files are read: at most `limits.max_pixels`, and of animated ones the first frame or nothing."""

    limits: Limits
    first_frame: bool = False
    background: str | None = None


@dataclasses.dataclass(frozen=True)
class Writing:
    """How picture files are written: in Pillow's format `name`; `restore_icc`: in the profile of the source.

    `background` is what transparent pictures are laid over; without one that is done only, in white, for formats
    that hold no transparency.
    """

    name: str
    restore_icc: bool = False
    background: str | None = None


def is_picture(name: str | Path) -> bool:
    """Whether a file in a folder or archive is taken for a picture, by its suffix."""
    return Path(name).suffix.lower() in SUFFIXES


def open_picture(file: IO[bytes]) -> Image.Image:
    """`Image.open` of a binary file, without the limit of `Image.MAX_IMAGE_PIXELS`, which holds for a whole program.

    Pixels are not loaded: callers check a limit of their own before. Raises UnidentifiedImageError.
    """
    prefix = file.read(_PREFIX_BYTES)
    tried: set[str] = set()
    for load_plugins in (Image.preinit, Image.init, register_optional_formats):  # those that load fast first
        load_plugins()
        for name in [name for name in Image.ID if name not in tried]:
            tried.add(name)
            factory, accepts = Image.OPEN[name]
            with suppress(SyntaxError, IndexError, TypeError, struct.error):  # how plugins refuse a file
                accepted = accepts is None or accepts(prefix)
                if accepted and not isinstance(accepted, str):  # a text says what is not installed
                    file.seek(0)
                    return factory(file, "")
    raise UnidentifiedImageError(f"not a picture that Pillow can read{hint(prefix)}")


def read_picture(data: bytes, reading: Reading) -> Pixels:
    """Read any picture that Pillow can; its warnings become notices. Raises ImageError, bitstream.LimitError."""
    pixels, warned = _with_warnings(partial(_read, data, reading))
    return dataclasses.replace(pixels, notices=(*pixels.notices, *warned))


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height of the picture in a file, None where its header cannot be read; nothing is warned of."""
    if is_special(path):  # which can be read once only
        return None
    with suppress(Exception), path.open("rb") as file:  # which reading it raises once more
        return _with_warnings(lambda: _size(file))[0]
    return None


def _size(file: IO[bytes]) -> tuple[int, int]:
    with open_picture(file) as image:
        return image.size


def _with_warnings(make: Callable[[], T]) -> tuple[T, tuple[str, ...]]:
    """What `make` returns, and the texts of what Pillow warns of meanwhile."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = make()
    return made, tuple(dict.fromkeys(" ".join(str(warning.message).split()) for warning in caught))


def _read(data: bytes, reading: Reading) -> Pixels:
    slim = slim_png(data) if data.startswith(PNG_SIGNATURE) else None
    try:
        return _read_slim(data, slim, reading)
    except (BitstreamError, ImageError) as error:
        damaged = without_metadata(data) if isinstance(error.__cause__, Exception) else None
        if damaged is None:
            raise
        with suppress(ImageError):
            pixels = _read_slim(data, damaged, reading)
            return dataclasses.replace(pixels, notices=(*pixels.notices, _WITHOUT_METADATA))
        raise


def _read_slim(data: bytes, slim: Slim | None, reading: Reading) -> Pixels:
    try:
        with open_picture(io.BytesIO(data if slim is None else slim.data)) as image:
            reading.limits.check_pixels(*image.size)
            # MPO is what some cameras write: a JPEG followed by a preview or the picture of a second lens.
            frames = getattr(image, "n_frames", 1) if image.format != "MPO" else 1
            if frames > 1 and not reading.first_frame:
                raise ImageError(f"has {frames} frames; --frame first takes the first")
            return from_file(image, slim, reading.background)
    except UnidentifiedImageError as error:
        raise ImageError(str(error)) from error
    except (BitstreamError, DdncError):
        raise
    except Exception as error:  # its decoders raise anything over damaged files
        raise ImageError(f"picture cannot be decoded: {str(error) or type(error).__name__}") from error


_STREAM_FORMAT = "DDN"
"""Pillow's name of streams where `ddncodec.pillow_plugin` is imported; no picture that `ddnc decode` writes."""


def picture_format(suffix: str, path: Path) -> str:
    """Pillow's name of the format of a suffix. Raises ArgumentError naming `path` if Pillow cannot write it."""
    register_optional_formats()
    name = Image.registered_extensions().get(suffix.lower())
    if name is None or name not in Image.SAVE or name == _STREAM_FORMAT:
        advice = hint(suffix=suffix) or ", try .png"
        raise ArgumentError(f"{path}: suffix {suffix!r} is not a picture format that Pillow can write{advice}")
    return name


def write_picture(image: Image.Image, writing: Writing) -> tuple[bytes, tuple[str, ...]]:
    """A picture as the bytes of a file, with its metadata where the format holds them; and notices for the user.

    Raises ImageError where the format cannot hold the picture.
    """
    image, profile, notices = _prepared(image, writing)
    options = {**SAVE_OPTIONS.get(writing.name, {}), **profile}
    if writing.name == "ICO":
        options["sizes"] = [image.size]
        if max(image.size) > _ICO_SIDE:
            raise ImageError(_NOT_IN_SIZE.format(name="ICO", width=image.width, height=image.height))
    data, warned = _saved(image, writing.name, options)
    if writing.name not in _KEEPS_SIZE:
        _check_size(data, image, writing.name)
    return data, notices + warned


def write_animation(images: Sequence[Image.Image], writing: Writing) -> tuple[bytes, tuple[str, ...]]:
    """Pictures as one endless animation that rests at the last; notices and errors as for `write_picture`."""
    frames, profiles, notices = zip(*(_prepared(image, writing) for image in images))
    durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    timing = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
    data, warned = _saved(frames[0], writing.name, {**profiles[0], **timing})
    return data, notices[0] + warned


def _prepared(image: Image.Image, writing: Writing) -> tuple[Image.Image, dict[str, Any], tuple[str, ...]]:
    """A picture as it is saved in a format, the option that embeds its profile, and notices."""
    notices: tuple[str, ...] = ()
    if image.mode in ("LA", "RGBA") and (writing.background or writing.name not in ALPHA_FORMATS):
        if writing.background is None:
            notices = (f"{writing.name} holds no transparency, laid over white",)
        image = _laid_over(image, writing.background or "white")
    if writing.name == "GIF":
        image, notices = _for_gif(image)
    if not writing.restore_icc:
        return image, {}, notices
    image, profile = _restored(image, writing.name)
    return image, {"icc_profile": profile}, notices


def _for_gif(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """A picture whose samples are transparent or not, and notices of what GIF reduces."""
    notices: tuple[str, ...] = ()
    if image.mode in ("LA", "RGBA"):
        alpha = image.getchannel("A")
        whole = alpha.point([0] * 128 + [255] * 128)
        if whole.tobytes() != alpha.tobytes():
            notices = ("GIF holds no partial transparency, half and less is transparent",)
        image = image.convert("RGBA")
        image.putalpha(whole)
    if image.convert("RGB").getcolors(_GIF_COLORS) is None:
        notices = (*notices, f"GIF holds {_GIF_COLORS} colours, reduced")
    return image, notices


def _check_size(data: bytes, image: Image.Image, name: str) -> None:
    """Raise ImageError where a file shows the picture in another size; what Pillow cannot read is left unchecked."""
    size = image.size
    with suppress(Exception):
        size, _ = _with_warnings(lambda: _size(io.BytesIO(data)))
    if size != image.size:
        raise ImageError(_NOT_IN_SIZE.format(name=name, width=image.width, height=image.height))


def _saved(image: Image.Image, name: str, options: dict[str, Any]) -> tuple[bytes, tuple[str, ...]]:
    """The bytes of a file, with EXIF and XMP unless the format cannot hold these, and notices."""
    try:
        embedded, notices = options_of(image, name)
        data, warned = _with_warnings(lambda: _file(image, name, {**options, **embedded}))
        return described_tiff(data, image) if name == "TIFF" else data, notices + warned
    except Exception as error:  # Pillow raises anything over damaged EXIF, and JPEG holds 64 KiB
        data, warned = _with_warnings(lambda: _file(image, name, options))
        return data, (f"written without EXIF and XMP: {error.__cause__ or error}", *warned)


def _file(image: Image.Image, name: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    try:
        image.save(file, name, **options)
    except (OSError, ValueError, struct.error) as error:
        raise ImageError(f"cannot be written as {name}: {error}") from error
    return file.getvalue()


def _restored(image: Image.Image, name: str) -> tuple[Image.Image, bytes]:
    profile = image.info.get("source_icc_profile")
    if profile is None:
        raise ImageError("has no ICC profile; `ddnc encode --metadata icc` keeps it")
    if name not in METADATA_FORMATS:
        raise ImageError(f"{name} holds no ICC profile, try PNG")
    try:
        return to_profile(image, profile), profile
    except ImageCms.PyCMSError as error:
        raise ImageError(f"ICC profile cannot be restored: {error}") from error


def _laid_over(image: Image.Image, background: str) -> Image.Image:
    over = pixels_of(image, background)
    laid = Image.fromarray(over.rgb)
    laid = laid.convert("L") if over.gray else laid
    laid.info.update(image.info)
    return laid
