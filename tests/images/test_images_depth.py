"""Samples of 12, 16 and 32 bits and floats come out as they look, or are refused; so does transparency in PNG."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from picture_bytes import png_bytes, short, tiff_bytes
from PIL import Image

from bitstream import Limits
from ddncodec.errors import ImageError
from ddncodec.images.files import Reading, read_picture
from ddncodec.images.pixels import Pixels, pixels_of

READING = Reading(Limits())
RAMP = np.tile(np.linspace(0, 1, 52), (3, 1))
EIGHT = (RAMP * 255 + 0.5).astype(np.uint8)


def read(data: bytes) -> Pixels:
    return read_picture(data, READING)


def pfm(samples: np.ndarray) -> bytes:
    return b"Pf\n52 3\n-1.0\n" + samples.astype("<f4").tobytes()


def pgm(samples: np.ndarray, largest: int) -> bytes:
    return b"P5\n52 3\n%d\n" % largest + samples.astype(">u2").tobytes()


@pytest.mark.parametrize(
    "data",
    [
        tiff_bytes((RAMP * 65535).astype(np.uint16)),
        tiff_bytes((65535 - RAMP * 65535).astype(np.uint16), white_is_zero=True),
        tiff_bytes((RAMP * (2**32 - 1)).astype(np.uint32)),
        tiff_bytes((RAMP * 255).astype(np.int32)),
        tiff_bytes((RAMP * 65535).astype(np.int32)),
        tiff_bytes(RAMP.astype(np.float32)),
        tiff_bytes((1 - RAMP).astype(np.float32), white_is_zero=True),
        tiff_bytes((RAMP * 255).astype(np.float32)),
        tiff_bytes((RAMP * 65535).astype(np.float32)),
        tiff_bytes((RAMP * 65535).astype(np.uint16), [short(274, 1)]),
        pfm(RAMP),
        pgm((RAMP * 65535).astype(int), 65535),
        pgm((RAMP * 4095).astype(int), 4095),
        png_bytes((RAMP * 65535).astype(int), 0, 16),
    ],
    ids=[
        "u16", "u16 white is zero", "u32", "i32 of 8 bits", "i32 of 16 bits", "f32 0..1", "f32 white is zero",
        "f32 0..255", "f32 0..65535", "u16 upright", "PFM", "PGM 65535", "PGM 4095", "PNG 16",
    ],
)  # fmt: skip
def test_files_of_deep_samples_look_as_they_should(data: bytes) -> None:
    pixels = read(data)
    assert pixels.gray
    np.testing.assert_allclose(pixels.rgb[:, :, 0].astype(int), EIGHT, atol=1)
    assert pixels.notices == ("more than 8 bits a sample, reduced to 8",)


@pytest.mark.parametrize("scale", [1, 255, 65535])
def test_pictures_in_memory_are_scaled_by_the_range_that_holds_them(scale: int) -> None:
    kinds = [np.float32] if scale == 1 else [np.float32, np.int32]
    for kind in kinds:
        pixels = pixels_of(Image.fromarray((RAMP * scale).astype(kind)))
        np.testing.assert_allclose(pixels.rgb[:, :, 0].astype(int), EIGHT, atol=1)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (RAMP.astype(np.float32) * np.float32("nan"), "not all finite"),
        (np.where(RAMP > 0.5, np.inf, RAMP).astype(np.float32), "not all finite"),
        (RAMP.astype(np.float32) * 7, "float samples are 0..7"),
        (RAMP.astype(np.float32) * 1e6, "float samples are 0..1e+06"),
        (RAMP.astype(np.float32) - 0.5, "float samples are -0.5..0.5"),
        ((RAMP * 70000).astype(np.int32), "integer samples are 0..70000"),
        ((RAMP * 200).astype(np.int32) - 100, "integer samples are -100..100"),
    ],
)
def test_samples_of_no_usual_range_are_refused_by_name(samples: np.ndarray, message: str) -> None:
    for make in (lambda: pixels_of(Image.fromarray(samples)), lambda: read(tiff_bytes(samples))):
        with pytest.raises(ImageError) as caught:
            make()
        assert message in str(caught.value)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_gray_of_png_is_transparent_at_every_depth(bits: int) -> None:
    samples = np.arange(12).reshape(3, 4) % (1 << bits) * (4096 if bits == 16 else 1)
    key = int(samples[1, 1])
    pixels = read(png_bytes(samples, 0, bits, [(b"tRNS", struct.pack(">H", key))]))
    assert pixels.gray
    np.testing.assert_array_equal(pixels.alpha, np.where(samples == key, 0, 255))
    np.testing.assert_allclose(pixels.rgb[:, :, 0], samples * (255 / ((1 << bits) - 1)), atol=1)


@pytest.mark.parametrize("bits", [8, 16])
def test_the_transparent_colour_of_png_is_transparent(bits: int) -> None:
    samples = np.arange(36).reshape(3, 4, 3) * (257 if bits == 16 else 1) * 7
    pixels = read(png_bytes(samples, 2, bits, [(b"tRNS", struct.pack(">3H", *samples[1, 2].tolist()))]))
    assert pixels.alpha is not None
    assert pixels.alpha[1, 2] == 0
    assert (pixels.alpha == 0).sum() == 1


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("alphas", [b"\0", b"\x80\x40", b"\xff\0"])
def test_transparent_entries_of_palettes_are_alpha(bits: int, alphas: bytes) -> None:
    samples = np.arange(8).reshape(2, 4) % 2
    palette = bytes([255, 0, 0, 0, 0, 255])
    pixels = read(png_bytes(samples, 3, bits, [(b"PLTE", palette), (b"tRNS", alphas)]))
    table = np.frombuffer(alphas.ljust(2, b"\xff"), np.uint8)
    np.testing.assert_array_equal(pixels.alpha, table[samples])
    np.testing.assert_array_equal(pixels.rgb[0, :2], [[255, 0, 0], [0, 0, 255]])


@pytest.mark.parametrize(("color_type", "channels"), [(4, 2), (6, 4)])
@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_channels_of_png_stay_at_both_depths(color_type: int, channels: int, bits: int) -> None:
    samples = np.arange(4 * channels).reshape(2, 2, channels) * 9
    pixels = read(png_bytes(samples * (257 if bits == 16 else 1), color_type, bits))
    np.testing.assert_array_equal(pixels.alpha, samples[:, :, -1])
    assert pixels.gray is (channels == 2)


def test_turning_keeps_the_transparent_sample() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray((RAMP * 65535).astype(np.uint16)).save(file, "PNG", transparency=0, exif=exif)
    pixels = read(file.getvalue())
    assert pixels.alpha is not None
    np.testing.assert_array_equal(pixels.alpha[:, 0] == 0, np.arange(52) == 0)
