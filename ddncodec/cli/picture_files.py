"""Picture files in and out, by Pillow; and the checks on outputs that are made before any work."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PIL import Image, UnidentifiedImageError

import bitstream
from ddncodec.cli.failures import Failure
from ddncodec.errors import ArgumentError, ImageError
from ddncodec.files import replacing

SAVE_OPTIONS: MappingProxyType[str, dict[str, Any]] = MappingProxyType(
    {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}, "AVIF": {"quality": 95}}
)
"""Formats that would lose much at their defaults are written better."""


def read_picture(path: Path) -> Image.Image:
    """Read any picture that Pillow can. Raises OSError, ImageError, bitstream.LimitError."""
    Image.MAX_IMAGE_PIXELS = None  # the limit of streams is checked instead
    try:
        with Image.open(path) as image:
            bitstream.DEFAULT_LIMITS.check_pixels(*image.size)
            image.load()
            return image
    except bitstream.LimitError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError("not a picture that Pillow can read") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise ImageError(f"picture cannot be decoded: {error}") from error
    except (SyntaxError, ValueError, EOFError, struct.error) as error:
        raise ImageError(f"picture cannot be decoded: {error}") from error


def picture_format(path: Path) -> str:
    """Pillow's name of the format that the suffix of `path` stands for. Raises ArgumentError if it cannot write it."""
    suffix = path.suffix.lower()
    name = Image.registered_extensions().get(suffix)
    if name is None or name not in Image.SAVE:
        raise ArgumentError(f"{path}: suffix {suffix!r} is not a picture format that Pillow can write, try .png")
    return name


def write_picture(image: Image.Image, path: Path, name: str) -> None:
    """Write `image` in format `name`, through a temporary file."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        image.save(file, name, **SAVE_OPTIONS.get(name, {}))


def check_output(path: Path) -> None:
    """Raise Failure where a file `path` could not be made."""
    if path.is_dir():
        raise Failure(f"{path}: is a folder, must be a file")
    if not path.parent.is_dir():
        raise Failure(f"{path}: folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise Failure(f"{path}: folder {path.parent} is not writable")
