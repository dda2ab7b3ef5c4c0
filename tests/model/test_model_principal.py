"""Models on principal components: exact analysis and synthesis, the mean as a start, candidates with their colours."""

from __future__ import annotations

import re

import pytest
import torch

from ddncodec.errors import ArgumentError
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.model.cells import from_cells, pack, to_cells, unpack
from ddncodec.model.gram import cost_changes, moments, terms
from ddncodec.model.principal import PrincipalComponents

CELL = 16


def build_network(count: int = 12, *, block: bool = False) -> DiscreteDistributionNetwork:
    """Two levels of one cell of 16 x 16 pixels on random components."""
    levels = (LevelConfig(CELL, 8), LevelConfig(CELL, 8, block=block))
    stage = StageConfig(stride=4, channels=8, features=0, basis=5, levels=levels, principal=count)
    random = torch.Generator().manual_seed(3)
    network = DiscreteDistributionNetwork(NetworkConfig((stage,), choice_embedding=False), random)
    components = network.stages[0].principal
    width = components.coefficients.shape[1]
    components.coefficients.data.copy_(torch.linalg.qr(torch.randn(width, count, generator=random)).Q.T)
    components.center.data.copy_(torch.randn(width, generator=random))
    components.refresh()
    return network


def test_analyze_inverts_synthesize() -> None:
    components = PrincipalComponents(4, 3)
    coefficients = torch.randn(5, components.coefficients.shape[1], generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(components.analyze(components.synthesize(coefficients)), coefficients)


def test_images_are_orthonormal_and_follow_the_coefficients_when_loaded() -> None:
    network = build_network()
    images = network.stages[0].principal.images
    torch.testing.assert_close(images @ images.T, torch.eye(12), atol=1e-5, rtol=0)
    other = DiscreteDistributionNetwork(network.config)
    assert not other.stages[0].principal.images.any()
    other.load_state_dict(network.state_dict())
    torch.testing.assert_close(other.stages[0].principal.images, images)


def test_synthesis_is_a_smooth_picture_in_pixel_order() -> None:
    components = PrincipalComponents(4, 1)
    gray = torch.zeros(1, components.coefficients.shape[1])
    gray[0, 1] = 1  # the lowest horizontal frequency of the brightness
    picture = unpack(from_cells(components.synthesize(gray).view(1, 1, 1, -1, 1), 4))[0]
    torch.testing.assert_close(picture[0], picture[2])
    assert bool((picture[0].diff(dim=1) < 0).all()) and float(picture[0].diff(dim=0).abs().max()) < 1e-6


def test_the_walk_begins_with_the_mean_of_every_cell() -> None:
    network = build_network()
    state = network.initial_state(torch.ones(2), CELL, 2 * CELL)
    left, right = state.image[..., :4], state.image[..., 4:]
    torch.testing.assert_close(left, right)
    mean = network.stages[0].principal.mean
    torch.testing.assert_close(to_cells(left, 4, 1).flatten(1)[0], mean)


def test_changes_equal_those_of_built_candidates() -> None:
    network = build_network()
    layer = network.layer(0)
    layer.component_indices.data.copy_(torch.tensor([1, 2, 5, 8, 11]))
    proposal = network.propose(network.initial_state(torch.ones(2), CELL, CELL))
    picture = pack(torch.rand(2, 3, CELL, CELL, generator=torch.Generator().manual_seed(1)))
    residual = to_cells(picture - proposal.image, layer.side, layer.colors)
    cells = moments(proposal.features, residual).flatten(0, 2)
    change = torch.cat(list(cost_changes(cells, terms(layer.codebook, layer.cosines), torch.zeros(8))))
    for index in range(8):
        image = network.advance(proposal, torch.full((2, 1, 1), index)).image
        error = (picture - image).square().sum((1, 2, 3)) - (picture - proposal.image).square().sum((1, 2, 3))
        torch.testing.assert_close(change[:, index], error, rtol=1e-4, atol=1e-3)


def test_a_level_without_a_block_continues_from_the_picture_before() -> None:
    network = build_network()
    first = network.propose(network.initial_state(torch.ones(1), CELL, CELL))
    state = network.advance(first, torch.ones(1, 1, 1, dtype=torch.int64))
    second = network.propose(state)
    assert second.image is state.image and second.hidden is state.hidden
    assert not any(name.startswith("stages.0.layers.1.mix") for name, _ in network.named_parameters())


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ((LevelConfig(CELL, 8),), "`principal` (=12) must be 20"),
        ((LevelConfig(CELL, 8), LevelConfig(8, 8)), "equal `cell`"),
        ((LevelConfig(CELL, 8, block=False),), "`block`"),
    ],
)
def test_shapes_that_cannot_be_are_refused(levels: tuple[LevelConfig, ...], message: str) -> None:
    basis = 20 if "20" in message else 5
    with pytest.raises(ArgumentError, match=re.escape(message)):
        StageConfig(stride=4, channels=8, features=0, basis=basis, levels=levels, principal=12)


def test_principal_components_need_a_single_stage() -> None:
    coarse, fine = (
        StageConfig(stride=stride, channels=8, features=0, basis=5, levels=(LevelConfig(CELL, 8),), principal=12)
        for stride in (8, 4)
    )
    with pytest.raises(ArgumentError, match="single stage"):
        NetworkConfig((coarse, fine))
