"""Neighbours are measured against labels in file names, with ties shared out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from drawing import draw_picture
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.experiments.retrieval import measure


def test_ties_count_by_their_share() -> None:
    paths = np.array([[1, 1], [1, 0], [1, 2], [0, 1]])
    samples = np.array([[0.0], [3.0], [2.0], [0.1]])
    found = measure(paths, samples, np.array(["a", "a", "b", "a"]), queries=1)
    assert (found.prefix, found.levels, found.tied) == (0.5, 1, 2)
    assert found.pixels == 1
    assert found.chance == pytest.approx(2 / 3)


def test_the_command_reads_labels_from_names(tmp_path: Path, tiny_path: Path) -> None:
    for number in range(6):
        picture = draw_picture(16, 16, number // 3)
        Image.fromarray(picture).save(tmp_path / f"{number}_{number // 3}.png")
    words = ["retrieval", "--data", str(tmp_path), "--queries", "2", "--stored", "4"]
    result = CliRunner().invoke(main, [*words, "--model", str(tiny_path)])
    assert result.exit_code == 1 and "needs one" in result.output, "the tiny model has several cells"
