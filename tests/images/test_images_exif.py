"""Kept EXIF: what it says stays in its types, and nothing in it changes what the picture's file says."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from drawing import draw_picture
from picture_bytes import LONG, RATIONAL, UNDEFINED, exif_bytes, long, short, text, tiff_bytes
from PIL import ExifTags, Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from bitstream import Limits
from ddncodec.images.exif import (
    EXIF_IFD,
    GPS_IFD,
    ORIENTATION,
    PIXEL_HEIGHT,
    PIXEL_WIDTH,
    PREFIX,
    STRUCTURE,
    Entry,
    ExifError,
    kept,
    of_tiff,
    orientation_of,
    read_directory,
)
from ddncodec.images.files import Reading, Writing, read_picture, write_picture
from ddncodec.images.metadata import Metadata
from ddncodec.images.pixels import Pixels, to_image

READING = Reading(Limits())
RGB = draw_picture(24, 40, 1)
MAKER, MAKER_NOTE = 271, 37500
DESCRIPTION = exif_bytes(
    [text(MAKER, "Maker"), text(315, "José")],
    {
        EXIF_IFD: [
            (MAKER_NOTE, UNDEFINED, 9, b"NOTE\0\1\2\3\4"),
            (33434, RATIONAL, 1, struct.pack("<II", 1, 250)),
            long(PIXEL_WIDTH, 40),
            short(PIXEL_HEIGHT, 24),
        ],
        GPS_IFD: [(1, 2, 2, b"N\0"), (2, RATIONAL, 3, struct.pack("<6I", 52, 1, 31, 1, 12, 1))],
    },
)


def jpeg(exif: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, "JPEG", quality=98, exif=PREFIX + exif)
    return file.getvalue()


def written(exif: bytes | None, name: str, xmp: bytes | None = None) -> tuple[bytes, tuple[str, ...]]:
    return write_picture(to_image(Pixels(RGB, False, None, Metadata(exif=exif, xmp=xmp))), Writing(name))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_exif_of_whatever_bytes_refuses_no_picture(name: str) -> None:
    random, file = np.random.default_rng(5), io.BytesIO()
    placeholder = exif_bytes([text(MAKER, "a maker of a name that is long enough to be replaced")])
    Image.fromarray(RGB).save(file, name, quality=90, exif=PREFIX + placeholder)
    data = file.getvalue()
    assert placeholder in data
    for number in range(40):
        start = (b"", b"II*\0", b"MM\0*", b"II*\0\x08\0\0\0")[number % 4]
        odd = (start + random.bytes(len(placeholder)))[: len(placeholder)]
        assert sorted(read_picture(data.replace(placeholder, odd), READING).rgb.shape) == [3, 24, 40]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_are_kept_upright_with_their_sizes_swapped(orientation: int, order: str) -> None:
    below = {EXIF_IFD: [long(PIXEL_WIDTH, 40, order), short(PIXEL_HEIGHT, 24, order)]}
    pixels = read_picture(jpeg(exif_bytes([short(ORIENTATION, orientation, order)], below, order)), READING)
    height, width = pixels.rgb.shape[:2]
    assert (height, width) == ((24, 40) if orientation < 5 else (40, 24))
    with Image.open(io.BytesIO(jpeg(exif_bytes([short(ORIENTATION, orientation, order)], order=order)))) as image:
        np.testing.assert_array_equal(pixels.rgb, np.asarray(ImageOps.exif_transpose(image)))
    found = read_directory(pixels.metadata.exif or b"")
    assert found[ORIENTATION] == Entry(3, 1, b"\1\0")
    below_found = found[EXIF_IFD]
    assert isinstance(below_found, dict)
    assert below_found[PIXEL_WIDTH] == Entry(LONG, 1, struct.pack("<I", width))
    assert below_found[PIXEL_HEIGHT] == Entry(3, 1, struct.pack("<H", height))


def test_all_but_the_turn_stays_byte_by_byte() -> None:
    turned = exif_bytes(
        [text(MAKER, "Maker"), short(ORIENTATION, 3)], {EXIF_IFD: [(MAKER_NOTE, 7, 9, b"NOTE\0\1\2\3\4")]}
    )
    upright = kept(turned, 40, 24)
    assert sum(a != b for a, b in zip(turned, upright, strict=True)) == 1
    assert kept(upright, 40, 24) == upright
    assert kept(DESCRIPTION, 40, 24) == DESCRIPTION


def test_the_thumbnail_goes_where_it_would_lie_on_its_side() -> None:
    for orientation, stays in ((1, True), (6, False)):
        exif = exif_bytes([short(ORIENTATION, orientation)], thumbnail=True)
        image = Image.Exif()
        image.load(kept(exif, 40, 24))
        assert (259 in image.get_ifd(ExifTags.IFD.IFD1)) is stays


ODD = {
    "text": (2, 3, b"72\0"), "byte": (1, 1, b"H"), "negative": (10, 1, struct.pack("<ii", -72, 1)),
    "no denominator": (5, 1, struct.pack("<II", 72, 0)), "nan": (12, 1, struct.pack("<d", float("nan"))),
    "empty": (3, 0, b""), "many": (3, 3, bytes(6)), "beyond the end": (4, 1 << 20, bytes(4)),
    "of no type": (99, 1, b"!"), "70000": (4, 1, struct.pack("<I", 70000)),
    "negative integer": (9, 1, struct.pack("<i", -5)),
}  # fmt: skip
INTERPRETED = (256, 257, 258, 259, 262, 273, 274, 277, 282, 283, 296, 306, 531, 34665, 34853)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_odd_values_refuse_no_picture_and_turn_none(odd: str, name: str) -> None:
    for tag in INTERPRETED:
        fields = sorted([(tag, *ODD[odd]), *([] if tag == ORIENTATION else [short(ORIENTATION, 6)])])
        pixels = read_picture(jpeg(exif_bytes(fields)), READING)
        assert pixels.rgb.shape == ((24, 40, 3) if tag == ORIENTATION else (40, 24, 3)), tag
        data, _ = write_picture(to_image(pixels), Writing(name))
        again = read_picture(data, READING)
        assert again.rgb.shape == pixels.rgb.shape, tag
        assert np.abs(again.rgb.astype(int) - pixels.rgb).mean() < 12, tag


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_no_tag_of_structure_reaches_a_file(name: str) -> None:
    """Also where a stream has it, which another program may have written."""
    plain, _ = written(None, name)
    for tag in sorted(STRUCTURE - set(range(65003, 65536)) - set(range(48140, 48320))):
        exif = exif_bytes(sorted([short(tag, 3), text(MAKER, "Maker"), short(ORIENTATION, 8)]))
        data, notices = written(exif, name)
        with Image.open(io.BytesIO(data)) as image, Image.open(io.BytesIO(plain)) as expected:
            assert notices == ()
            assert image.getexif().get(MAKER) == "Maker", tag
            np.testing.assert_array_equal(np.asarray(image), np.asarray(expected), str(tag))
            assert image.getexif().get(ORIENTATION, 1) == 1
            if name != "TIFF":
                assert tag not in image.getexif()


def test_tiff_files_say_what_the_exif_says_in_its_types() -> None:
    xmp = b"<x:xmpmeta/>"
    for order in ("<", ">"):
        exif = exif_bytes(
            [text(MAKER, "Maker")],
            {EXIF_IFD: [(MAKER_NOTE, UNDEFINED, 4, b"\1\2\3\4"), (37380, 10, 1, struct.pack(order + "ii", -1, 3))]},
            order,
        )
        data, notices = written(exif, "TIFF", xmp)
        assert notices == ()
        found = read_directory(data)
        assert found[MAKER] == Entry(2, 6, b"Maker\0")
        assert found[700] == Entry(1, len(xmp), xmp)
        assert found[EXIF_IFD] == {
            MAKER_NOTE: Entry(7, 4, b"\1\2\3\4"),
            37380: Entry(10, 1, struct.pack("<ii", -1, 3)),
        }
        with Image.open(io.BytesIO(data)) as image:
            np.testing.assert_array_equal(np.asarray(image), RGB)


def test_tiff_files_and_their_exif_go_round() -> None:
    data, _ = written(DESCRIPTION, "TIFF")
    exif = read_picture(data, READING).metadata.exif
    assert exif is not None
    assert read_directory(exif) == read_directory(DESCRIPTION)
    assert of_tiff(tiff_bytes(RGB[:, :, 0])) is None


@pytest.mark.parametrize("keyword", ["exif", "APP1"])
@pytest.mark.parametrize("kind", ["tEXt", "zTXt"])
def test_profiles_that_imagemagick_writes_into_png_are_kept(keyword: str, kind: str) -> None:
    raw, info, file = PREFIX + DESCRIPTION, PngInfo(), io.BytesIO()
    digits = raw.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    info.add_text(f"Raw profile type {keyword}", f"\n{keyword}\n{len(raw):8}\n{lines}\n", zip=kind == "zTXt")
    Image.fromarray(RGB).save(file, "PNG", pnginfo=info)
    assert read_picture(file.getvalue(), READING).metadata.exif == DESCRIPTION


@pytest.mark.parametrize("data", [b"", b"II*\0", b"nothing of the kind", b"II\0\0" + bytes(40), b"MM\0*\0\0\xff\xff"])
def test_what_is_no_exif_is_not_kept_and_said_so(data: bytes) -> None:
    pixels = read_picture(jpeg(data), READING)
    assert pixels.rgb.shape == RGB.shape
    if data[:4] == b"MM\0*":
        assert orientation_of(data) is None
        return
    assert pixels.metadata.exif is None
    assert [kind for kind, _ in pixels.unkept] == (["exif"] if data else [])
    with pytest.raises(ExifError):
        kept(data, 40, 24)


@pytest.mark.filterwarnings("ignore")
def test_mutated_exif_neither_refuses_nor_turns() -> None:
    random = np.random.default_rng(3)
    source = exif_bytes(
        [text(MAKER, "Maker"), short(ORIENTATION, 6), long(257, 9)], {EXIF_IFD: [long(PIXEL_WIDTH, 40)]}
    )
    for _ in range(2000):
        data = bytearray(source)
        for _ in range(random.integers(1, 5)):
            data[random.integers(4, len(data))] = random.integers(256)
        try:
            exif = kept(bytes(data), 24, 40)
        except ExifError:
            continue
        assert orientation_of(exif) in (None, 1)
        image = Image.Exif()
        try:
            image.load(exif)
            assert image.get(ORIENTATION, 1) == 1
        except (SyntaxError, struct.error, KeyError, TypeError, ValueError, EOFError):
            pass


def test_xmp_says_upright_and_the_size_as_well() -> None:
    file = io.BytesIO()
    xmp = b'<x tiff:Orientation="6" exif:PixelXDimension="40"><exif:PixelYDimension>24</exif:PixelYDimension></x>'
    Image.fromarray(RGB).save(file, "JPEG", quality=98, xmp=xmp)
    pixels = read_picture(file.getvalue(), READING)
    assert pixels.rgb.shape == (40, 24, 3)
    assert pixels.metadata.xmp == (
        b'<x tiff:Orientation="1" exif:PixelXDimension="24"><exif:PixelYDimension>40</exif:PixelYDimension></x>'
    )
