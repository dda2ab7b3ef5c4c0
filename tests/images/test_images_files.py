"""Picture files: what counts as one, and reading without Pillow's limit for the whole program."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bitstream import LimitError, Limits
from ddncodec.errors import ImageError
from ddncodec.images.files import Reading, is_picture, open_picture, read_picture


def file_of(name: str, width: int = 30, height: int = 20) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, name)
    return file.getvalue()


@pytest.mark.parametrize("name", ["PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "TGA", "WEBP"])
def test_formats_are_recognised_as_pillow_does(name: str) -> None:
    data = file_of(name)
    with open_picture(io.BytesIO(data)) as ours, Image.open(io.BytesIO(data)) as theirs:
        assert (type(ours), ours.format, ours.size, ours.mode) == (
            type(theirs), theirs.format, theirs.size, theirs.mode,
        )  # fmt: skip
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_the_limit_is_the_callers_and_pillows_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_picture(file_of("PNG"), Reading(Limits(max_pixels=600))).rgb.shape == (20, 30, 3)
    with pytest.raises(LimitError, match="max_pixels is 599"):
        read_picture(file_of("PNG"), Reading(Limits(max_pixels=599)))
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize("data", [b"", b"hello, world" * 9, b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_a_typed_error(data: bytes) -> None:
    with pytest.raises(ImageError, match="not a picture"):
        read_picture(data, Reading(Limits()))


def test_suffixes_say_what_is_a_picture() -> None:
    assert is_picture("a/b.JPG") and is_picture("b.tiff")
    assert not is_picture("b.txt") and not is_picture("jpg") and not is_picture("a.png/b")
