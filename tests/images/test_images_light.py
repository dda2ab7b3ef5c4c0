"""Colours by content: profiles whatever they are called, and gAMA, cHRM, cICP and nclx used or noted."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from colour_profiles import steep_profile
from picture_bytes import exif_bytes, png_bytes, text
from PIL import Image, ImageCms

from bitstream import Limits
from ddncodec.images.files import Reading, Writing, read_picture, write_picture
from ddncodec.images.light import SRGB_PRIMARIES
from ddncodec.images.metadata import Metadata
from ddncodec.images.pixels import Pixels, pixels_of, to_image

READING = Reading(Limits())
P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
COLORS = np.random.default_rng(2).integers(0, 256, (8, 9, 3), dtype=np.uint8)


def read(samples: np.ndarray, *chunks: tuple[bytes, bytes], gray: bool = False) -> Pixels:
    return read_picture(png_bytes(samples, 0 if gray else 2, 8, chunks), READING)


def gamma(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100000))


def chromaticities(points: tuple[float, ...]) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(point * 100000) for point in points))


def cicp(*values: int) -> tuple[bytes, bytes]:
    return b"cICP", bytes(values)


def profile_chunk(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"name\0\0" + zlib.compress(profile)


def srgb_curve(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("chunk", [gamma(1.0), cicp(1, 8, 0, 1)], ids=["gAMA", "cICP"])
def test_linear_light_is_converted(gray: bool, chunk: tuple[bytes, bytes]) -> None:
    samples = COLORS[:, :, 0] if gray else COLORS
    pixels = read(samples, chunk, gray=gray)
    assert pixels.gray is gray
    expected = srgb_curve(samples / 255).reshape(8, 9, -1)
    np.testing.assert_allclose(pixels.rgb.astype(float), np.broadcast_to(expected, (8, 9, 3)), atol=0.6)
    assert pixels.notices == ()


@pytest.mark.parametrize(
    "chunks",
    [
        [gamma(1 / 2.2)],
        [gamma(0.45455), chromaticities(SRGB_PRIMARIES)],
        [cicp(1, 13, 0, 1)],
        [cicp(2, 2, 0, 1)],
        [cicp(1, 1, 0, 1)],
        [gamma(1), (b"sRGB", b"\0")],
        [gamma(1), cicp(1, 13, 0, 1)],
    ],
)
def test_what_says_srgb_leaves_pixels_alone(chunks: list[tuple[bytes, bytes]]) -> None:
    pixels = read(COLORS, *chunks)
    np.testing.assert_array_equal(pixels.rgb, COLORS)
    assert pixels.notices == ()


@pytest.mark.parametrize("chunks", [[cicp(12, 13, 0, 1)], [chromaticities(P3)], [gamma(1 / 2.2), chromaticities(P3)]])
def test_wider_primaries_are_converted(chunks: list[tuple[bytes, bytes]]) -> None:
    samples = np.array([[[0, 255, 0], [128, 128, 128], [200, 120, 100]]], np.uint8)
    rgb = read(samples, *chunks).rgb.astype(int)
    np.testing.assert_allclose(rgb[0, 1], 128, atol=1)
    np.testing.assert_allclose(rgb[0, 2], [213, 115, 95], atol=1)  # Display P3 to sRGB
    np.testing.assert_array_equal(rgb[0, 0], [0, 255, 0])


@pytest.mark.parametrize(
    ("chunk", "notice"),
    [
        (cicp(9, 16, 0, 1), "light of PQ (cICP) is not converted, the samples are taken for sRGB"),
        (cicp(9, 18, 0, 1), "light of HLG (cICP) is not converted, the samples are taken for sRGB"),
        (
            cicp(77, 13, 0, 1),
            "light of primaries 77, transfer 13 (cICP) is not converted, the samples are taken for sRGB",
        ),
        (cicp(1, 13, 0, 0), "cICP of narrow range is not used, the samples are taken for sRGB"),
        (cicp(1, 13), "cICP, gAMA or cHRM is of another length and not used"),
        (gamma(0), "gAMA (=0) is not used, must be 0.01..100"),
        (chromaticities((0.3, 0.3) * 4), "cHRM is not used, it names no three colours"),
        (chromaticities((0.3, 0.3, 0.6, 0, *P3[4:])), "cHRM is not used, it names no three colours"),
    ],
)
def test_light_that_is_not_converted_is_noted(chunk: tuple[bytes, bytes], notice: str) -> None:
    pixels = read(COLORS, chunk)
    np.testing.assert_array_equal(pixels.rgb, COLORS)
    assert pixels.notices == (notice,)


def test_pictures_that_a_caller_opened_are_seen_alike() -> None:
    for chunk in (gamma(1.0), cicp(1, 8, 0, 1), cicp(9, 16, 0, 1)):
        data = png_bytes(COLORS, 2, 8, [chunk])
        with Image.open(io.BytesIO(data)) as image:
            opened, expected = pixels_of(image), read_picture(data, READING)
        np.testing.assert_array_equal(opened.rgb, expected.rgb)
        assert opened.notices == expected.notices


def test_a_profile_goes_before_gamma_and_code_points_before_a_profile() -> None:
    only = read(COLORS, profile_chunk(steep_profile()))
    np.testing.assert_array_equal(read(COLORS, profile_chunk(steep_profile()), gamma(1 / 1.8)).rgb, only.rgb)
    linear = read(COLORS, cicp(1, 8, 0, 1))
    both = read(COLORS, profile_chunk(steep_profile()), cicp(1, 8, 0, 1))
    np.testing.assert_array_equal(both.rgb, linear.rgb)
    assert both.metadata.icc == steep_profile()


@pytest.mark.parametrize("name", ["sRGB", "tRGB"])
def test_a_profile_counts_by_what_it_says_whatever_its_name_is(name: str) -> None:
    """The linear profile is called as that of sRGB, and that of sRGB as another."""
    named = {key: key.encode("utf-16-be") for key in ("sRGB", "tRGB")}
    linear = steep_profile().replace(named["tRGB"], named[name])
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes().replace(named["sRGB"], named[name])
    assert named[name] in linear and named[name] in srgb
    for profile, same in ((linear, False), (srgb, True)):
        image = Image.fromarray(COLORS)
        image.info["icc_profile"] = profile
        pixels = pixels_of(image)
        assert bool((pixels.rgb == COLORS).all()) is same
        assert pixels.notices == ()
        data, _ = write_picture(to_image(pixels), Writing("PNG", restore_icc=True))
        with Image.open(io.BytesIO(data)) as back:
            assert np.abs(np.asarray(back).astype(int) - COLORS)[(COLORS > 20).all(axis=2)].max() <= 4


def test_gray_pictures_with_a_profile_of_colours_are_converted() -> None:
    image = Image.fromarray(COLORS[:, :, 0])
    image.info["icc_profile"] = steep_profile()
    pixels = pixels_of(image)
    assert pixels.gray and pixels.notices == ()
    assert (pixels.rgb.astype(int) - COLORS[:, :, :1]).max() > 10


def test_avif_files_of_high_dynamic_range_are_noted() -> None:
    file = io.BytesIO()
    Image.fromarray(COLORS).save(file, "AVIF", quality=100)
    data = file.getvalue()
    at = data.index(b"colrnclx") + 8
    assert read_picture(data, READING).notices == ()
    hdr = data[:at] + struct.pack(">2H", 9, 16) + data[at + 4 :]
    assert [notice.partition(" (")[0] for notice in read_picture(hdr, READING).notices] == ["light of PQ"]


def test_adobe_rgb_by_exif_alone_is_noted() -> None:
    """DCF 2.0 marks it by R03 in the interoperability directory."""
    inner = exif_bytes([text(1, "R03")])[8:]
    exif = (
        exif_bytes([text(271, "Maker")], {0x8769: [(0xA005, 4, 1, struct.pack("<I", 400))]}).ljust(400, b"\0") + inner
    )
    image = Image.fromarray(COLORS)
    image.info["exif"] = exif
    assert [notice.partition(",")[0] for notice in pixels_of(image).notices] == [
        "EXIF says Adobe RGB without a profile"
    ]
    image.info["icc_profile"] = steep_profile()
    assert pixels_of(image).notices == ()


def test_what_a_stream_keeps_and_a_format_cannot_hold_is_noted() -> None:
    image = to_image(Pixels(COLORS, False, None, Metadata(exif=exif_bytes([text(271, "Maker")]), xmp=b"<x/>")))
    for name in ("BMP", "PPM", "GIF", "TGA"):
        assert write_picture(image, Writing(name))[1][0] == f"{name} holds no EXIF and XMP, which the stream has"
    for name in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF"):
        assert write_picture(image, Writing(name))[1] == ()
