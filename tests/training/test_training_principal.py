"""The closed-form start: components are those of the pictures, and every level lessens what is left."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddncodec.model import LevelConfig, NetworkConfig, StageConfig
from ddncodec.training.config import Phase, StartConfig
from ddncodec.training.data.augmentation import Augmentation
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.principal import lloyd, nearest, start_from_components
from ddncodec.training.recipes import FACE64
from ddncodec.training.state import TrainState
from ddncodec.training.trainer import train_step

CELL, LEVELS = 16, 6
RECIPE = dataclasses.replace(
    FACE64,
    network=NetworkConfig(
        (
            StageConfig(
                stride=4,
                channels=8,
                features=0,
                basis=6,
                levels=tuple(LevelConfig(CELL, 16, block=i % 2 == 0) for i in range(LEVELS)),
                principal=20,
            ),
        ),
        choice_embedding=False,
        smallest_lambda=1.0,
        largest_lambda=2.0,
    ),
    phases=(Phase(until=8, stages=1, batch=16, crop=CELL),),
    start=StartConfig(crops=300),
    augmentation=Augmentation(mirror=0.0),
    optimizer=dataclasses.replace(FACE64.optimizer, warmup=2),
    codebook=dataclasses.replace(FACE64.codebook, decay=0.95, decay_late=0.95),
)


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """Bright blobs at random places, which a few components describe."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:CELL, :CELL]
    for number in range(40):
        cy, cx, size = random.uniform(4, 12), random.uniform(4, 12), random.uniform(2, 5)
        blob = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / size**2)
        rgb = 40 + blob[:, :, None] * np.array([200, 120, 60])
        Image.fromarray(rgb.astype(np.uint8)).save(tmp_path / f"{number:02}.png")
    return Pictures(tmp_path, Augmentation(mirror=0.0))


def started(pictures: Pictures) -> TrainState:
    state = TrainState(RECIPE, torch.device("cpu"))
    start_from_components(state, pictures)
    return state


def test_every_level_lessens_the_error_from_the_start(pictures: Pictures) -> None:
    state = started(pictures)
    report = train_step(state, pictures, torch.device("cpu"), autocast=False)
    assert all(later > earlier for earlier, later in zip(report.psnr, report.psnr[1:]))
    assert report.psnr[-1] > report.psnr[0] + 3


def test_sums_solve_to_the_codebook(pictures: Pictures) -> None:
    state = started(pictures)
    for level, book in enumerate(state.codebooks):
        layer = state.network.layer(level)
        before = layer.codebook.detach().clone()
        book.solve(layer, 0.0)
        used = (book.counts * (1 - RECIPE.codebook.decay) / 16 * 300).round() >= 1
        # a last assignment after the last mean moves it a little
        cosine = torch.nn.functional.cosine_similarity(layer.codebook[used][1:, :, 0], before[used][1:, :, 0], dim=1)
        assert float(cosine.median()) > 0.9
        assert not layer.codebook[0].any()


def test_the_start_is_a_function_of_recipe_and_pictures(pictures: Pictures) -> None:
    first, second = started(pictures), started(pictures)
    for (name, one), (_, two) in zip(first.network.state_dict().items(), second.network.state_dict().items()):
        assert torch.equal(one, two), name
    assert torch.equal(first.average.stages[0].principal.images, first.network.stages[0].principal.images)


def test_lloyd_never_worsens_and_keeps_entry_zero() -> None:
    points = torch.randn(500, 4, generator=torch.Generator().manual_seed(1))
    errors = []
    for rounds in (1, 3, 9):
        codebook, indices = lloyd(points, 8, rounds, 0.0, torch.Generator().manual_seed(2))
        assert not codebook[0].any()
        assert torch.equal(indices, (points[:, None] - codebook[None]).square().sum(2).argmin(1))
        errors.append(float((points - codebook[indices]).square().sum()))
    assert errors[0] > errors[1] > errors[2]
    assert torch.equal(nearest(points, codebook), indices)
