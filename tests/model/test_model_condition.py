"""Conditional networks: a condition changes the walk, must be given, and leaves other networks as they were."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from bitstream import LevelTables
from ddncodec.errors import ArgumentError
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.model.condition import edges_of, gray_of
from ddncodec.zoo.loading import load_model, save_model

LEVELS = tuple(LevelConfig(16, 5) for _ in range(3))
COARSE = (
    StageConfig(stride=8, channels=8, features=2, basis=6, levels=LEVELS[:1]),
    StageConfig(stride=4, channels=8, features=2, basis=6, levels=LEVELS),
)
CONDITIONS = {
    "class": torch.tensor([2]),
    "gray": torch.linspace(-1, 1, 32 * 48).view(1, 1, 32, 48),
    "edges": torch.linspace(-1, 1, 32 * 48).view(1, 1, 32, 48),
}


def build(kind: str, *, principal: int = 0, stages: tuple[StageConfig, ...] = ()) -> DiscreteDistributionNetwork:
    stages = stages or (
        StageConfig(stride=4, channels=8, features=0 if principal else 2, basis=6, levels=LEVELS, principal=principal),
    )
    config = NetworkConfig(stages, condition=kind, classes=4 if kind == "class" else 0)
    random = torch.Generator().manual_seed(1)
    network = DiscreteDistributionNetwork(config, random)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "component_indices" not in name:
                parameter += 0.05 * torch.randn(parameter.shape, generator=random)
    return network


@torch.no_grad()
def decode(network: DiscreteDistributionNetwork, condition: Tensor | None, batch: int = 1) -> Tensor:
    state = network.initial_state(torch.full((batch,), 500.0), 32, 48, condition)
    for _ in network.config.levels:
        proposal = network.propose(state)
        state = network.advance(proposal, torch.ones(proposal.features.grid, dtype=torch.int64))
    return network.render(state)


@pytest.mark.parametrize("principal", [0, 8])
@pytest.mark.parametrize("kind", CONDITIONS)
def test_what_is_given_changes_the_picture(kind: str, principal: int) -> None:
    network, condition = build(kind, principal=principal), CONDITIONS[kind]
    other = condition - 1 if kind == "class" else condition.flip(3)
    assert (decode(network, condition) - decode(network, other)).abs().mean() > 1e-3


@pytest.mark.parametrize("kind", CONDITIONS)
def test_a_batch_may_share_what_is_given_or_not(kind: str) -> None:
    network, condition = build(kind, stages=COARSE), CONDITIONS[kind]
    other = condition - 1 if kind == "class" else -condition
    shared, each = decode(network, condition, 2), decode(network, torch.cat([condition, other]), 2)
    torch.testing.assert_close(shared[0], shared[1])
    torch.testing.assert_close(each[0], shared[0])
    torch.testing.assert_close(each[1], decode(network, other)[0])


def test_the_walk_begins_with_a_gray_picture() -> None:
    state = build("gray", stages=COARSE).initial_state(torch.ones(1), 32, 48, CONDITIONS["gray"])
    samples = state.image[0].view(4, 4, 3, 4, 6)
    assert torch.equal(samples[:, :, 0], samples[:, :, 2])
    assert float(samples[3, 3, 1, 3, 5]) == pytest.approx(float(CONDITIONS["gray"][0, 0, -2:, -2:].mean()), abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        ("none", torch.tensor([1])),
        ("class", None),
        ("class", torch.tensor([4])),
        ("class", torch.tensor([-1])),
        ("class", torch.tensor([1.0])),
        ("class", CONDITIONS["gray"]),
        ("gray", None),
        ("gray", torch.tensor([1])),
        ("edges", torch.zeros(1, 1, 32, 40)),
        ("edges", torch.zeros(1, 3, 32, 48)),
    ],
)
def test_what_does_not_fit_is_refused(kind: str, condition: Tensor | None) -> None:
    with pytest.raises(ArgumentError, match="`condition`"):
        decode(build(kind), condition)


@pytest.mark.parametrize(
    "options", [{"condition": "sound"}, {"condition": "class"}, {"condition": "class", "classes": 1}, {"classes": 3},
                {"condition": "gray", "classes": 3}, {"classes": -1}],
)  # fmt: skip
def test_impossible_conditions_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match=r"`(condition|classes)`"):
        NetworkConfig(COARSE, **options)


def test_json_names_what_is_given_only_where_something_is() -> None:
    assert not {"given", "classes"} & json.loads(NetworkConfig(COARSE).to_json()).keys()
    config = NetworkConfig(COARSE, condition="class", classes=10)
    assert NetworkConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("kind", CONDITIONS)
def test_conditional_weights_are_stored(kind: str, tmp_path: Path) -> None:
    network = build(kind)
    tables = tuple(LevelTables.flat(5) for _ in LEVELS)
    info = save_model(tmp_path / "some.safetensors", network, tables, name="some", about="a test")
    loaded = load_model(info, torch.device("cpu")).network
    torch.testing.assert_close(decode(loaded, CONDITIONS[kind]), decode(network, CONDITIONS[kind]), rtol=0, atol=5e-3)


def test_gray_is_that_of_pillow_and_edges_are_slopes() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    samples = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    expected = np.asarray(Image.fromarray(pixels).convert("L"), np.float32) / 255
    np.testing.assert_allclose(gray_of(samples)[0], expected, atol=0.003)
    step = torch.zeros(1, 3, 8, 8)
    step[..., 4:] = 1
    edges = edges_of(step)[0]
    assert torch.equal(edges[:, 3:5], torch.ones(8, 2)) and not edges[:, :3].any() and not edges[:, 5:].any()
