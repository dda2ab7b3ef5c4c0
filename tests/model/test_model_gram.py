"""Gram selection scores every candidate as building it would, and never builds one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bitstream import Header, Level, LevelTables
from ddncodec.codec import Codec
from ddncodec.coding.encoder import encode
from ddncodec.coding.engine import Engine
from ddncodec.coding.selection import least_cost_indices
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.model.cells import cosine_basis
from ddncodec.model.gram import Features, GramLayout, cost_changes, moments, normal_equations, terms
from ddncodec.samples import to_samples
from ddncodec.training.codebooks import CodebookState
from ddncodec.training.data.pictures import Batch
from ddncodec.training.step import StepOptions, walk
from ddncodec.zoo.loading import Model
from ddncodec.zoo.weights_file import ModelInfo

SHAPES = [(1, 16, 3), (1, 4, 0), (2, 24, 2), (4, 5, 4), (3, 1, 1)]
"""Side of a cell in trunk positions, cosine and learned features."""


def draw_problem(side: int, cosines: int, learned: int, outputs: int = 7) -> tuple[Features, Tensor, Tensor]:
    """Features of 2 x 3 x 4 cells, residuals near a candidate each, and a codebook whose entry 0 is zero."""
    random = torch.Generator().manual_seed(side * 100 + cosines)
    grid, pixels = (2, 3, 4), 16 * side * side
    features = Features(
        torch.randn(*grid, cosines, generator=random).exp(),
        cosine_basis(side, cosines),
        torch.randn(*grid, pixels, learned, generator=random),
    )
    codebook = 0.3 * torch.randn(outputs, cosines + learned, 3, generator=random)
    codebook[0] = 0
    truth = codebook[torch.randint(outputs, grid, generator=random)]
    return features, features.combine(truth) + 0.1 * torch.randn(*grid, pixels, 3, generator=random), codebook


def build_errors(features: Features, residual: Tensor, codebook: Tensor) -> Tensor:
    """Squared error of every candidate in every cell, (n, K), by building it."""
    errors = [
        (residual - features.combine(weight.expand(*features.grid, -1, -1))).square().sum(dim=(-1, -2)).flatten()
        for weight in codebook
    ]
    return torch.stack(errors, dim=1)


@pytest.mark.parametrize(("side", "cosines", "learned"), SHAPES)
def test_changes_equal_those_of_built_candidates(side: int, cosines: int, learned: int) -> None:
    features, residual, codebook = draw_problem(side, cosines, learned)
    errors = build_errors(features, residual, codebook)
    cells, candidates = moments(features, residual).flatten(0, 2), terms(codebook, cosines)
    free = torch.zeros(len(codebook))
    change = torch.cat(list(cost_changes(cells, candidates, free, limit=50)))
    torch.testing.assert_close(change, errors - errors[:, :1], rtol=1e-4, atol=1e-3)
    assert (change[:, 0] == 0).all()
    for prices in (free + 3, torch.rand(change.shape, generator=torch.Generator().manual_seed(2))):
        priced = torch.cat(list(cost_changes(cells, candidates, prices, limit=50)))
        torch.testing.assert_close(priced, change + prices, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("side", "cosines", "learned"), SHAPES)
def test_select_minimises_distortion_and_bits(side: int, cosines: int, learned: int) -> None:
    features, residual, codebook = draw_problem(side, cosines, learned)
    errors = build_errors(features, residual, codebook)
    bits = torch.linspace(0, 12, codebook.shape[0])
    extra = torch.linspace(-3, 9, errors.shape[0])
    unit = 0.05 * float(errors.mean())
    cells, candidates = moments(features, residual).flatten(0, 2), terms(codebook, cosines)
    indices = least_cost_indices(cells, candidates, unit * bits, unit * extra)
    cost = errors + unit * bits + unit * extra[:, None]
    cost[:, 0] = errors[:, 0]
    assert indices.dtype == torch.int64
    torch.testing.assert_close(indices, cost.argmin(dim=1))
    assert 0 < int((indices == 0).sum()) < len(indices)


def test_select_takes_prices_of_each_cell() -> None:
    features, residual, codebook = draw_problem(1, 8, 2)
    cells, candidates = moments(features, residual).flatten(0, 2), terms(codebook, 8)
    prices, threshold = torch.linspace(0, 5, 7), torch.zeros(len(cells))
    shared = least_cost_indices(cells, candidates, prices, threshold)
    assert torch.equal(least_cost_indices(cells, candidates, prices.expand(len(cells), 7), threshold), shared)


def test_no_cells_choose_nothing() -> None:
    _, _, codebook = draw_problem(1, 8, 2)
    candidates = terms(codebook, 8)
    indices = least_cost_indices(candidates[:0], candidates, torch.zeros(7), torch.zeros(0))
    assert indices.shape == (0,) and indices.dtype == torch.int64


def test_moments_add_up_to_normal_equations() -> None:
    features, residual, _ = draw_problem(2, 6, 3)
    right, gram = normal_equations(moments(features, residual).flatten(0, 2).sum(0, keepdim=True), GramLayout(6, 3))
    cosine = features.basis.T * features.gains[..., None, :]
    full, target = torch.cat([cosine, features.learned], dim=-1).flatten(0, 2), residual.flatten(0, 2)
    torch.testing.assert_close(gram[0], (full.mT @ full).sum(0), rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(right[0], (full.mT @ target).sum(0), rtol=1e-4, atol=1e-3)


class LargestTensor(TorchDispatchMode):
    """Remembers the largest number of elements that any operation returned."""

    def __init__(self) -> None:
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        sizes = [leaf.numel() for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        self.numel = max(self.numel, *sizes, 0)
        return result


OUTPUTS, SIDE = 512, 128


def large_codebook_network() -> DiscreteDistributionNetwork:
    levels = (LevelConfig(32, OUTPUTS), LevelConfig(16, OUTPUTS))
    config = NetworkConfig(
        (
            StageConfig(stride=8, channels=8, features=2, basis=6, levels=levels[:1]),
            StageConfig(stride=4, channels=8, features=2, basis=6, levels=levels[1:]),
        )
    )
    return DiscreteDistributionNetwork(config, torch.Generator().manual_seed(0))


def test_encoding_builds_no_candidate_pictures(
    tiny_codec: Codec, drawn_picture: Callable[[int, int, int], np.ndarray]
) -> None:
    network = large_codebook_network().requires_grad_(False)
    layout = tuple(Level(level.cell, level.outputs) for level in network.config.levels)
    info = ModelInfo("large", tiny_codec.info.path, bytes(8), network.config.to_json(), layout, "")
    tables = tuple(LevelTables.flat(level.outputs) for level in layout)
    header = Header(bytes(8), SIDE, SIDE, lambda_step=100)
    with LargestTensor() as largest:
        engine = Engine(Model(info, network, tables), torch.device("cpu"))
        encoded = encode(engine, drawn_picture(SIDE, SIDE, 0)[None], [header])
    assert max(plane.max() for plane in encoded[0].planes) > 0
    assert largest.numel * 20 < OUTPUTS * 3 * SIDE * SIDE


def test_the_layout_splits_what_it_packs() -> None:
    layout, random = GramLayout(6, 3, 3), torch.Generator().manual_seed(0)
    right, mixed = torch.randn(5, 9, 3, generator=random), torch.randn(5, 6, 3, generator=random)
    squares, images = torch.randn(5, 6, generator=random), torch.randn(5, 3, 4, generator=random)
    vectors = layout.pack([right[:, :6], right[:, 6:]], squares, mixed, images @ images.mT)
    assert vectors.shape == (5, layout.size)
    for part, expected in zip(layout.split(vectors), (right, squares, mixed, images @ images.mT), strict=True):
        torch.testing.assert_close(part, expected)


def test_training_builds_no_candidate_pictures(drawn_picture: Callable[[int, int, int], np.ndarray]) -> None:
    network = large_codebook_network()
    codebooks = [CodebookState(network.layer(level)) for level in range(2)]
    batch = Batch(to_samples(drawn_picture(SIDE, SIDE, 0)[None]), None)
    options = StepOptions((1.0, 1.0), autocast=False, final_weight=2.0)
    with LargestTensor() as largest:
        result = walk(network, codebooks, batch, torch.tensor([100.0]), options)
        result.loss.backward()
        for level in range(2):
            codebooks[level].update(result.observations[level], 0.99)
            codebooks[level].solve(network.layer(level))
    assert largest.numel * 20 < OUTPUTS * 3 * SIDE * SIDE
