"""`ddnc encode` to a size or a PSNR."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from cli_cases import Ddnc, Refused
from drawing import draw_picture
from PIL import Image


def test_sizes_are_used_and_not_exceeded(ddnc: Ddnc) -> None:
    Image.fromarray(draw_picture(150, 170, 3)).save("in.png")
    for option, value in (("--max-bytes", 200), ("--bpp", 8 * 200.5 / (150 * 170))):
        result = ddnc("encode", "in.png", "out.ddn", option, value, "--model", "tiny")
        size = Path("out.ddn").stat().st_size
        assert 0.97 * 200 <= size <= 200
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout.startswith(f"out.ddn: {size} bytes, ")


def test_psnr_is_reached(photo: Path, ddnc: Ddnc) -> None:
    assert ddnc("encode", photo, "out.ddn", "--psnr", 20, "--model", "tiny", "--quiet").exit_code == 0
    assert ddnc("decode", "out.ddn", "out.png").exit_code == 0
    error = np.asarray(Image.open("out.png"), float) - np.asarray(Image.open(photo))
    assert 20 <= 10 * math.log10(255**2 / np.mean(error**2)) <= 20.1


def test_psnr_out_of_reach_writes_the_best_and_fails(photo: Path, ddnc: Ddnc) -> None:
    result = ddnc("encode", photo, "out.ddn", "--psnr", 70, "--model", "tiny", "--json")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"ddnc: error: {photo}: 70 dB is out of reach, the best is ")
    assert ddnc("decode", "out.ddn", "out.png").exit_code == 0
    facts = json.loads(result.stdout)
    assert (facts["status"], facts["output_bytes"]) == ("failed", Path("out.ddn").stat().st_size)


def test_what_the_model_cannot_spend_is_noted(photo: Path, ddnc: Ddnc) -> None:
    result = ddnc("encode", photo, "out.ddn", "--max-bytes", 100_000, "--model", "tiny")
    size = Path("out.ddn").stat().st_size
    note = f"ddnc: note: {photo}: {size} bytes are as near as the model comes\n"
    assert (result.exit_code, result.stderr) == (0, note)


def test_a_size_below_the_smallest_file_is_refused(photo: Path, refused: Refused) -> None:
    line = refused("encode", photo, "out.ddn", "--max-bytes", 16, "--model", "tiny")
    assert line.startswith(f"{photo}: target of 16 bytes is below ")


def test_every_picture_of_a_batch_has_its_own_search(ddnc: Ddnc) -> None:
    words = ("--max-bytes", 140, "--model", "tiny", "--quiet")
    for seed in (1, 2):
        Image.fromarray(draw_picture(90, 120, seed)).save(f"{seed}.png")
        assert ddnc("encode", f"{seed}.png", f"{seed}.ddn", *words).exit_code == 0
    assert ddnc("encode", "1.png", "2.png", "-o", "out/", *words).exit_code == 0
    for seed in (1, 2):
        assert Path(f"out/{seed}.ddn").read_bytes() == Path(f"{seed}.ddn").read_bytes()


@pytest.mark.parametrize("words", [("-q", 50, "--bpp", 1), ("--psnr", 30, "--max-bytes", 99), ("--bpp", 0)], ids=str)
def test_one_target_at_a_time(words: tuple[object, ...], photo: Path, refused: Refused) -> None:
    assert "--bpp" in refused("encode", photo, "out.ddn", *words, "--model", "tiny", status=2)
