"""Split-and-Prune beats gradient descent alone and as many real samples; divergences are what they say."""

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.experiments.density import (
    CSV_NAME,
    METHODS,
    PICTURE_NAME,
    SIDE,
    TABLE_NAME,
    TARGETS,
    density,
    divergences,
    draw,
    measure,
)


@pytest.mark.parametrize("name", TARGETS)
def test_targets_are_densities_without_empty_places(name: str) -> None:
    target = density(name)
    assert target.shape == (SIDE, SIDE)
    assert target.sum() == pytest.approx(1)
    assert target.min() > 0


def test_samples_follow_the_target() -> None:
    target, random = density("bitmap"), np.random.default_rng(0)
    found, _, _ = np.histogram2d(*draw(target, 40_000, random).T, bins=8, range=((0, 1), (0, 1)))
    wanted = 40_000 * target.reshape(8, SIDE // 8, 8, SIDE // 8).sum(axis=(1, 3))
    assert (abs(found - wanted) < 5 * np.sqrt(wanted)).all()


def test_divergences_vanish_for_points_in_the_right_proportion() -> None:
    target = np.full((SIDE, SIDE), 1 / SIDE**2)
    points = (np.stack(np.mgrid[0:SIDE, 0:SIDE], axis=-1).reshape(-1, 2) + 0.5) / SIDE
    assert divergences(target, points) == pytest.approx((0, 0), abs=1e-9)
    half = points[points[:, 0] < 0.5]
    assert divergences(target, half)[1] == pytest.approx(np.log(2))


def test_split_and_prune_beats_gradient_alone_and_real_samples() -> None:
    rows = {method: measure("spiral", method, 500, 200, 0)[0] for method in METHODS}
    for name in ("forward", "reverse"):
        score = {method: getattr(row, name) for method, row in rows.items()}
        assert score["split-and-prune"] < min(score["gradient"], score["samples"])


def test_the_command_writes_rows_table_and_picture(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["density", "--points", "50", "--steps", "3", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    with (tmp_path / CSV_NAME).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["target"], row["method"]) for row in rows] == [(t, m) for t in TARGETS for m in METHODS]
    assert result.output == (tmp_path / TABLE_NAME).read_text()
    assert f"{float(rows[0]['forward']):.3f}" in result.output
    with Image.open(tmp_path / PICTURE_NAME) as picture:
        assert picture.size == (SIDE * (1 + len(METHODS)), SIDE * len(TARGETS))
