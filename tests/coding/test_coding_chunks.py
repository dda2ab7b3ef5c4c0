"""Alpha and metadata travel as chunks: unharmed, on request, and refused where they are damaged."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from colour_profiles import steep_profile
from PIL import Image

import bitstream
from bitstream import Chunk, ChunkType
from ddncodec.codec import Codec
from ddncodec.coding.chunks import alpha_chunks, read_alpha, starts_with_alpha
from ddncodec.errors import ArgumentError
from ddncodec.images.metadata import METADATA_KINDS

Draw = Callable[[int, int, int], np.ndarray]


@pytest.fixture(scope="session")
def transparent(drawn_picture: Draw) -> np.ndarray:
    """A picture with soft and hard edges of alpha, (24, 40, 4) uint8."""
    alpha = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (24, 1))
    alpha[:8] = 0
    return np.dstack([drawn_picture(24, 40, 60), alpha])


@pytest.fixture
def described() -> Image.Image:
    """A picture that says everything about itself."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a description", 6
    file = io.BytesIO()
    image = Image.fromarray(np.full((16, 24, 3), 90, np.uint8))
    image.save(file, "JPEG", exif=exif, xmp=b"<x:xmpmeta/>", icc_profile=steep_profile())
    return Image.open(file)


def kinds(data: bytes) -> list[str]:
    return [chunk.name for chunk in bitstream.describe(data).chunks]


def test_alpha_comes_back_bit_for_bit(tiny_codec: Codec, transparent: np.ndarray) -> None:
    data = tiny_codec.encode(transparent)
    assert (kinds(data), starts_with_alpha(data)) == (["ALPHA"], True)
    image = tiny_codec.decode(data)
    assert image.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(image)[:, :, 3], transparent[:, :, 3])
    np.testing.assert_array_equal(tiny_codec.decode_array(data), np.asarray(image))
    np.testing.assert_array_equal(np.asarray(tiny_codec.decode_batch([data])[0]), np.asarray(image))
    for shown in tiny_codec.decode_progressive(data):
        np.testing.assert_array_equal(np.asarray(shown)[:, :, 3], transparent[:, :, 3])


def test_gray_with_alpha_comes_back_as_such(tiny_codec: Codec, transparent: np.ndarray) -> None:
    both = transparent[:, :, [1, 3]]
    image = tiny_codec.decode(tiny_codec.encode(both))
    assert image.mode == "LA"
    np.testing.assert_array_equal(np.asarray(image)[:, :, 1], both[:, :, 1])


def test_regions_and_first_passes_have_their_alpha(tiny_codec: Codec, transparent: np.ndarray) -> None:
    data = tiny_codec.encode(transparent)
    part = tiny_codec.decode(data, 1, region=(5, 6, 20, 11))
    np.testing.assert_array_equal(np.asarray(part)[:, :, 3], transparent[6:17, 5:25, 3])


def test_a_background_leaves_no_alpha(tiny_codec: Codec, transparent: np.ndarray) -> None:
    data = tiny_codec.encode(transparent, background="black")
    assert "ALPHA" not in kinds(data) and not starts_with_alpha(data)
    assert tiny_codec.decode(data).mode == "RGB"


def test_masks_take_one_bit(transparent: np.ndarray) -> None:
    mask = np.where(transparent[:, :, 3] > 99, 255, 0).astype(np.uint8)
    (chunk,) = alpha_chunks(mask)
    with Image.open(io.BytesIO(chunk.payload)) as image:
        assert image.mode == "1"
        np.testing.assert_array_equal(np.asarray(image.convert("L")), mask)


def test_metadata_is_kept_on_request_only(tiny_codec: Codec, described: Image.Image) -> None:
    assert kinds(tiny_codec.encode(described)) == []
    assert kinds(tiny_codec.encode(described, metadata=["xmp"])) == ["XMP"]
    data = tiny_codec.encode(described, metadata=["xmp", "icc", "exif"])
    assert kinds(data) == ["ICC", "EXIF", "XMP"]
    image = tiny_codec.decode(data)
    assert image.size == (16, 24)
    assert image.getexif()[0x010E] == "a description"
    assert image.getexif()[0x0112] == 1
    assert image.info["xmp"] == b"<x:xmpmeta/>"
    assert image.info["source_icc_profile"] == steep_profile()
    assert "icc_profile" not in image.info


def test_metadata_stands_behind_the_passes_and_is_cut_first(tiny_codec: Codec, described: Image.Image) -> None:
    data = tiny_codec.encode(described, metadata=["exif"])
    end = bitstream.describe(data).passes[-1].end
    assert bitstream.truncate(data, max_bytes=len(data) - 1) == data[:end] == tiny_codec.encode(described)


def test_unknown_metadata_is_refused(tiny_codec: Codec, described: Image.Image) -> None:
    with pytest.raises(ArgumentError, match="'iptc'"):
        tiny_codec.encode(described, metadata=["exif", "iptc"])


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"", "no readable PNG"),
        (png(np.zeros((24, 40), np.uint8))[:-30], "no readable PNG"),
        (png(np.zeros((40, 24), np.uint8)), r"L \(24, 40\), must be 1 or L \(40, 24\)"),
        (png(np.zeros((24, 40, 3), np.uint8)), "RGB"),
    ],
    ids=["empty", "torn", "turned", "colour"],
)
def test_alpha_that_is_none_is_corruption(
    tiny_codec: Codec, drawn_picture: Draw, payload: bytes, complaint: str
) -> None:
    stream = bitstream.read_stream(tiny_codec.encode(drawn_picture(24, 40, 61)))
    data = bitstream.write_stream(stream.header, [Chunk(ChunkType.ALPHA, payload), *stream.elements])
    with pytest.raises(bitstream.CorruptionError, match=complaint):
        tiny_codec.decode(data)


def test_alpha_of_large_pictures_needs_no_permission_of_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    header = bitstream.Header(bytes(8), 30, 20)
    (chunk,) = alpha_chunks(np.zeros((20, 30), np.uint8))
    stream = bitstream.read_stream(bitstream.write_stream(header, [chunk, bitstream.Pass(1, b"x")]))
    alpha = read_alpha(stream)
    assert alpha is not None and alpha.shape == (20, 30)


def test_metadata_are_the_chunks_that_no_picture_needs() -> None:
    assert tuple(kind.name.lower() for kind in ChunkType if not kind.belongs_to_picture) == METADATA_KINDS
