"""Pictures as they come: alpha, metadata, profiles, depths, animations, sizes, and what `decode` gives back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_cases import Ddnc, Refused
from colour_profiles import steep_profile
from drawing import draw_picture
from PIL import Image

import bitstream

MODEL = ("--model", "tiny")


@pytest.fixture
def transparent(workplace: Path) -> Path:
    """A picture whose left half is see-through."""
    rgba = np.dstack([draw_picture(24, 40, 1), np.full((24, 40), 255, np.uint8)])
    rgba[:, :20, 3] = 100
    Image.fromarray(rgba).save("transparent.png")
    return Path("transparent.png")


@pytest.fixture
def described(workplace: Path) -> Path:
    """A JPEG that lies on its side and says so, in another profile."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a description", 6
    picture = Image.fromarray(draw_picture(24, 40, 2))
    picture.save("described.jpg", exif=exif, xmp=b"<x:xmpmeta/>", icc_profile=steep_profile(), quality=95)
    return Path("described.jpg")


def chunks(path: str) -> list[str]:
    return [chunk.name for chunk in bitstream.describe(Path(path).read_bytes()).chunks]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".avif", ".tiff"])
def test_alpha_is_kept(transparent: Path, ddnc: Ddnc, suffix: str) -> None:
    assert ddnc("encode", transparent, "out.ddn", *MODEL).stderr == ""
    assert ddnc("decode", "out.ddn", f"out{suffix}").stderr == ""
    with Image.open(f"out{suffix}") as picture, Image.open(transparent) as original:
        assert picture.mode == "RGBA"
        difference = np.asarray(picture.getchannel("A"), int) - np.asarray(original.getchannel("A"), int)
    assert np.abs(difference).max() <= (3 if suffix == ".avif" else 0)


def test_formats_without_alpha_get_a_background_and_a_note(transparent: Path, ddnc: Ddnc) -> None:
    assert ddnc("encode", transparent, "out.ddn", *MODEL).exit_code == 0
    result = ddnc("decode", "out.ddn", "out.bmp")
    assert result.stderr == "ddnc: note: out.ddn: BMP holds no transparency, laid over white\n"
    assert ddnc("decode", "out.ddn", "black.bmp", "--background", "black").stderr == ""
    with Image.open("out.bmp") as white, Image.open("black.bmp") as black:
        assert (white.mode, black.mode) == ("RGB", "RGB")
        assert np.asarray(white)[:, :20].mean() > np.asarray(black)[:, :20].mean() + 100


def test_a_background_takes_the_place_of_alpha(transparent: Path, ddnc: Ddnc, refused: Refused) -> None:
    assert ddnc("encode", transparent, "out.ddn", "--background", "#102030", *MODEL).exit_code == 0
    assert chunks("out.ddn") == []
    for command, source in (("encode", transparent), ("decode", "out.ddn")):
        assert "'nothing'" in refused(command, source, "new.png", "--background", "nothing")


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [("none", []), ("all", ["ICC", "EXIF", "XMP"]), ("exif", ["EXIF"]), ("xmp,icc", ["ICC", "XMP"])],
)
def test_metadata_is_kept_as_wished(described: Path, ddnc: Ddnc, wanted: str, kept: list[str]) -> None:
    assert ddnc("encode", described, "out.ddn", "--metadata", wanted, *MODEL).exit_code == 0
    assert [kind for kind in chunks("out.ddn") if kind != "POST_FILTER"] == kept


def test_metadata_is_given_back(described: Path, ddnc: Ddnc) -> None:
    assert ddnc("encode", described, "out.ddn", "--metadata", "all", *MODEL).exit_code == 0
    for suffix in (".jpg", ".png", ".webp", ".avif", ".tiff", ".bmp"):
        assert ddnc("decode", "out.ddn", f"out{suffix}").exit_code == 0
        with Image.open(f"out{suffix}") as picture:
            assert picture.size == (24, 40), "upright"
            assert picture.info.get("icc_profile") is None, "pixels are sRGB"
            exif = picture.getexif()
            assert (exif.get(0x010E), exif.get(0x0112, 1)) == (None if suffix == ".bmp" else "a description", 1)
            assert ("x:xmpmeta" in str(picture.info | dict(getattr(picture, "tag_v2", {})))) == (suffix != ".bmp")


def test_the_profile_can_be_restored(described: Path, ddnc: Ddnc, refused: Refused) -> None:
    assert ddnc("encode", described, "out.ddn", "--metadata", "icc", "-q", 100, *MODEL).exit_code == 0
    stream = bitstream.read_stream(Path("out.ddn").read_bytes())
    profile = [chunk for chunk in stream.chunks if chunk.type == bitstream.ChunkType.ICC]
    unfiltered = bitstream.write_stream(stream.header, [*stream.passes, *profile])
    Path("out.ddn").write_bytes(unfiltered)  # a post-filter is fitted to sRGB
    assert ddnc("decode", "out.ddn", "srgb.png").exit_code == 0
    assert ddnc("decode", "out.ddn", "steep.png", "--restore-icc").exit_code == 0
    with Image.open("srgb.png") as srgb, Image.open("steep.png") as steep, Image.open(described) as original:
        assert steep.info["icc_profile"] == steep_profile()
        wanted = np.rot90(np.asarray(original, float), -1)
        assert abs(np.asarray(steep).mean() - wanted.mean()) < 8 < abs(np.asarray(srgb).mean() - wanted.mean())
    assert ddnc("encode", described, "without.ddn", *MODEL).exit_code == 0
    assert "--metadata icc" in refused("decode", "without.ddn", "new.png", "--restore-icc")


def test_unknown_metadata_is_a_wrong_command_line(described: Path, refused: Refused) -> None:
    assert "'iptc'" in refused("encode", described, "out.ddn", "--metadata", "exif,iptc", *MODEL, status=2)


def test_conversions_with_a_loss_are_noted(ddnc: Ddnc) -> None:
    Image.fromarray(draw_picture(24, 40, 3)).convert("CMYK").save("cmyk.tiff")
    Image.fromarray(draw_picture(24, 40, 3)[:, :, 0].astype(np.uint16) * 257).save("deep.png")
    result = ddnc("encode", "cmyk.tiff", "deep.png", "-o", "out", *MODEL)
    notes = [line for line in result.stderr.splitlines() if "note" in line]
    assert notes == [
        "ddnc: note: cmyk.tiff: CMYK converted to sRGB",
        "ddnc: note: deep.png: more than 8 bits a sample, reduced to 8",
    ]
    quiet = ddnc("encode", "cmyk.tiff", "out.ddn", "--quiet", *MODEL)
    assert (quiet.exit_code, quiet.output) == (0, "")
    assert ddnc("decode", "out/deep.ddn", "deep_back.png").exit_code == 0
    with Image.open("deep_back.png") as picture:
        assert picture.mode == "L"


def test_what_pillow_warns_of_is_noted(ddnc: Ddnc) -> None:
    Image.new("RGB", (16, 16)).save("odd.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0")
    result = ddnc("encode", "odd.jpg", "odd.ddn", *MODEL)
    assert result.exit_code == 0
    assert result.stderr.startswith("ddnc: note: odd.jpg: ") and "EXIF" in result.stderr


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_animations_are_refused_or_their_first_frame_taken(suffix: str, ddnc: Ddnc, refused: Refused) -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    frames[0].save(f"moving{suffix}", save_all=True, append_images=frames[1:], duration=100)
    assert "2 frames" in refused("encode", f"moving{suffix}", "out.ddn", *MODEL)
    assert ddnc("encode", f"moving{suffix}", "out.ddn", "--frame", "first", "-q", 100, *MODEL).exit_code == 0
    assert ddnc("decode", "out.ddn", "out.png").exit_code == 0
    red, _, blue = np.asarray(Image.open("out.png")).mean(axis=(0, 1))
    assert red > blue


def test_large_pictures_need_permission(photo: Path, stream: Path, ddnc: Ddnc, refused: Refused) -> None:
    for command, source, target in (("encode", photo, "new.ddn"), ("decode", stream, "new.png")):
        assert "limit max_pixels is 10799" in refused(command, source, target, "--max-pixels", 120 * 90 - 1, *MODEL)
        assert ddnc(command, source, target, "--max-pixels", 120 * 90, *MODEL).exit_code == 0


def test_the_limit_is_that_of_pillow_no_more(ddnc: Ddnc, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (300, 40)).save("wide.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert ddnc("encode", "wide.png", "wide.ddn", *MODEL).exit_code == 0


def test_a_region_is_a_crop(stream: Path, ddnc: Ddnc, refused: Refused) -> None:
    assert ddnc("decode", stream, "whole.png").exit_code == 0
    assert ddnc("decode", stream, "part.png", "--region", "30,20,50,40").exit_code == 0
    whole, part = (np.asarray(Image.open(name), int) for name in ("whole.png", "part.png"))
    assert part.shape == (40, 50, 3)
    assert np.abs(part - whole[20:60, 30:80]).max() <= 1
    assert "region" in refused("decode", stream, "new.png", "--region", "100,0,21,5")
    for words in ("1,2,3", "1,2,3,x", "1;2;3;4"):
        assert words in refused("decode", stream, "new.png", "--region", words, status=2)


def test_progression_as_pictures_and_as_animation(stream: Path, ddnc: Ddnc, refused: Refused) -> None:
    result = ddnc("decode", stream, "--progressive", "levels", "--preview", "levels.webp")
    levels = json.loads(ddnc("info", stream, "--levels", "--json").stdout)["levels"]
    names = [f"level{number:02}.png" for number in range(1, len(levels) + 1)]
    assert sorted(path.name for path in Path("levels").iterdir()) == names
    assert len(result.stdout.splitlines()) == len(names) + 1
    assert ddnc("decode", stream, "last.png").exit_code == 0
    assert Path("last.png").read_bytes() == Path("levels", names[-1]).read_bytes()
    for name in ("levels.webp", "levels.gif"):
        assert ddnc("decode", stream, "--preview", name, "--quiet").output == ""
        with Image.open(name) as animation:
            assert (animation.size, animation.n_frames) == ((120, 90), len(names))
    assert ".gif" in refused("decode", stream, "--preview", "levels.png", status=2)
    assert "no OUT" in refused("decode", stream, "out.png", "--preview", "new.gif", status=2)


def test_progression_honours_the_other_options(stream: Path, ddnc: Ddnc, refused: Refused) -> None:
    words = ("decode", stream, "--progressive", "levels", "--preview", "levels.webp", "--region", "30,20,50,40")
    rows = list(map(json.loads, ddnc(*words, "--levels", 2, "--json", "--format", "bmp").stdout.splitlines()))
    assert [row["output"] for row in rows] == ["levels/level01.bmp", "levels/level02.bmp", "levels.webp"]
    assert all((row["status"], row["width"], row["height"]) == ("done", 50, 40) for row in rows)
    assert ddnc("decode", stream, "part.bmp", "--region", "30,20,50,40", "--levels", 2).exit_code == 0
    with Image.open("part.bmp") as part, Image.open("levels/level02.bmp") as last, Image.open("levels.webp") as moving:
        assert np.abs(np.asarray(part, int) - np.asarray(last, int)).max() <= 1
        assert (moving.n_frames, moving.size) == (2, (50, 40))
    Path("levels/level01.bmp").write_text("mine")
    result = ddnc(*words, "--levels", 1, "--format", "bmp", "--no-overwrite")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        f"ddnc: error: {name}: exists, and --no-overwrite is given" for name in ("levels/level01.bmp", "levels.webp")
    ]
    assert Path("levels/level01.bmp").read_text() == "mine"
    assert "region" in refused("decode", stream, "--progressive", "new", "--region", "100,0,21,5")


def test_progression_of_torn_inline_and_transparent_streams(
    stream: Path, transparent: Path, ddnc: Ddnc, refused: Refused
) -> None:
    Image.fromarray(draw_picture(500, 600, 2)).save("large.png")
    assert ddnc("encode", "large.png", "large.ddn", "--coding", "plain", *MODEL).exit_code == 0
    first, *_ = json.loads(ddnc("info", "large.ddn", "--json").stdout)["passes"]
    Path("torn.ddn").write_bytes(Path("large.ddn").read_bytes()[: first["end"] + 5])
    assert refused("decode", "torn.ddn", "--progressive", "torn").startswith("torn.ddn: ")
    assert ddnc("decode", "torn.ddn", "--progressive", "torn", "--allow-partial").exit_code == 0
    assert len(list(Path("torn").iterdir())) == first["levels"]
    words = ("--inline", "--base64", *MODEL)
    assert ddnc("encode", "photo.png", "text", *words).exit_code == 0
    assert ddnc("decode", "text", "--preview", "text.gif", *words).exit_code == 0
    assert ddnc("encode", transparent, "clear.ddn", *MODEL).exit_code == 0
    for background, mode in ((), "RGBA"), (("--background", "black"), "RGB"):
        assert ddnc("decode", "clear.ddn", "--preview", "clear.webp", *background).exit_code == 0
        with Image.open("clear.webp") as moving:
            assert moving.mode == mode


def test_formats_without_profiles_cannot_restore_one(described: Path, ddnc: Ddnc, refused: Refused) -> None:
    assert ddnc("encode", described, "out.ddn", "--metadata", "icc", *MODEL).exit_code == 0
    assert "BMP holds no ICC profile" in refused("decode", "out.ddn", "new.bmp", "--restore-icc")


def test_what_options_repeat_to_start_fast_is_what_the_library_says() -> None:
    from ddncodec.cli import options

    assert bitstream.DEFAULT_LIMITS.max_pixels == options.MAX_PIXELS
