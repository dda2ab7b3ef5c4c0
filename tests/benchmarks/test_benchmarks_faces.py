"""Fixed-size streams are measured as files, level by level."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from drawing import draw_picture
from PIL import Image

from benchmarks.compare.metrics import psnr
from benchmarks.compare.strips import CAPTION
from benchmarks.errors import BenchmarkError
from benchmarks.experiments.faces import PANEL, FaceRow, code, faces, measure, render
from bitstream import LevelTables
from ddncodec import Codec
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.zoo.loading import save_model

MODEL = "mnist-tree"


def measured(pictures: list[Path], model: str, effort: int, levels: list[int]) -> list[FaceRow]:
    return measure(code(pictures, model, effort, levels), model, effort)


@pytest.fixture
def digits(tmp_path: Path) -> list[Path]:
    """Two strokes, which is enough of a digit."""
    paths = []
    for number in range(2):
        pixels = np.zeros((28, 28, 3), np.uint8)
        pixels[4:24, 10 + 4 * number : 14 + 4 * number] = 255
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


def test_rows_are_of_what_the_file_decodes_to(digits: list[Path]) -> None:
    rows = measured(digits, MODEL, 4, [1, 3])
    assert [(row.image, row.level, row.index_bits) for row in rows] == [
        ("0.png", 1, 3),
        ("0.png", 3, 9),
        ("1.png", 1, 3),
        ("1.png", 3, 9),
    ]
    codec = Codec(MODEL)
    with Image.open(digits[1]) as picture:
        data = codec.encode(picture, coding="plain", effort=3)
        assert rows[3].psnr == pytest.approx(psnr(picture, codec.decode(data).convert("RGB")), abs=1e-4)
    assert rows[3].bytes == len(data)


def test_level_0_is_the_gray_picture_that_a_model_is_given(tmp_path: Path) -> None:
    config = NetworkConfig(
        (StageConfig(stride=4, channels=4, features=0, basis=6, levels=(LevelConfig(16, 5),)),), condition="gray"
    )
    path = tmp_path / "gray.safetensors"
    network = DiscreteDistributionNetwork(config, torch.Generator().manual_seed(1))
    save_model(path, network, (LevelTables.flat(5),), name="gray", about="random")
    picture = Image.fromarray(draw_picture(16, 16, 1))
    picture.save(tmp_path / "drawn.png")
    known, coded = measured([tmp_path / "drawn.png"], str(path), 1, [0, 1])
    assert known.psnr == pytest.approx(psnr(picture, picture.convert("L").convert("RGB")), abs=1e-4)
    codec = Codec(path).condition(picture)
    decoded = codec.decode(codec.encode(picture, coding="plain", effort=1)).convert("RGB")
    assert (known.index_bits, coded.index_bits) == (0, 3)
    assert coded.psnr == pytest.approx(psnr(picture, decoded), abs=0.1)


def test_the_table_gives_means(digits: list[Path]) -> None:
    rows = measured(digits, MODEL, 1, [3])
    mean = (rows[0].psnr + rows[1].psnr) / 2
    assert f"| 3 | 9 | 1.125 | {mean:.2f} |" in render(rows)


def test_pictures_without_error_are_left_out_of_the_table(digits: list[Path]) -> None:
    rows = measured(digits, MODEL, 1, [3])
    shown = render([dataclasses.replace(rows[0], psnr=math.inf), rows[1]])
    assert f"| {rows[1].psnr:.2f} |" in shown and "Pictures: 1;" in shown and "Left out: 1 " in shown


def test_levels_that_a_model_has_not_are_refused(digits: list[Path]) -> None:
    for levels, named in (([1, 5], "1 to 5"), ([0, 3], "0 to 3")):
        with pytest.raises(BenchmarkError, match=f"levels 1 to 3, not {named}"):
            measured(digits, MODEL, 1, levels)


def test_the_command_writes_rows_and_prints_the_table(digits: list[Path], tmp_path: Path) -> None:
    command = ["--images", str(tmp_path), "--model", MODEL, "--levels", "1,3", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(faces, command)
    assert result.exit_code == 0, result.output
    assert "Pictures: 2; effort 1" in result.output
    rows = list(csv.DictReader((tmp_path / "out" / "faces.csv").read_text().splitlines()))
    assert [row["level"] for row in rows] == ["1", "3", "1", "3"]
    with Image.open(tmp_path / "out" / "faces.png") as sheet:
        assert sheet.size == (3 * PANEL, 2 * (PANEL + CAPTION))
        right = np.asarray(sheet.crop((2 * PANEL, PANEL + CAPTION, 3 * PANEL, 2 * PANEL + CAPTION)))
    with Image.open(digits[1]) as original:
        np.testing.assert_array_equal(right, np.asarray(original.resize((PANEL, PANEL), Image.Resampling.BICUBIC)))
