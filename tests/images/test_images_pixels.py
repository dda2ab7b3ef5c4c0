"""What callers hand over becomes 8-bit RGB: modes, depths, transparency, orientation, and refusals."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from colour_profiles import steep_profile
from PIL import Image, ImageCms

from ddncodec.errors import ArgumentError, ImageError
from ddncodec.images.pixels import MAX_SIDE, pixels_of, to_array, to_image

RANDOM = np.random.default_rng(0)
PLANE = RANDOM.integers(0, 256, (5, 7), dtype=np.uint8)
COLOR = RANDOM.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def test_rgb_arrays_and_pictures_pass_unchanged() -> None:
    for picture in (COLOR, Image.fromarray(COLOR)):
        pixels = pixels_of(picture)
        assert not pixels.gray
        np.testing.assert_array_equal(pixels.rgb, COLOR)


@pytest.mark.parametrize("picture", [PLANE, PLANE[:, :, None], Image.fromarray(PLANE)], ids=["HW", "HW1", "L"])
def test_gray_becomes_three_equal_planes(picture: np.ndarray | Image.Image) -> None:
    pixels = pixels_of(picture)
    assert pixels.gray
    np.testing.assert_array_equal(pixels.rgb, np.repeat(PLANE[:, :, None], 3, axis=2))
    assert to_image(pixels).mode == "L"
    np.testing.assert_array_equal(to_array(pixels), PLANE)


def test_one_bit_pictures_are_gray() -> None:
    pixels = pixels_of(Image.fromarray(PLANE > 128))
    assert pixels.gray
    assert set(np.unique(pixels.rgb)) == {0, 255}


def test_palettes_become_rgb() -> None:
    pixels = pixels_of(Image.fromarray(COLOR).quantize(16))
    assert not pixels.gray
    assert pixels.rgb.shape == COLOR.shape


def test_sixteen_bit_gray_keeps_its_upper_byte() -> None:
    deep = PLANE.astype(np.uint16) * 256 + 77
    pixels = pixels_of(Image.fromarray(deep))
    assert pixels.gray
    np.testing.assert_array_equal(pixels.rgb[:, :, 0], PLANE)


RGBA = np.dstack([COLOR, np.arange(35, dtype=np.uint8).reshape(5, 7) * 7])


@pytest.mark.parametrize("picture", [RGBA, Image.fromarray(RGBA)], ids=["array", "PIL"])
def test_alpha_is_kept_as_it_is(picture: np.ndarray | Image.Image) -> None:
    pixels = pixels_of(picture)
    assert not pixels.gray
    np.testing.assert_array_equal(pixels.rgb, COLOR)
    np.testing.assert_array_equal(to_array(pixels), RGBA)
    assert to_image(pixels).mode == "RGBA"


def test_alpha_that_hides_nothing_is_dropped() -> None:
    for picture in (np.dstack([COLOR, np.full((5, 7), 255, np.uint8)]), Image.fromarray(COLOR).convert("RGBA")):
        assert pixels_of(picture).alpha is None


def test_gray_with_transparency_stays_gray() -> None:
    both = np.dstack([PLANE, RGBA[:, :, 3]])
    for picture in (both, Image.fromarray(both)):
        pixels = pixels_of(picture)
        assert pixels.gray
        np.testing.assert_array_equal(to_array(pixels), both)
        assert to_image(pixels).mode == "LA"


def test_transparent_colours_of_palettes_are_alpha() -> None:
    file = io.BytesIO()
    image = Image.new("P", (3, 1))
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    for x in range(3):
        image.putpixel((x, 0), x)
    image.save(file, "PNG", transparency=1)
    pixels = pixels_of(Image.open(file))
    np.testing.assert_array_equal(pixels.alpha, [[255, 0, 255]])


def test_a_background_takes_the_place_of_alpha() -> None:
    rgba = RGBA.copy()
    rgba[0, 0, 3], rgba[0, 1], rgba[1:, :, 3] = 0, (0, 0, 0, 128), 255
    pixels = pixels_of(rgba, "#ff8000")
    assert pixels.alpha is None
    np.testing.assert_array_equal(pixels.rgb[0, :2], [[255, 128, 0], [127, 64, 0]])
    np.testing.assert_array_equal(pixels.rgb[1:], COLOR[1:])


@pytest.mark.parametrize(("background", "gray"), [("white", True), ("#808080", True), ("red", False)])
def test_gray_over_a_gray_background_stays_gray(background: str, gray: bool) -> None:
    assert pixels_of(np.dstack([PLANE, RGBA[:, :, 3]]), background).gray is gray


def test_backgrounds_are_checked_even_for_opaque_pictures() -> None:
    with pytest.raises(ArgumentError, match="'no colour'"):
        pixels_of(COLOR, "no colour")


def test_deep_samples_and_cmyk_are_converted_with_a_notice() -> None:
    cmyk = pixels_of(Image.fromarray(COLOR).convert("CMYK"))
    assert cmyk.notices == ("CMYK converted to sRGB",)
    np.testing.assert_allclose(cmyk.rgb.astype(int), COLOR.astype(int), atol=1)
    assert pixels_of(Image.fromarray(PLANE.astype(np.uint16) * 257)).notices == (
        "more than 8 bits a sample, reduced to 8",
    )
    assert pixels_of(Image.fromarray(COLOR)).notices == ()


def test_sixteen_bit_colour_is_noticed_although_pillow_reduces_it() -> None:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in COLOR.reshape(5, 21).astype(np.uint16) * 257)
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 7, 5, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
    pixels = pixels_of(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(pixels.rgb, COLOR)
    assert pixels.notices == ("more than 8 bits a sample, reduced to 8",)


def test_colour_profiles_are_converted_to_srgb() -> None:
    image = Image.fromarray(COLOR)
    image.info["icc_profile"] = steep_profile()
    pixels = pixels_of(image)
    assert np.abs(pixels.rgb.astype(int) - COLOR).max() > 10
    assert pixels.metadata.icc == steep_profile()
    assert pixels.notices == ()


def test_srgb_pictures_and_unusable_profiles_leave_pixels_alone() -> None:
    image = Image.fromarray(COLOR)
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert pixels_of(image).notices == ()
    np.testing.assert_array_equal(pixels_of(image).rgb, COLOR)
    image.info["icc_profile"] = b"no profile"
    pixels = pixels_of(image)
    assert [notice.partition(":")[0] for notice in pixels.notices] == ["ICC profile is not used"]
    np.testing.assert_array_equal(pixels.rgb, COLOR)


def test_alpha_survives_a_colour_profile() -> None:
    image = Image.fromarray(RGBA)
    image.info["icc_profile"] = steep_profile()
    np.testing.assert_array_equal(pixels_of(image).alpha, RGBA[:, :, 3])


def test_orientation_is_applied() -> None:
    image, exif = Image.fromarray(COLOR), Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "PNG", exif=exif)
    file.seek(0)
    pixels = pixels_of(Image.open(file))
    np.testing.assert_array_equal(pixels.rgb, np.rot90(COLOR, -1))
    stored = Image.Exif()
    stored.load(pixels.metadata.exif)
    assert stored[0x0112] == 1


def test_exif_of_upright_pictures_and_xmp_are_kept_as_they_are() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    for suffix in ("JPEG", "WEBP", "PNG"):
        file = io.BytesIO()
        Image.fromarray(COLOR).save(file, suffix, exif=exif, xmp=b"<x:xmpmeta/>")
        metadata = pixels_of(Image.open(file)).metadata
        assert metadata.exif == exif.tobytes().removeprefix(b"Exif\x00\x00")
        assert metadata.xmp == (None if suffix == "PNG" else b"<x:xmpmeta/>")


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (COLOR.astype(np.float32), "dtype float32"),
        (COLOR.astype(np.uint16), "dtype uint16"),
        (np.zeros((4, 4, 5), np.uint8), "shape (4, 4, 5)"),
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
        pixels_of(picture)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_torn_files_are_refused() -> None:
    file = io.BytesIO()
    Image.fromarray(RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(file, "PNG")
    torn = Image.open(io.BytesIO(file.getvalue()[:2000]))
    with pytest.raises(ImageError):
        pixels_of(torn)
