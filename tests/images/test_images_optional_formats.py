"""HEIF and JPEG XL are pictures where their packages are installed; elsewhere an error says what to install."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from drawing import draw_picture
from picture_bytes import exif_bytes, short, text
from PIL import Image

from bitstream import DEFAULT_LIMITS
from ddncodec.errors import ArgumentError, ImageError
from ddncodec.images import optional_formats
from ddncodec.images.files import Reading, Writing, picture_format, read_picture, write_picture
from ddncodec.images.metadata import Metadata
from ddncodec.images.optional_formats import FORMATS, OptionalFormat
from ddncodec.images.pixels import Pixels, to_image
from ddncodec.metrics import psnr

READING = Reading(DEFAULT_LIMITS)
BEGINNINGS = {"HEIF": b"\0\0\0\x20ftypheic\0\0\0\0mif1heic", "JPEG XL": b"\xff\x0a" + bytes(30)}


@pytest.mark.parametrize("optional", FORMATS, ids=lambda each: each.name)
def test_pictures_go_through_where_the_package_is_installed(optional: OptionalFormat) -> None:
    if find_spec(optional.module) is None:
        pytest.skip(f"needs {optional.module}")
    picture = draw_picture(40, 56, 3)
    for suffix in optional.suffixes:
        name = picture_format(suffix, Path(f"a{suffix}"))
        data, notices = write_picture(Image.fromarray(picture), Writing(name))
        assert notices == ()
        assert psnr(picture, read_picture(data, READING).rgb) > 35


@pytest.mark.parametrize("optional", FORMATS, ids=lambda each: each.name)
def test_errors_say_what_to_install(optional: OptionalFormat) -> None:
    with pytest.raises(ImageError) as caught:
        read_picture(BEGINNINGS[optional.name] + bytes(50), READING)
    if find_spec(optional.module) is None:
        assert str(caught.value).endswith(f"it is {optional.name}, for which pip install ddncodec[formats]")
        for suffix in optional.suffixes:
            with pytest.raises(ArgumentError, match=r"ddncodec\[formats\]"):
                picture_format(suffix, Path(f"a{suffix}"))


def test_other_files_get_no_hint() -> None:
    with pytest.raises(ImageError, match=r"not a picture that Pillow can read$"):
        read_picture(b"no picture at all, of any format", READING)
    file = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(file, "PNG")
    assert optional_formats.hint(file.getvalue()[:16]) == optional_formats.hint(suffix=".png") == ""


@pytest.mark.parametrize("optional", FORMATS, ids=lambda each: each.name)
def test_metadata_and_alpha_go_along(optional: OptionalFormat) -> None:
    pytest.importorskip(optional.module)
    rgb, alpha = draw_picture(24, 40, 1), np.tile(np.arange(40, dtype=np.uint8) * 6, (24, 1))
    metadata = Metadata(exif=exif_bytes([text(271, "Maker")]))
    name = picture_format(min(optional.suffixes), Path("a"))
    data, notices = write_picture(to_image(Pixels(rgb, False, alpha, metadata)), Writing(name))
    pixels = read_picture(data, READING)
    assert notices == ()
    assert pixels.metadata.exif is not None and b"Maker" in pixels.metadata.exif
    assert pixels.alpha is not None
    assert np.abs(pixels.alpha.astype(int) - alpha).mean() < 3


@pytest.mark.parametrize("optional", FORMATS, ids=lambda each: each.name)
def test_pictures_are_turned_by_the_format_and_not_by_exif_in_addition(optional: OptionalFormat) -> None:
    pytest.importorskip(optional.module)
    file = io.BytesIO()
    exif = b"Exif\0\0" + exif_bytes([short(274, 6)])
    Image.fromarray(draw_picture(24, 40, 1)).save(file, picture_format(min(optional.suffixes), Path("a")), exif=exif)
    with Image.open(file) as opened:
        opened.load()
        assert read_picture(file.getvalue(), READING).rgb.shape[:2] == opened.size[::-1]
