"""Conditional training: batches say their condition, and a model learns to use it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddncodec.codec import Codec
from ddncodec.errors import ArgumentError
from ddncodec.model import LevelConfig, NetworkConfig, StageConfig
from ddncodec.model.cells import unpack
from ddncodec.model.condition import gray_of
from ddncodec.training.config import OptimizerConfig, Phase, Recipe, StartConfig
from ddncodec.training.data.augmentation import Augmentation
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.principal import start_from_components
from ddncodec.training.recipes import MNIST
from ddncodec.training.release import release
from ddncodec.training.state import TrainState
from ddncodec.training.trainer import train, train_step
from ddncodec.training.validate import validate

CELL = 8
CLASSES = 3
COLORS = np.array([[240, 40, 40], [40, 240, 40], [40, 40, 240]])


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """Noise around a colour for each class."""
    random = np.random.default_rng(0)
    for number in range(30):
        noise = random.normal(0, 12, (CELL, CELL, 3))
        pixels = (COLORS[number % CLASSES] + noise).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number:02}_{number % CLASSES}.png")
    return Pictures(tmp_path, Augmentation(mirror=0.0))


def recipe(condition: str) -> Recipe:
    levels = tuple(LevelConfig(CELL, 2) for _ in range(2))
    network = NetworkConfig(
        (StageConfig(stride=4, channels=8, features=0, basis=4, levels=levels, principal=8),),
        smallest_lambda=1.0,
        largest_lambda=2.0,
        condition=condition,
        classes=CLASSES if condition == "class" else 0,
    )
    return dataclasses.replace(
        MNIST,
        network=network,
        phases=(Phase(until=40, stages=1, batch=16, crop=CELL),),
        optimizer=OptimizerConfig(learning_rate=1e-2, warmup=5),
        start=StartConfig(crops=60),
    )


def test_batches_know_the_class_of_every_crop(pictures: Pictures) -> None:
    batch = pictures.batch(20, CELL, (1,), "class")
    assert torch.equal(batch.crops, pictures.crops(20, CELL, (1,)))
    assert torch.equal(batch.crops.mean(dim=(2, 3)).argmax(dim=1), batch.condition)


def test_planes_are_those_of_the_crops(pictures: Pictures) -> None:
    gray, edges = (pictures.batch(4, CELL, (1,), kind) for kind in ("gray", "edges"))
    assert gray.condition.shape == edges.condition.shape == (4, 1, CELL, CELL)
    expected = (gray.crops * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=1)
    torch.testing.assert_close(gray.condition[:, 0], expected)
    assert -1 <= edges.condition.min() < edges.condition.max() <= 1
    plane = np.asarray(Image.fromarray(pictures.picture(5)).convert("L"), int)
    assert np.abs(pictures.condition(5, "gray") - plane).max() <= 1


def test_a_picture_without_a_class_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (CELL, CELL)).save(tmp_path / "nameless.png")
    with pytest.raises(ArgumentError, match=r"nameless\.png: a picture whose class is the condition"):
        Pictures(tmp_path).batch(1, CELL, (0,), "class")


@pytest.mark.parametrize("condition", ["none", "class", "gray", "edges"])
def test_every_kind_trains_to_a_codec(condition: str, pictures: Pictures, tmp_path: Path) -> None:
    state = TrainState(recipe(condition), torch.device("cpu"))
    start_from_components(state, pictures)
    train(state, pictures, tmp_path, torch.device("cpu"), autocast=False)
    path = tmp_path / "out.safetensors"
    release(state, pictures, path, name="out", about="a test", images=6)
    assert Codec(path).engine.model.network.config.condition == condition
    (point,) = validate(path, pictures.source, qualities=(100.0,))
    assert point.psnr > 12


def test_the_walk_begins_with_the_mean_of_the_class_or_with_the_gray_picture(pictures: Pictures) -> None:
    for kind in ("class", "gray"):
        state, batch = TrainState(recipe(kind), torch.device("cpu")), pictures.batch(12, CELL, (2,), kind)
        start_from_components(state, pictures)
        begun = unpack(state.network.initial_state(torch.ones(12), CELL, CELL, batch.condition).image)
        if kind == "class":
            assert (begun - batch.crops).mean(dim=(2, 3)).abs().max() < 0.1
        else:
            assert (gray_of(begun) - batch.condition[:, 0]).abs().mean() < 0.02


def test_a_network_learns_what_a_class_looks_like(pictures: Pictures) -> None:
    """One level of two outputs does not tell three colours apart; a class does."""
    means = {}
    for condition in ("none", "class"):
        state = TrainState(recipe(condition), torch.device("cpu"))
        start_from_components(state, pictures)
        steps = [train_step(state, pictures, torch.device("cpu"), autocast=False).psnr[0] for _ in range(40)]
        means[condition] = np.mean(steps[-10:])
    assert means["class"] > means["none"] + 1
