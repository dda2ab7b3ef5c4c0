"""Texts, profiles and metadata next to the pixels refuse no picture, however large or damaged they are."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from colour_profiles import steep_profile
from picture_bytes import png_bytes, png_chunk
from PIL import Image

from bitstream import Limits
from ddncodec.errors import ImageError
from ddncodec.images.containers import MAX_UNPACKED, slim_png, without_metadata
from ddncodec.images.files import Reading, read_picture

READING = Reading(Limits())
COLORS = np.random.default_rng(4).integers(0, 256, (9, 8, 3), dtype=np.uint8)
LARGE = zlib.compress(bytes(MAX_UNPACKED + 1))
MIDDLE = zlib.compress(bytes(2_000_000))


@pytest.mark.parametrize(
    "chunk",
    [
        (b"zTXt", b"Comment\0\0" + MIDDLE),
        (b"zTXt", b"Comment\0\7" + b"of no method"),
        (b"zTXt", b"Raw profile type exif\0\0" + LARGE),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LARGE),
        (b"iTXt", b"XML:com.adobe.xmp\0"),
        (b"tEXt", b"Raw profile type exif\0\nexif\n   4\nzzzz\n"),
        (b"tEXt", b"Raw profile type APP1\0"),
        (b"tEXt", b"transparency\0yes"),
        (b"tEXt", b"icc_profile\0none"),
        (b"tEXt", b"exif\0none"),
        (b"tEXt", b"xmp\0none"),
        (b"tEXt", b"gamma\0none"),
        (b"iCCP", b"icc\0\0" + LARGE),
        (b"iCCP", b"icc\0\7" + MIDDLE),
        (b"iCCP", b"icc"),
        (b"eXIf", b""),
        (b"gAMA", b"\0"),
        (b"cHRM", b"\0" * 5),
        (b"pHYs", b""),
        (b"sRGB", b""),
        (b"tIME", b"\0"),
        (b"vpAg", bytes(3)),
    ],
    ids=lambda chunk: f"{chunk[0].decode()}-{chunk[1][:12]!r}",
)
def test_odd_chunks_next_to_the_pixels_of_png_do_not_matter(chunk: tuple[bytes, bytes]) -> None:
    pixels = read_picture(png_bytes(COLORS, 2, 8, [chunk]), READING)
    assert pixels.alpha is None
    np.testing.assert_array_equal(pixels.rgb, COLORS)


def test_chunks_of_wrong_checksums_are_ignored_next_to_pixels_and_refused_in_them() -> None:
    data = png_bytes(COLORS, 2, 8, [(b"tEXt", b"Comment\0hello")])
    comment = data.index(b"hello")
    np.testing.assert_array_equal(read_picture(data[:comment] + b"H" + data[comment + 1 :], READING).rgb, COLORS)
    pixels = data.index(b"IDAT") + 8
    with pytest.raises(ImageError, match=r"picture cannot be decoded: \w"):
        read_picture(data[:pixels] + bytes([data[pixels] ^ 1]) + data[pixels + 1 :], READING)


def test_large_profiles_are_used() -> None:
    profile = steep_profile()
    body = b"name\0\0" + zlib.compress(profile + bytes(2_000_000))
    pixels = read_picture(png_bytes(COLORS, 2, 8, [(b"iCCP", body)]), READING)
    assert pixels.metadata.icc is not None and pixels.metadata.icc.startswith(profile)
    assert np.abs(pixels.rgb.astype(int) - COLORS).max() > 10


def test_what_cannot_be_read_is_said_of_the_kind_that_it_is() -> None:
    chunks = [(b"iCCP", b"icc\0\0" + LARGE), (b"tEXt", b"Raw profile type exif\0\nexif\n   4\nzzzz\n")]
    assert [kind for kind, _ in read_picture(png_bytes(COLORS, 2, 8, chunks), READING).unkept] == ["icc", "exif"]


def test_palettes_that_are_missing_are_refused_with_a_reason() -> None:
    with pytest.raises(ImageError) as caught:
        read_picture(png_bytes(COLORS[:, :, 0], 3), READING)
    assert str(caught.value).rpartition(": ")[2]


@pytest.mark.parametrize("name", ["JPEG", "WEBP", "TIFF"])
def test_without_metadata_pixels_and_turn_are_the_same(name: str) -> None:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112], exif[271] = 6, "Maker"
    Image.fromarray(COLORS).save(file, name, exif=exif, xmp=b"<x/>", icc_profile=steep_profile(), dpi=(72, 72))
    slim = without_metadata(file.getvalue())
    assert slim is not None
    with Image.open(io.BytesIO(file.getvalue())) as image, Image.open(io.BytesIO(slim.data)) as bare:
        np.testing.assert_array_equal(np.asarray(bare), np.asarray(image))
        assert bare.info["icc_profile"] == steep_profile()
        assert "xmp" not in bare.info
        if name != "TIFF":
            assert slim.info["exif"].removeprefix(b"Exif\0\0") == exif.tobytes().removeprefix(b"Exif\0\0")


def test_metadata_that_pillow_stumbles_over_is_left_out_with_a_note() -> None:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.fromarray(COLORS).save(file, "JPEG", quality=95, exif=exif)
    data = file.getvalue()
    broken = b"\xff\xe2" + struct.pack(">H", 30) + b"MPF\0" + bytes(24)
    assert read_picture(data[:2] + broken + data[2:], READING).rgb.shape == (8, 9, 3)
    odd_unit = io.BytesIO()
    Image.fromarray(COLORS).save(odd_unit, "TIFF", resolution_unit=3, x_resolution=72, y_resolution=72)
    tiff = odd_unit.getvalue()
    entry = tiff.index(struct.pack("<HH", 282, 5))
    pixels = read_picture(tiff[: entry + 2] + struct.pack("<HI4s", 2, 3, b"72\0") + tiff[entry + 12 :], READING)
    np.testing.assert_array_equal(pixels.rgb, COLORS)
    assert pixels.notices == ("metadata is damaged, the picture is read without it",)


def test_slim_png_keeps_what_pixels_are_made_of() -> None:
    data = png_bytes(COLORS[:, :, 0] % 2, 3, 8, [(b"PLTE", bytes(6)), (b"tRNS", b"\0"), (b"tEXt", b"a\0b")])
    assert slim_png(data).data == data.replace(png_chunk(b"tEXt", b"a\0b"), b"")
    assert slim_png(data[:-5]).data == data.replace(png_chunk(b"tEXt", b"a\0b"), b"")[:-5]
