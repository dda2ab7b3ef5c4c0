"""Once registered, Pillow treats `.ddn` like its own formats: lazily, with its own errors."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawing import draw_picture
from PIL import Image, ImageFile, UnidentifiedImageError

import bitstream
from ddncodec import pillow_plugin
from ddncodec.codec import Codec
from ddncodec.errors import ArgumentError, ModelError

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDNC_MODEL_PATH", str(GOLDEN))
    pillow_plugin.register()


def test_saving_and_opening_equals_the_codec(tmp_path: Path, tiny_codec: Codec) -> None:
    picture = Image.fromarray(draw_picture(37, 51, 3))
    path = tmp_path / "picture.ddn"
    picture.save(path, quality=80, coding="plain", model="tiny", effort=1, subsampling="unknown to us")
    assert path.read_bytes() == tiny_codec.encode(picture, 80, "plain", effort=1)
    with Image.open(path) as opened:
        assert (opened.format, opened.mode, opened.size) == ("DDN", "RGB", (51, 37))
        np.testing.assert_array_equal(np.asarray(opened), np.asarray(tiny_codec.decode(path.read_bytes())))


def test_gray_streams_and_file_objects(tiny_codec: Codec) -> None:
    buffer = io.BytesIO()
    Image.fromarray(draw_picture(20, 30, 4)[:, :, 0]).save(buffer, "DDN", model="tiny")
    with Image.open(buffer, formats=["DDN"]) as opened:
        assert opened.mode == "L"
        np.testing.assert_array_equal(np.asarray(opened), np.asarray(tiny_codec.decode(buffer.getvalue())))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_known_from_the_head_and_metadata_comes_with_the_pixels(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.ddn"
    picture = Image.fromarray(draw_picture(30, 40, 5)).convert(mode)
    picture.putalpha(Image.linear_gradient("L").resize((40, 30)))
    picture.info["xmp"] = b"<x/>"
    picture.save(path, model="tiny", metadata=("xmp",))
    with Image.open(path) as opened:
        assert (opened.mode, "xmp" in opened.info) == (mode, False)
        np.testing.assert_array_equal(np.asarray(opened.getchannel("A")), np.asarray(picture.getchannel("A")))
        assert opened.info["xmp"] == b"<x/>"
    picture.save(path, model="tiny", background="white")
    with Image.open(path) as opened:
        assert opened.mode == mode.removesuffix("A")


def test_the_mode_told_on_opening_is_the_mode_of_the_pixels(tiny_codec: Codec) -> None:
    """Even where another writer puts alpha behind the passes."""
    data = tiny_codec.encode(np.dstack([draw_picture(30, 40, 5), np.full((30, 40), 9, np.uint8)]))
    stream = bitstream.read_stream(data)
    alpha, *rest = stream.elements
    with Image.open(io.BytesIO(bitstream.write_stream(stream.header, [*rest, alpha]))) as opened:
        assert opened.mode == "RGB"
        assert np.asarray(opened).shape == (30, 40, 3)


def test_suffix_and_mime_type_are_known() -> None:
    assert Image.registered_extensions()[".ddn"] == "DDN"
    assert Image.MIME["DDN"] == "image/x-ddn"
    with Image.open(GOLDEN / "v1-coded.ddn") as opened:
        assert opened.get_format_mimetype() == "image/x-ddn"


def test_registering_twice_registers_once() -> None:
    pillow_plugin.register()
    assert Image.ID.count("DDN") == 1


def test_nothing_is_registered_on_import_and_opening_needs_the_header_only(tmp_path: Path) -> None:
    """Opening reads 32 bytes and loads no torch; a stream cut behind them still opens."""
    path = tmp_path / "cut.ddn"
    path.write_bytes((GOLDEN / "v1-coded.ddn").read_bytes()[:32])
    code = f"""if True:
        import sys
        from PIL import Image
        from ddncodec import pillow_plugin
        print("DDN" in Image.OPEN)
        pillow_plugin.register()
        print(Image.open({str(path)!r}).size, "torch" in sys.modules)"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split("\n")[:2] == ["False", "(64, 48) False"]


def test_what_is_no_stream_is_unidentified() -> None:
    good = (GOLDEN / "v1-coded.ddn").read_bytes()
    for data in (b"", good[:3], good[:9], good[:3] + b"\x07" + good[4:], b"\xdd\n" + good[3:], b"hello, world" * 9):
        with pytest.raises(UnidentifiedImageError):
            Image.open(io.BytesIO(data))


def test_damage_is_an_oserror_when_pixels_are_needed() -> None:
    good = (GOLDEN / "v1-coded.ddn").read_bytes()
    for data in (good[:-1], good[:40] + bytes([good[40] ^ 1]) + good[41:], good[:4] + bytes(8) + good[12:]):
        with Image.open(io.BytesIO(data)) as opened, pytest.raises(OSError, match="stream cannot be decoded"):
            opened.load()


@pytest.mark.parametrize("guard", [Image.MAX_IMAGE_PIXELS, None])
def test_huge_pictures_are_refused_when_opened(guard: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    header = bitstream.Header(bytes(8), 65535, 65535, coded=True)
    data = bitstream.write_stream(header, [bitstream.Pass(1, b"")])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", guard)
    with pytest.raises(Image.DecompressionBombError, match="max_pixels"):
        Image.open(io.BytesIO(data))


def test_truncated_streams_show_their_whole_passes_on_request(
    monkeypatch: pytest.MonkeyPatch, tiny_codec: Codec
) -> None:
    data = (GOLDEN / "v1-passes.ddn").read_bytes()[:-5]
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with Image.open(io.BytesIO(data)) as opened:
        expected = tiny_codec.decode(data, allow_partial=True)
        np.testing.assert_array_equal(np.asarray(opened), np.asarray(expected))


def test_wrong_options_and_pictures_leave_no_file(tmp_path: Path) -> None:
    path = tmp_path / "picture.ddn"
    picture = Image.new("RGB", (8, 8))
    for options in ({"quality": 101}, {"coding": "zip"}):
        with pytest.raises(ArgumentError):
            picture.save(path, model="tiny", **options)
    with pytest.raises(ModelError):
        picture.save(path, model="nobody")
    with pytest.raises(OSError, match="width"):
        Image.new("RGB", (65536, 1)).save(path, model="tiny")
    assert not path.exists()
