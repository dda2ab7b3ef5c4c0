"""The walk through the levels: any size, candidate 0 keeps, every level renders, decoding is differentiable."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig, State, gram
from ddncodec.training.recipes import TINY

LAMBDAS = torch.tensor([500.0, 5000.0])
CONFIGS = {
    "tiny": TINY.network,
    "no choice embedding": NetworkConfig(TINY.network.stages, choice_embedding=False),
    "one stage": NetworkConfig(
        (StageConfig(stride=4, channels=8, features=2, basis=6, levels=(LevelConfig(8, 4), LevelConfig(4, 2))),)
    ),
    "whole proposals": NetworkConfig(TINY.network.stages, residual=False),
    "recurrent": NetworkConfig(
        (
            StageConfig(
                stride=4, channels=8, features=2, basis=6, levels=(LevelConfig(8, 4), LevelConfig(8, 4)), shared=True
            ),
        )
    ),
    "three stages": NetworkConfig(
        tuple(
            StageConfig(stride=stride, channels=6, features=1, basis=3, levels=(LevelConfig(stride, 3),))
            for stride in (16, 8, 4)
        )
    ),
}


def build(name: str = "tiny") -> DiscreteDistributionNetwork:
    """A network in which every parameter is drawn at random, those that start at zero as well."""
    random = torch.Generator().manual_seed(1)
    network = DiscreteDistributionNetwork(CONFIGS[name], random)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=random)
        for level in range(len(network.config.levels)):
            network.layer(level).codebook[0] = 0
    return network


def random_indices(network: DiscreteDistributionNetwork, height: int, width: int) -> list[Tensor]:
    random = torch.Generator().manual_seed(2)
    return [
        torch.randint(level.outputs, (2, height // level.cell, width // level.cell), generator=random)
        for level in network.config.levels
    ]


def walk(network: DiscreteDistributionNetwork, indices: list[Tensor], height: int, width: int) -> list[State]:
    states = [network.initial_state(LAMBDAS, height, width)]
    for each in indices:
        states.append(network.advance(network.propose(states[-1]), each))
    return states[1:]


@pytest.mark.parametrize("name", sorted(CONFIGS))
@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (1, 3), (4, 2)])
def test_every_level_renders_at_full_size(name: str, rows: int, cols: int) -> None:
    network = build(name)
    height, width = rows * network.config.alignment, cols * network.config.alignment
    with torch.no_grad():
        for state in walk(network, random_indices(network, height, width), height, width):
            picture = network.render(state)
            assert picture.shape == (2, 3, height, width)
            assert picture.dtype == torch.float32
            assert picture.isfinite().all()


@torch.no_grad()
def test_candidate_zero_keeps_the_base_prediction() -> None:
    network = build()
    state = network.initial_state(LAMBDAS, 32, 48)
    for level in network.config.levels:
        proposal = network.propose(state)
        state = network.advance(proposal, torch.zeros(2, 32 // level.cell, 48 // level.cell, dtype=torch.int64))
        assert torch.equal(state.image, proposal.image)


@torch.no_grad()
@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_following_in_strips_is_proposing_and_advancing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(name)
    indices = random_indices(network, 64, 32)
    expected = walk(network, indices, 64, 32)
    monkeypatch.setattr(gram, "CACHED", 1)  # strips of one row of cells
    state = network.initial_state(LAMBDAS, 64, 32)
    for each, after in zip(indices, expected, strict=True):
        state = network.follow(state, each)
        assert state.level == after.level
        torch.testing.assert_close(state.image, after.image, rtol=0, atol=1e-5)
        torch.testing.assert_close(state.hidden, after.hidden, rtol=0, atol=1e-5)


@torch.no_grad()
def test_an_index_changes_its_own_cell_only() -> None:
    network = build()
    proposal = network.propose(network.initial_state(LAMBDAS, 32, 48))
    indices = torch.zeros(2, 2, 3, dtype=torch.int64)
    indices[0, 1, 2] = 3
    side = network.layer(0).side
    changed = (network.advance(proposal, indices).image != proposal.image).any(dim=1)
    assert changed[0, side:, 2 * side :].all()
    changed[0, side:, 2 * side :] = False
    assert not changed.any()


@torch.no_grad()
def test_scales_go_from_coarse_to_fine() -> None:
    network = build("three stages")
    assert [network.scale(level) for level in range(3)] == [4, 2, 1]
    states = walk(network, random_indices(network, 32, 32), 32, 32)
    assert [state.image.shape[2] for state in states] == [2, 4, 8]
    assert [state.level for state in states] == [1, 2, 3]


def test_rate_condition_spans_minus_one_to_one() -> None:
    network = build()
    config = network.config
    condition = network.rate_condition(torch.tensor([config.smallest_lambda, config.largest_lambda]))
    torch.testing.assert_close(condition, torch.tensor([[-1.0, 1.0], [1.0, 1.0]]))


@torch.no_grad()
def test_lambda_conditions_the_picture() -> None:
    network = build()
    indices = [each[:1].expand(2, -1, -1) for each in random_indices(network, 32, 32)]
    picture = network.render(walk(network, indices, 32, 32)[-1])
    assert not torch.equal(picture[0], picture[1])


def test_pictures_in_a_batch_do_not_see_each_other() -> None:
    network = build()
    indices = random_indices(network, 32, 32)
    with torch.no_grad():
        together = network.render(walk(network, indices, 32, 32)[-1])
        state = network.initial_state(LAMBDAS[1:], 32, 32)
        for each in indices:
            state = network.advance(network.propose(state), each[1:])
        torch.testing.assert_close(network.render(state)[0], together[1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("codebook", ["gram-lloyd", "gradient"])
def test_decoded_picture_is_differentiable_with_indices_fixed(codebook: str) -> None:
    config = NetworkConfig(TINY.network.stages, codebook)
    network = DiscreteDistributionNetwork(config, torch.Generator().manual_seed(3))
    states = walk(network, random_indices(network, 32, 32), 32, 32)
    loss = sum(network.render(state).square().mean() for state in states)
    assert isinstance(loss, Tensor)
    loss.backward()
    missing = {name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()}
    last = f"stages.1.layers.{len(config.stages[1].levels) - 1}.choice_embedding"
    frozen = {name for name, _ in network.named_parameters() if codebook == "gram-lloyd" and name.endswith("codebook")}
    assert missing == frozen | {last}


def test_the_same_generator_gives_the_same_network() -> None:
    one, other = build(), build()
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values()))


def test_without_a_generator_weights_wait_to_be_loaded() -> None:
    network = DiscreteDistributionNetwork(TINY.network)
    network.load_state_dict(build().state_dict())
    assert all(torch.equal(a, b) for a, b in zip(network.state_dict().values(), build().state_dict().values()))
