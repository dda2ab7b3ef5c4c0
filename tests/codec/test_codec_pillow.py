"""Once registered, Pillow treats `.ddn` like its own formats: lazily, with its own errors."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from colour_profiles import steep_profile
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


def test_the_mode_on_opening_is_the_mode_of_the_pixels(tiny_codec: Codec) -> None:
    """Even where another writer puts alpha after the passes."""
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
    """Opening reads 32 bytes and loads no torch; a stream cut after them still opens."""
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


def described_file(folder: Path) -> tuple[Path, Image.Exif]:
    """A stream with all metadata, and its EXIF."""
    exif, path = Image.Exif(), folder / "described.ddn"
    exif[271] = "Maker"
    picture = Image.fromarray(draw_picture(30, 40, 5))
    picture.save(path, model="tiny", effort=1, exif=exif, xmp=b"<x:xmpmeta/>", icc_profile=steep_profile())
    return path, exif


def test_what_is_given_to_save_is_kept_and_read_without_the_pixels(tmp_path: Path) -> None:
    path, _ = described_file(tmp_path)
    with Image.open(path) as opened:
        assert opened.getexif()[271] == "Maker"
        assert opened.info["xmp"] == b"<x:xmpmeta/>"
        assert opened.info["source_icc_profile"] == steep_profile()
        assert opened.tile, "pixels are not loaded for it"
        opened.load()
        assert opened.getexif()[271] == "Maker"
        for suffix in ("jpg", "png", "webp", "tif"):
            opened.save(tmp_path / f"copy.{suffix}", exif=opened.getexif())
            with Image.open(tmp_path / f"copy.{suffix}") as copy:
                assert copy.getexif()[271] == "Maker"


def test_the_profile_given_to_save_says_what_the_samples_are(tmp_path: Path, tiny_codec: Codec) -> None:
    path, _ = described_file(tmp_path)
    picture = Image.fromarray(draw_picture(30, 40, 5))
    picture.info["icc_profile"] = steep_profile()
    assert Image.open(path).tobytes() == tiny_codec.decode(tiny_codec.encode(picture, effort=1)).tobytes()
    picture.save(path, model="tiny", effort=1, icc_profile=None)
    picture.info.clear()
    assert Image.open(path).tobytes() == tiny_codec.decode(tiny_codec.encode(picture, effort=1)).tobytes()


@pytest.mark.parametrize("exif", [None, b"", Image.Exif()])
def test_no_exif_given_to_save_is_none_kept(exif: object, tmp_path: Path) -> None:
    picture = Image.fromarray(draw_picture(30, 40, 5))
    with Image.open(described_file(tmp_path)[0]) as described:
        picture.info["exif"] = described.getexif().tobytes()
    picture.save(tmp_path / "none.ddn", model="tiny", effort=1, exif=exif, metadata=("xmp",))
    with Image.open(tmp_path / "none.ddn") as opened:
        assert len(opened.getexif()) == 0


def test_exif_given_to_save_turns_the_picture_and_odd_exif_is_left_out_with_a_warning(tmp_path: Path) -> None:
    path, exif = tmp_path / "turned.ddn", Image.Exif()
    exif[0x0112] = 6
    picture = Image.fromarray(draw_picture(30, 40, 5))
    picture.save(path, model="tiny", effort=1, exif=exif)
    with Image.open(path) as opened:
        assert (opened.size, opened.getexif()[0x0112]) == ((30, 40), 1)
    exif[282] = -5
    for odd in (exif, b"no EXIF at all"):
        with pytest.warns(UserWarning, match="not kept"):
            picture.save(path, model="tiny", effort=1, exif=odd)
        assert Image.open(path).load() is not None
    with pytest.raises(ArgumentError, match="`exif` is a dict"):
        picture.save(path, model="tiny", effort=1, exif={271: "Maker"})


@pytest.mark.parametrize("pieces", [1, 7, 64, 1 << 20])
def test_parsers_take_streams_in_pieces_of_any_size(pieces: int, tiny_codec: Codec) -> None:
    data = (GOLDEN / "v1-coded.ddn").read_bytes()
    parser = ImageFile.Parser()
    for at in range(0, len(data), pieces):
        parser.feed(data[at : at + pieces])
    assert parser.close().tobytes() == tiny_codec.decode(data).tobytes()
    parser = ImageFile.Parser()
    parser.feed(data[:-3])
    with pytest.raises(OSError, match="stream cannot be decoded"):
        parser.close()


def test_verify_notices_damage_without_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DDNC_MODEL_PATH")
    data = (GOLDEN / "v1-coded.ddn").read_bytes()
    with Image.open(io.BytesIO(data)) as opened:
        opened.verify()
    for damaged in (data[:-1], data[:40] + bytes([data[40] ^ 1]) + data[41:]):
        with Image.open(io.BytesIO(damaged)) as opened, pytest.raises(OSError, match="stream cannot be decoded"):
            opened.verify()


def test_drafts_and_thumbnails_are_those_of_other_formats(tiny_codec: Codec) -> None:
    data = (GOLDEN / "v1-coded.ddn").read_bytes()
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.draft("L", (8, 8)) is None
        opened.thumbnail((16, 16))
        assert opened.size == (16, 12)
    with Image.open(io.BytesIO(data)) as opened:
        assert pickle.loads(pickle.dumps(opened)).tobytes() == tiny_codec.decode(data).tobytes()


def test_threads_share_an_opened_picture(tiny_codec: Codec) -> None:
    data = (GOLDEN / "v1-coded.ddn").read_bytes()
    expected = tiny_codec.decode(data).tobytes()
    with Image.open(io.BytesIO(data)) as opened, ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: opened.tobytes(), range(16))) == {expected}
        assert set(pool.map(lambda _: Image.open(io.BytesIO(data)).tobytes(), range(16))) == {expected}


def test_sizes_and_tunes_are_options_of_save(tmp_path: Path, tiny_codec: Codec) -> None:
    path = tmp_path / "picture.ddn"
    picture = Image.fromarray(draw_picture(60, 80, 3))
    picture.save(path, model="tiny", effort=1, max_bytes=300)
    assert path.stat().st_size <= 300
    picture.save(path, model="tiny", effort=1, tune="visual")
    assert path.read_bytes() == tiny_codec.encode(picture, effort=1, tune="visual")
    for options in ({"max_bytes": 300, "quality": 50}, {"max_bytes": -1}, {"tune": "loud"}):
        with pytest.raises(ArgumentError):
            picture.save(tmp_path / "no.ddn", model="tiny", **options)
    assert not (tmp_path / "no.ddn").exists()


def test_several_pictures_are_refused_and_one_is_not(tmp_path: Path) -> None:
    picture = Image.fromarray(draw_picture(20, 30, 3))
    picture.save(tmp_path / "one.ddn", model="tiny", effort=1, save_all=True)
    with pytest.raises(OSError, match="one picture, not 3"):
        picture.save(tmp_path / "more.ddn", model="tiny", save_all=True, append_images=[picture, picture])
    assert [path.name for path in tmp_path.iterdir()] == ["one.ddn"]
