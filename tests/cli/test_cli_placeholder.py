"""Placeholders fit their size, decode to what was promised, and are compared honestly."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from cli_cases import Ddnc, Refused
from drawing import draw_picture
from PIL import Image

import bitstream
from ddncodec.cli.side_by_side import LABEL, PANEL
from ddncodec.codec import Codec
from ddncodec.errors import ArgumentError
from ddncodec.placeholder import data_url, decode_inline, encode_inline, make_placeholder, reduced, resized_psnr


@pytest.mark.parametrize("coding", ["coded", "plain"])
def test_inline_streams_hold_what_ordinary_ones_do_in_fewer_bytes(tiny_codec: Codec, coding: str) -> None:
    for picture in (draw_picture(37, 51, 1), draw_picture(20, 30, 2)[:, :, 0]):
        data, whole = encode_inline(tiny_codec, picture, 70, coding), tiny_codec.encode(picture, 70, coding)
        for levels in (None, 2):
            shown, expected = decode_inline(tiny_codec, data, levels), tiny_codec.decode(whole, levels)
            assert shown.mode == expected.mode
            np.testing.assert_array_equal(np.asarray(shown), np.asarray(expected))
        overhead = bitstream.describe(data, inline=tiny_codec.info.identity).overhead_bytes
        assert overhead == 6
        assert len(data) < len(whole)


def test_inline_streams_lay_transparency_over_white(tiny_codec: Codec) -> None:
    clear = np.zeros((16, 16, 4), np.uint8)
    assert np.asarray(decode_inline(tiny_codec, encode_inline(tiny_codec, clear))).mean() > 128


def test_damage_and_other_models_are_noticed(tiny_codec: Codec) -> None:
    data = encode_inline(tiny_codec, draw_picture(20, 30, 2))
    for bad in (data[:-1], data[1:], bytes([data[0] ^ 16]) + data[1:]):
        with pytest.raises(bitstream.BitstreamError):
            decode_inline(tiny_codec, bad)
    with pytest.raises(bitstream.CorruptionError):
        bitstream.read_stream(data, inline=bytes(8))


def test_more_bytes_show_more_and_too_few_are_refused(tiny_codec: Codec) -> None:
    picture = draw_picture(90, 120, 7)
    few, many = (make_placeholder(tiny_codec, picture, size) for size in (20, 60))
    assert len(few.data) <= 20 < len(many.data) <= 60
    assert few.psnr < many.psnr
    assert many.psnr == resized_psnr(decode_inline(tiny_codec, many.data), reduced(picture, 64))
    with pytest.raises(ArgumentError, match="max_bytes"):
        make_placeholder(tiny_codec, picture, 6)


def test_urls_are_pictures() -> None:
    for mode in ("RGB", "L"):
        head, _, text = data_url(Image.new(mode, (20, 10), 77)).partition(",")
        assert head in ("data:image/png;base64", "data:image/webp;base64")
        with Image.open(io.BytesIO(base64.b64decode(text))) as image:
            assert image.size == (20, 10)


def test_command_prints_string_url_and_rivals(photo: Path, ddnc: Ddnc, tiny_codec: Codec) -> None:
    facts = json.loads(ddnc("placeholder", photo, "--model", "tiny", "--bytes", 40, "--json").stdout)
    data = base64.b64decode(facts["text"], validate=True)
    assert (len(data), len(facts["text"])) == (facts["bytes"], facts["characters"])
    assert len(data) <= 40
    assert decode_inline(tiny_codec, data).size == (facts["width"], facts["height"])
    assert facts["url"].startswith("data:image/")
    lines = ddnc("placeholder", photo, "--model", "tiny", "--bytes", 40).stdout.splitlines()
    assert facts["text"] in lines[1]
    assert lines[-1].endswith(facts["url"])
    assert lines[-1].split()[:3] == ["url", str(facts["url_bytes"]), str(len(facts["url"]))]
    assert facts["url_bytes"] == len(base64.b64decode(facts["url"].partition(",")[2], validate=True))


def test_hashes_next_to_it_are_those_of_their_libraries(photo: Path, ddnc: Ddnc) -> None:
    pytest.importorskip("blurhash")
    pytest.importorskip("thash")
    facts = json.loads(ddnc("placeholder", photo, "--model", "tiny", "--bytes", 40, "--json").stdout)
    blur, thumb = facts["hashes"]
    assert (blur["kind"], blur["bytes"], len(blur["text"])) == ("blurhash", 28, 28)
    assert (thumb["kind"], thumb["bytes"]) == ("thumbhash", len(base64.b64decode(thumb["text"])))
    for rival in (blur, thumb):
        assert 10 < rival["psnr"] < 60


def test_a_sheet_shows_the_picture_and_what_is_made_of_it(photo: Path, ddnc: Ddnc, tiny_codec: Codec) -> None:
    facts = json.loads(ddnc("placeholder", photo, "--model", "tiny", "--show", "sheet.png", "--json").stdout)
    shown = decode_inline(tiny_codec, base64.b64decode(facts["text"]))
    with Image.open("sheet.png") as sheet:
        across = 2 + len(facts["hashes"])
        assert sheet.width == across * PANEL
        panel = sheet.convert("RGB").crop((PANEL, LABEL, 2 * PANEL, sheet.height))
    height = round(PANEL * shown.height / shown.width)
    expected = shown.convert("RGB").resize((PANEL, height), Image.Resampling.BICUBIC)
    assert resized_psnr(panel, expected) > 35


def test_failures_are_one_line(photo: Path, refused: Refused) -> None:
    assert "max_bytes" in refused("placeholder", photo, "--model", "tiny", "--bytes", 6)
    assert "missing.png" in refused("placeholder", "missing.png", "--model", "tiny")
    assert "nowhere" in refused("placeholder", photo, "--model", "tiny", "--show", "nowhere/sheet.png")
    Path("text.png").write_text("hello")
    assert "not a picture" in refused("placeholder", "text.png", "--model", "tiny")


def test_encode_and_decode_inline_and_in_base64(photo: Path, ddnc: Ddnc, tiny_codec: Codec, refused: Refused) -> None:
    with Image.open(photo) as picture:
        inline, whole = encode_inline(tiny_codec, picture, 30), tiny_codec.encode(picture, 30)
    stream = bitstream.read_stream(whole)
    bare = bitstream.write_stream(stream.header, stream.passes)  # inline streams have no post-filter
    filtered, unfiltered = (np.asarray(tiny_codec.decode(data)) for data in (whole, bare))
    words = ("--model", "tiny", "--quiet")
    for options, stored in (
        (["--inline"], inline), (["--base64"], base64.b64encode(whole)),
        (["--inline", "--base64"], base64.b64encode(inline)),
    ):  # fmt: skip
        assert ddnc("encode", photo, "out.ddn", "-q", 30, *options, *words).exit_code == 0
        assert Path("out.ddn").read_bytes() == stored
        assert ddnc("decode", "out.ddn", "out.png", *options, *words).exit_code == 0
        with Image.open("out.png") as decoded:
            np.testing.assert_array_equal(np.asarray(decoded), unfiltered if "--inline" in options else filtered)
    Path("out.ddn").write_text("no base64!")
    Path("out.png").unlink()
    assert "base64" in refused("decode", "out.ddn", "out.png", "--base64", *words)
