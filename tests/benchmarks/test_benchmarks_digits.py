"""Classifiers learn what they are shown, and a steered model is judged by both."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.experiments.digits import CSV_NAME, PICTURE_NAME, accuracy, load_digits, scorer_of, train_classifier
from bitstream import LevelTables
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.zoo.loading import save_model


def draw_digit(label: int, random: np.random.Generator) -> np.ndarray:
    """Not a digit: a bright bar whose place says the label."""
    plane = random.integers(0, 40, (28, 28))
    plane[2 * label + 2 : 2 * label + 7] += 200
    return plane.astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, random = tmp_path_factory.mktemp("digits"), np.random.default_rng(0)
    for name, count in (("train.zip", 600), ("test.zip", 50)):
        with zipfile.ZipFile(path / name, "w") as archive:
            for number in range(count):
                data = io.BytesIO()
                Image.fromarray(draw_digit(number // 2 % 10, random)).save(data, "PNG")
                archive.writestr(f"{number:05}_{number // 2 % 10}.png", data.getvalue())
    return path


def test_a_classifier_scores_what_it_learned(folder: Path) -> None:
    digits, labels = load_digits(folder / "train.zip", slice(None))
    classifier = train_classifier(digits, labels, channels=4, seed=1)
    tested, wanted = load_digits(folder / "test.zip", slice(None))
    assert accuracy(classifier, tested, wanted) > 0.8
    scores = scorer_of(classifier, 3)(tested.repeat(1, 3, 1, 1))
    assert scores.shape == (50,)
    assert scores[wanted == 3].mean() < scores[wanted != 3].mean()


def test_the_command_writes_rows_and_a_picture(folder: Path, tmp_path: Path) -> None:
    levels = tuple(LevelConfig(28, 6) for _ in range(2))
    config = NetworkConfig((StageConfig(stride=4, channels=4, features=0, basis=6, levels=levels),))
    network = DiscreteDistributionNetwork(config, torch.Generator().manual_seed(1))
    path = tmp_path / "small.safetensors"
    save_model(path, network, tuple(LevelTables.flat(6) for _ in levels), name="small", about="random")
    words = ["digits", "--data", folder, "--model", path, "--samples", 2, "--pool", 4, "--out", tmp_path / "out"]
    words += ["--pictures", tmp_path / "made"]
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    with (tmp_path / "out" / CSV_NAME).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["digit"] for row in rows] == [str(digit) for digit in range(10)]
    assert all(0 <= float(row["judged"]) <= 1 for row in rows)
    with Image.open(tmp_path / "out" / PICTURE_NAME) as picture:
        assert picture.size == (2 * 28 + 2, 10 * 28 + 18)
        sheet = np.asarray(picture)
    assert len(list((tmp_path / "made").iterdir())) == 20
    with Image.open(tmp_path / "made" / "001_7.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), sheet[7 * 30 : 7 * 30 + 28, 30:])
    assert result.output.splitlines()[-1].startswith("all: ")
