"""Beam search over pictures of one cell: width 1 is greedy, wider is no worse, all paths give the best one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bitstream import Header, Level, LevelTables, Planes
from ddncodec.coding.beam import is_one_cell, search_planes
from ddncodec.coding.engine import Engine
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.zoo.loading import Model
from ddncodec.zoo.weights_file import ModelInfo

CELL, LEVELS, OUTPUTS = 16, 4, 4
HEADER = Header(bytes(8), CELL, CELL, lambda_step=0)


@pytest.fixture(scope="module")
def engine() -> Engine:
    """A network that is not trained, whose base predictions depend on what was chosen before."""
    stage = StageConfig(
        stride=4, channels=8, features=0, basis=6, levels=tuple(LevelConfig(CELL, OUTPUTS) for _ in range(LEVELS))
    )
    config = NetworkConfig((stage,), smallest_lambda=1.0, largest_lambda=2.0)
    network = DiscreteDistributionNetwork(config, torch.Generator().manual_seed(0)).requires_grad_(False)
    for level in range(LEVELS):
        layer = network.layer(level)
        layer.to_base.weight.normal_(0, 0.02, generator=torch.Generator().manual_seed(level))
    layout = tuple(Level(CELL, OUTPUTS) for _ in range(LEVELS))
    info = ModelInfo("beam", Path("none"), bytes(8), config.to_json(), layout, "")
    return Engine(Model(info, network, tuple(LevelTables.flat(OUTPUTS) for _ in layout)), torch.device("cpu"))


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Smooth ones, such as the first codebooks are made for."""
    small = np.random.default_rng(5).integers(0, 256, (12, 3, 3, 3), dtype=np.uint8)
    large = (Image.fromarray(each).resize((CELL, CELL), Image.Resampling.BICUBIC) for each in small)
    return np.stack([np.asarray(each) for each in large])


def error(engine: Engine, picture: np.ndarray, planes: Planes) -> float:
    """Squared error of the picture before it is rounded to 8 bits."""
    return float((engine.decode([planes], [HEADER]) - engine.samples(picture[None])).square().sum())


def search(engine: Engine, picture: np.ndarray, beam: int) -> Planes:
    return search_planes(engine, engine.samples(picture[None]), HEADER, torch.ones(1), beam)


def as_planes(indices: Sequence[int]) -> Planes:
    return [np.array([[index]], np.int32) for index in indices]


def test_width_one_takes_the_best_of_every_level(engine: Engine, pictures: np.ndarray) -> None:
    for picture in pictures[:4]:
        planes = search(engine, picture, 1)
        for level in range(LEVELS):
            errors = [error(engine, picture, [*planes[:level], *as_planes([index])]) for index in range(OUTPUTS)]
            assert int(planes[level][0, 0]) == int(np.argmin(errors))


def test_a_wider_beam_finds_better_pictures(engine: Engine, pictures: np.ndarray) -> None:
    narrow, wide = (
        sum(error(engine, picture, search(engine, picture, beam)) for picture in pictures) for beam in (1, 16)
    )
    assert wide < 0.995 * narrow


def test_a_beam_over_everything_finds_the_best_path(engine: Engine, pictures: np.ndarray) -> None:
    for picture in pictures[:2]:
        errors = {
            path: error(engine, picture, as_planes(path)) for path in itertools.product(range(OUTPUTS), repeat=LEVELS)
        }
        found = tuple(int(plane[0, 0]) for plane in search(engine, picture, OUTPUTS**LEVELS))
        assert errors[found] <= min(errors.values()) * (1 + 1e-4)


def test_pictures_of_more_cells_are_searched_otherwise(engine: Engine) -> None:
    assert is_one_cell(engine, HEADER)
    assert not is_one_cell(engine, Header(bytes(8), CELL + 1, CELL, lambda_step=0))
