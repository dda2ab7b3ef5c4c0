"""What people know from other tools: a dry run, names by a pattern, more words on request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_cases import TINY, Ddnc, Refused
from drawing import draw_folder
from PIL import Image

import ddncodec
from ddncodec.metrics import psnr

MODEL = ("--model", "tiny")


def files() -> set[str]:
    return {str(path) for path in Path().rglob("*") if path.is_file()}


def test_a_dry_run_writes_nothing_and_names_what_would_be(ddnc: Ddnc) -> None:
    draw_folder(Path("photos"), 2, 24)
    assert ddnc("encode", "photos/drawn000.png", "-o", "streams/", *MODEL).exit_code == 0
    Path("streams/drawn001.ddn").mkdir()
    before = files()
    words = ("encode", "-r", "photos", "-o", "streams", "--resume", "--dry-run", *MODEL)
    result = ddnc(*words)
    assert (result.exit_code, files()) == (1, before)
    assert result.stdout == "streams/drawn000.ddn: is there already\n"
    assert "streams/drawn001.ddn: is a folder" in result.stderr
    assert ddnc("encode", "photos/drawn000.png", "-n", *MODEL).stdout == "photos/drawn000.png -> photos/drawn000.ddn\n"
    (row,) = map(json.loads, ddnc("decode", "streams/drawn000.ddn", "-n", "--json").stdout.splitlines())
    assert row == {"input": "streams/drawn000.ddn", "output": "streams/drawn000.png", "status": "planned"}
    assert files() == before


def test_patterns_choose_files_in_folders(ddnc: Ddnc, refused: Refused) -> None:
    draw_folder(Path("photos/sea"), 2, 24)
    Path("photos/sea/drawn000.png").rename("photos/sea/IMG_7.strange")
    result = ddnc("encode", "-r", "photos", "-o", "out", "--glob", "IMG_*", *MODEL)
    assert (result.exit_code, [path.name for path in Path("out/sea").iterdir()]) == (0, ["IMG_7.ddn"])
    assert "named nothing*" in refused("encode", "-r", "photos", "-o", "out", "--glob", "nothing*", *MODEL)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
def test_verbose_lines_have_the_psnr_of_the_stream(mode: str, photo: Path, ddnc: Ddnc) -> None:
    with Image.open(photo) as picture:
        changed = picture.convert(mode)
        if "A" in mode:
            changed.putalpha(100)
        changed.save("in.png")
        rgb = np.asarray(changed.convert("RGB"))
    result = ddnc("encode", "in.png", "out.ddn", "-v", *MODEL)
    decoded = ddncodec.Codec(TINY).decode(Path("out.ddn").read_bytes()).convert("RGB")
    size, original = Path("out.ddn").stat().st_size, Path("in.png").stat().st_size
    assert f"{100 * size / original:.3g} % of the input, {psnr(rgb, np.asarray(decoded)):.2f} dB, " in result.stdout
    assert result.stdout.endswith(" s\n")
    assert f"{100 * original / size:.3g} %" not in ddnc("decode", "out.ddn", "back.png").stdout
    assert "% of the input" in ddnc("decode", "out.ddn", "back.png", "-v").stdout
    (row,) = map(json.loads, ddnc("encode", "in.png", "out.ddn", "-v", "--json", *MODEL).stdout.splitlines())
    assert row["psnr"] == pytest.approx(psnr(rgb, np.asarray(decoded)), abs=0.001)
    assert row["seconds"] >= 0
