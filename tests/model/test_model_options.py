"""The paper's options: levels that share a block, and levels that propose whole pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bitstream import LevelTables
from ddncodec.errors import ArgumentError
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig, State
from ddncodec.zoo.loading import load_model, save_model

LEVELS = tuple(LevelConfig(8, 5) for _ in range(3))


def build(*, shared: bool = False, residual: bool = True) -> DiscreteDistributionNetwork:
    random = torch.Generator().manual_seed(1)
    config = NetworkConfig(
        (StageConfig(stride=4, channels=8, features=2, basis=6, levels=LEVELS, shared=shared),), residual=residual
    )
    network = DiscreteDistributionNetwork(config, random)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=random)
    return network


@torch.no_grad()
def decode(network: DiscreteDistributionNetwork) -> torch.Tensor:
    state = network.initial_state(torch.tensor([500.0]), 16, 16)
    for index in (1, 4, 2):
        state = network.advance(network.propose(state), torch.full((1, 2, 2), index))
    return network.render(state)


def test_shared_levels_own_only_level_embedding_codebook_and_choice_embedding() -> None:
    own = {name for name, _ in build(shared=True).named_parameters() if name.startswith("stages.0.layers.1.")}
    assert own == {f"stages.0.layers.1.{part}" for part in ("level_embedding", "codebook", "choice_embedding")}
    assert "stages.0.layers.1.mix.weight" in dict(build().named_parameters())


def test_shared_weights_are_initialized_once() -> None:
    deep, flat = (
        DiscreteDistributionNetwork(
            NetworkConfig(
                (StageConfig(stride=4, channels=8, features=2, basis=6, levels=LEVELS[:count], shared=True),)
            ),
            torch.Generator().manual_seed(1),
        )
        for count in (3, 1)
    )
    assert torch.equal(deep.layer(2).out.weight, flat.layer(0).out.weight)


def test_level_embeddings_distinguish_shared_levels() -> None:
    network = build(shared=True)
    before = decode(network)
    network.layer(2).level_embedding.data += 1
    assert not torch.allclose(decode(network), before)


def test_shared_weights_are_stored_once(tmp_path: Path) -> None:
    sizes = {}
    for shared in (False, True):
        network, path = build(shared=shared), tmp_path / f"{shared}.safetensors"
        info = save_model(path, network, tuple(LevelTables.flat(5) for _ in LEVELS), name="some", about="a test")
        sizes[shared] = path.stat().st_size
        loaded = load_model(info, torch.device("cpu")).network
        torch.testing.assert_close(decode(loaded), decode(network), rtol=0, atol=5e-3)
    assert sizes[True] < 0.7 * sizes[False]


def test_shared_levels_must_be_alike() -> None:
    with pytest.raises(ArgumentError, match="`shared`"):
        StageConfig(
            stride=4, channels=8, features=2, basis=6, levels=(LevelConfig(8, 5), LevelConfig(4, 5)), shared=True
        )


@torch.no_grad()
def test_without_residual_a_level_proposes_whole_pictures() -> None:
    network = build(residual=False)
    state = network.initial_state(torch.tensor([500.0]), 16, 16)
    proposal = network.propose(state)
    torch.testing.assert_close(proposal.image, network.layer(0).to_base(proposal.hidden))
    later = State(0, state.hidden, state.image + 1, state.rate_condition)
    for residual, added in ((False, 0.0), (True, 1.0)):
        network = build(residual=residual)
        proposal = network.propose(later)
        torch.testing.assert_close(proposal.image, network.layer(0).to_base(proposal.hidden) + added)
