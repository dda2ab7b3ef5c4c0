"""Guided faces and their baselines are measured against the originals."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from drawing import draw_picture
from PIL import Image
from small_models import save_one_cell

from benchmarks.__main__ import main
from benchmarks.compare.rows import read_rows
from benchmarks.datasets import load_picture
from benchmarks.errors import BenchmarkError
from benchmarks.experiments.guidance import CSV_NAME, PICTURE_NAME, SIDE, TASKS, Case, GuidanceRow, Task, render, weigh
from ddncodec import Codec


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_one_cell(tmp_path_factory.mktemp("guidance") / "small.safetensors", SIDE)


def face(seed: int) -> Image.Image:
    return Image.fromarray(draw_picture(SIDE, SIDE, seed))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_an_original_meets_its_own_condition(task: Task) -> None:
    case = Case.of("drawn", face(1), task)
    assert case.row("itself", case.original).error < 0.01
    assert case.row("another", face(2)).error > 0.05
    assert case.baseline.size == (SIDE, SIDE) and case.baseline.mode == "RGB"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_correction_brings_a_picture_nearer_to_its_condition(task: Task) -> None:
    case = Case.of("drawn", face(1), task)
    noise = np.random.default_rng(0).normal(0, 12, (SIDE, SIDE, 3))
    noisy = Image.fromarray((np.asarray(case.original) + noise).clip(0, 255).astype(np.uint8))
    corrected = task.correct(noisy, case.given)
    assert case.row("corrected", corrected).error < 0.5 * case.row("noisy", noisy).error
    assert case.row("corrected", corrected).psnr > case.row("noisy", noisy).psnr


def test_other_sizes_are_refused() -> None:
    with pytest.raises(BenchmarkError, match="drawn is 32 x 64 pixels, must be 64 x 64"):
        Case.of("drawn", face(1).crop((0, 0, 32, 64)), TASKS[0])


def test_weights_are_searched_from_a_quarter(path: Path) -> None:
    weights = weigh(Codec(path), [Case.of("drawn", face(1), TASKS[1])], pool=4)
    assert len(weights) == 2 and all(np.log2(weight / 0.25).is_integer() and weight >= 0.25 for weight in weights)


def test_the_command_writes_rows_and_a_picture(path: Path, tmp_path: Path) -> None:
    for folder in ("faces", "judges"):
        (tmp_path / folder).mkdir()
        for seed in range(2):
            face(seed).save(tmp_path / folder / f"{seed}.png")
    words = ["guidance", "--images", tmp_path / "faces", "--judges", tmp_path / "judges", "--model", path, "--pool", 3]
    result = CliRunner().invoke(main, [str(word) for word in (*words, "--out", tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    rows = read_rows(tmp_path / CSV_NAME, GuidanceRow)
    methods = ["condition", "weighed", "again", "all", "corrected"]
    assert [row.method for row in rows[:13]] == ["bicubic", *methods, "gray", *methods, "trained"]
    assert len(rows) == 2 * 13 and render(rows) in result.output
    assert {row.pool for row in rows} == {0, 3, 5}
    with Image.open(tmp_path / PICTURE_NAME) as picture:
        assert picture.size == (6 * SIDE + 10, 4 * SIDE + 6)


def test_the_table_gives_means(path: Path) -> None:
    row = Case.of("drawn", face(1), TASKS[0]).row("bicubic", face(2))
    other = dataclasses.replace(row, image="other", psnr=row.psnr + 2)
    assert f"| super-resolution | bicubic |  |  | {row.psnr + 1:.2f} |" in render([row, other])
    assert "Pictures: 2" in render([row, other])


def test_the_astronaut_is_a_face_of_the_right_size(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["samples", str(tmp_path), "--face"])
    assert result.exit_code == 0, result.output
    (written,) = tmp_path.iterdir()
    assert written.name == "astronaut.png" and load_picture(written).size == (SIDE, SIDE)
