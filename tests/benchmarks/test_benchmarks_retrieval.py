"""Neighbours are measured against labels in file names, with ties shared out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from drawing import draw_picture
from PIL import Image
from small_models import save_one_cell

from benchmarks.__main__ import main
from benchmarks.experiments.retrieval import measure


def test_ties_count_by_their_share() -> None:
    paths = np.array([[1, 1], [1, 0], [1, 2], [0, 1]])
    samples = np.array([[0.0], [3.0], [2.0], [0.1]])
    found = measure(paths, samples, np.array(["a", "a", "b", "a"]), queries=1)
    assert (found.prefix, found.levels, found.tied) == (0.5, 1, 2)
    assert found.pixels == 1
    assert found.chance == pytest.approx(2 / 3)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Six pictures of two kinds; the name says the number before and the kind after its underscore."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(6):
        Image.fromarray(draw_picture(16, 16, number % 2)).save(folder / f"{number}_{number % 2}.png")
    return folder


def test_the_command_reads_labels_from_names(labelled: Path, tmp_path: Path) -> None:
    model = save_one_cell(tmp_path / "small.safetensors", side=16)
    words = ["retrieval", "--data", labelled, "--model", model, "--queries", 2, "--stored", 4]
    shares = {}
    for side in ("after", "before"):
        command = [*words, "--label", side, "--out", tmp_path / "drawn.png"]
        result = CliRunner().invoke(main, [str(word) for word in command], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        shares[side] = re.findall(r"([\d.]+)% by pixels", result.output)
    assert shares == {"after": ["100.0"], "before": ["0.0"]}, "equal pictures are of one kind and have other numbers"
    with Image.open(tmp_path / "drawn.png") as drawn:
        assert drawn.size == (2 * 16, 3 * 16)


def test_models_of_several_cells_are_refused(labelled: Path, tiny_path: Path) -> None:
    words = ["retrieval", "--data", str(labelled), "--queries", "2", "--stored", "4", "--model", str(tiny_path)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1 and "needs one" in result.output
