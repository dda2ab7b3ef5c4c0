"""Pictures and metadata are read and written by other libraries; over damaged ones these raise anything."""

from __future__ import annotations

import io

import numpy as np
import pytest
from colour_profiles import steep_profile
from drawing import draw_picture
from PIL import Image
from trust_cases import mutated

from bitstream import BitstreamError, Limits
from ddncodec.errors import DdncError
from ddncodec.images.files import METADATA_FORMATS, Reading, Writing, read_picture, write_picture
from ddncodec.images.metadata import Metadata
from ddncodec.images.pixels import Pixels, to_image

LIMITS = Limits(max_pixels=1 << 20)
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")


def described() -> bytes:
    """EXIF that turns a picture."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0112], exif[0x8769] = "a description", 6, {0x9003: "2026:11:22 10:00:00"}
    return exif.tobytes()


def files() -> list[bytes]:
    """A picture in every format, with EXIF and a profile where the format holds them."""
    picture, made = Image.fromarray(draw_picture(30, 40, 1)), []
    for name in FORMATS:
        options = {"exif": described(), "icc_profile": steep_profile()} if name in METADATA_FORMATS else {}
        file = io.BytesIO()
        picture.save(file, name, **options)
        made.append(file.getvalue())
    return made


def test_damaged_pictures_are_typed_errors_or_pictures() -> None:
    random = np.random.default_rng(6)
    sources, exif = files(), described()
    refused = 0
    for number in range(90 * len(sources)):
        source = sources[number % len(sources)]
        if number % 3 == 0 and exif in source:  # the same number of bytes, so that what holds them stays whole
            data = source.replace(exif, mutated(random, exif).ljust(len(exif), b"\0")[: len(exif)])
        else:
            data = mutated(random, source[:80]) + source[80:] if number % 3 == 1 else mutated(random, source)
        try:
            pixels = read_picture(data, Reading(LIMITS, first_frame=True))
        except (DdncError, BitstreamError) as error:
            refused += 1
            assert str(error)
        else:
            assert pixels.rgb.dtype == np.uint8
            assert pixels.rgb.shape[0] * pixels.rgb.shape[1] <= LIMITS.max_pixels
    assert 100 < refused < 90 * len(sources) - 100


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(METADATA_FORMATS - {"AVIF", "HEIF", "JXL"}))
def test_damaged_metadata_is_embedded_or_left_out(name: str) -> None:
    random = np.random.default_rng(7)
    exif, rgb = described().removeprefix(b"Exif\0\0"), draw_picture(20, 30, 2)
    for _ in range(200):
        metadata = Metadata(mutated(random, steep_profile()), mutated(random, exif), mutated(random, b"<x:xmpmeta/>"))
        image = to_image(Pixels(rgb, False, None, metadata))
        data, _ = write_picture(image, Writing(name))
        with Image.open(io.BytesIO(data)) as back:
            assert sorted(back.size) == [20, 30]  # TIFF shows what damaged EXIF says to turn as turned
        try:
            write_picture(image, Writing(name, restore_icc=True))
        except DdncError as error:
            assert "ICC profile cannot be restored" in str(error)


def test_metadata_too_long_for_a_format_is_left_out_with_a_note() -> None:
    image = to_image(Pixels(draw_picture(20, 30, 2), False, None, Metadata(xmp=b"<" + bytes(70_000) + b">")))
    data, notices = write_picture(image, Writing("JPEG"))
    assert notices == ("written without EXIF and XMP: XMP data is too long",)
    assert Image.open(io.BytesIO(data)).size == (30, 20)
    assert write_picture(image, Writing("PNG"))[1] == ()
