"""A format that cannot hold the picture as it is refuses it, or a notice says what is lost."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from drawing import draw_picture
from picture_bytes import exif_bytes, png_bytes
from PIL import Image

from bitstream import Limits
from ddncodec.errors import ImageError
from ddncodec.images.files import Reading, Writing, picture_size, read_picture, write_picture

RAMP = np.tile(np.arange(200, dtype=np.uint8), (10, 1))


@pytest.mark.parametrize(
    ("name", "size"),
    [("ICO", (300, 200)), ("ICO", (257, 10)), ("ICNS", (300, 200)), ("ICNS", (128, 128)), ("ICNS", (1024, 512))],
)
def test_icons_of_other_sizes_are_refused(name: str, size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match=f"{name} holds no picture of {size[0]} x {size[1]}|cannot be written"):
        write_picture(Image.new("RGB", size, "teal"), Writing(name))


@pytest.mark.parametrize(
    ("name", "size"), [("ICO", (200, 90)), ("ICO", (9, 9)), ("ICO", (256, 256)), ("PCX", (90, 70))]
)
def test_what_a_format_holds_is_written_in_its_size(name: str, size: tuple[int, int]) -> None:
    data, notices = write_picture(Image.new("RGB", size, "teal"), Writing(name))
    assert notices == ()
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == size


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_gif_makes_partial_transparency_whole_and_says_so(mode: str) -> None:
    image = Image.new(mode, (200, 10), "teal" if mode == "RGBA" else 99)
    image.putalpha(Image.fromarray(RAMP))
    data, notices = write_picture(image, Writing("GIF"))
    assert notices[0] == "GIF holds no partial transparency, half and less is transparent"
    with Image.open(io.BytesIO(data)) as back:
        alpha = np.asarray(back.convert("RGBA"))[:, :, 3]
    np.testing.assert_array_equal(alpha, np.where(RAMP < 128, 0, 255))
    image.putalpha(Image.fromarray((RAMP > 100).astype(np.uint8) * 255))
    assert write_picture(image, Writing("GIF"))[1] == ()


def test_gif_says_that_it_holds_256_colours() -> None:
    assert write_picture(Image.fromarray(draw_picture(40, 40, 1)), Writing("GIF"))[1] == (
        "GIF holds 256 colours, reduced",
    )
    assert write_picture(Image.fromarray(RAMP), Writing("GIF"))[1] == ()


def test_pictures_are_measured_and_read_without_raw_warnings(tmp_path: Path) -> None:
    """Even where warnings are errors."""
    huge, odd = tmp_path / "huge.png", tmp_path / "odd.jpg"
    huge.write_bytes(png_bytes(np.zeros((9500, 9500), np.uint8), 0, 1))
    Image.new("RGB", (20, 30)).save(odd, exif=b"Exif\0\0" + exif_bytes([])[:4] + b"\xff\xff\0\0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert picture_size(huge) == (9500, 9500)
        assert picture_size(odd) == (20, 30)
        assert picture_size(tmp_path / "none.png") is None
        assert read_picture(odd.read_bytes(), Reading(Limits())).rgb.shape == (30, 20, 3)
