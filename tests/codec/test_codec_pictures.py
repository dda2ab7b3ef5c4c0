"""What callers hand over becomes 8-bit RGB: modes, depths, transparency, orientation, and refusals."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ddncodec.errors import ImageError
from ddncodec.pictures import MAX_SIDE, to_image, to_pixels

RANDOM = np.random.default_rng(0)
PLANE = RANDOM.integers(0, 256, (5, 7), dtype=np.uint8)
COLOR = RANDOM.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def test_rgb_arrays_and_pictures_pass_unchanged() -> None:
    for picture in (COLOR, Image.fromarray(COLOR)):
        pixels = to_pixels(picture)
        assert not pixels.gray
        np.testing.assert_array_equal(pixels.rgb, COLOR)


@pytest.mark.parametrize("picture", [PLANE, PLANE[:, :, None], Image.fromarray(PLANE)], ids=["HW", "HW1", "L"])
def test_gray_becomes_three_equal_planes(picture: np.ndarray | Image.Image) -> None:
    pixels = to_pixels(picture)
    assert pixels.gray
    np.testing.assert_array_equal(pixels.rgb, np.repeat(PLANE[:, :, None], 3, axis=2))
    assert to_image(pixels.rgb, pixels.gray).mode == "L"


def test_one_bit_pictures_are_gray() -> None:
    pixels = to_pixels(Image.fromarray(PLANE > 128))
    assert pixels.gray
    assert set(np.unique(pixels.rgb)) == {0, 255}


def test_palettes_become_rgb() -> None:
    pixels = to_pixels(Image.fromarray(COLOR).quantize(16))
    assert not pixels.gray
    assert pixels.rgb.shape == COLOR.shape


def test_sixteen_bit_gray_keeps_its_upper_byte() -> None:
    deep = PLANE.astype(np.uint16) * 256 + 77
    pixels = to_pixels(Image.fromarray(deep))
    assert pixels.gray
    np.testing.assert_array_equal(pixels.rgb[:, :, 0], PLANE)


def test_transparency_is_laid_over_white() -> None:
    rgba = np.dstack([COLOR, np.full((5, 7), 255, np.uint8)])
    rgba[0, 0, 3], rgba[0, 1] = 0, (0, 0, 0, 128)
    pixels = to_pixels(Image.fromarray(rgba))
    assert not pixels.gray
    np.testing.assert_array_equal(pixels.rgb[0, 0], [255, 255, 255])
    assert abs(int(pixels.rgb[0, 1, 0]) - 127) <= 1
    np.testing.assert_array_equal(pixels.rgb[1:], COLOR[1:])


def test_gray_with_transparency_stays_gray() -> None:
    alpha = np.full((5, 7), 255, np.uint8)
    alpha[2, 3] = 0
    pixels = to_pixels(Image.merge("LA", [Image.fromarray(PLANE), Image.fromarray(alpha)]))
    assert pixels.gray
    assert (pixels.rgb[2, 3] == 255).all()
    np.testing.assert_array_equal(pixels.rgb[3:, :, 1], PLANE[3:])


def test_orientation_is_applied() -> None:
    image, exif = Image.fromarray(COLOR), Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "PNG", exif=exif)
    file.seek(0)
    pixels = to_pixels(Image.open(file))
    np.testing.assert_array_equal(pixels.rgb, np.rot90(COLOR, -1))


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (COLOR.astype(np.float32), "dtype float32"),
        (COLOR.astype(np.uint16), "dtype uint16"),
        (np.zeros((4, 4, 4), np.uint8), "shape (4, 4, 4)"),
        (np.zeros((4,), np.uint8), "shape (4,)"),
        (np.zeros((1, 4, 4, 3), np.uint8), "shape (1, 4, 4, 3)"),
        (np.zeros((0, 4, 3), np.uint8), "height (=0)"),
        (np.zeros((4, 0), np.uint8), "width (=0)"),
        (np.zeros((1, MAX_SIDE + 1), np.uint8), f"width (={MAX_SIDE + 1})"),
        (b"bytes", "`image` is a bytes"),
        ([[1]], "`image` is a list"),
    ],
)
def test_what_is_no_picture_is_refused(picture: object, message: str) -> None:
    with pytest.raises(ImageError) as caught:
        to_pixels(picture)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_torn_files_are_refused() -> None:
    file = io.BytesIO()
    Image.fromarray(RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(file, "PNG")
    torn = Image.open(io.BytesIO(file.getvalue()[:2000]))
    with pytest.raises(ImageError):
        to_pixels(torn)
