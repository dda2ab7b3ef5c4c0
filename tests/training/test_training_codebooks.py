"""Gram-Lloyd is least squares per output; Split-and-Prune revives the dead and keeps the books."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ddncodec.model import LevelConfig, NetworkConfig, StageConfig
from ddncodec.model.cells import cosine_basis
from ddncodec.model.gram import Features, moments
from ddncodec.model.layer import DiscreteDistributionLayer
from ddncodec.training.codebooks import BUCKETS, RIDGE, CodebookState, bucket_of
from ddncodec.training.config import CodebookConfig, Phase, Recipe
from ddncodec.training.split_and_prune import perturb_rows, plan_splits, split_rows
from ddncodec.training.state import TrainState
from ddncodec.training.trainer import update_codebooks

OUTPUTS, COSINES, LEARNED, SIDE = 5, 6, 3, 2


def build_layer(outputs: int = OUTPUTS) -> DiscreteDistributionLayer:
    stage = StageConfig(stride=4, channels=8, features=LEARNED, basis=COSINES, levels=(LevelConfig(4 * SIDE, outputs),))
    torch.manual_seed(0)
    layer = DiscreteDistributionLayer(stage, stage.levels[0], gradient_codebook=False, choice_embedding=True)
    layer.codebook.data.normal_()
    layer.codebook.data[0] = 0
    return layer


def draw_cells(random: torch.Generator) -> tuple[Features, torch.Tensor, torch.Tensor]:
    """Features and residuals of 2 x 6 x 6 cells, and the output each chose; output 4 never is."""
    grid, pixels = (2, 6, 6), 16 * SIDE * SIDE
    features = Features(
        torch.rand(*grid, COSINES, generator=random) + 0.5,
        cosine_basis(SIDE, COSINES),
        torch.randn(*grid, pixels, LEARNED, generator=random),
    )
    return features, torch.randn(*grid, pixels, 3, generator=random), torch.randint(4, grid, generator=random)


def test_solve_is_ridge_regression_of_each_outputs_cells() -> None:
    layer, random = build_layer(), torch.Generator().manual_seed(1)
    before = layer.codebook.detach().clone()
    state = CodebookState(layer)
    features, residual, indices = draw_cells(random)
    state.update(state.observe(moments(features, residual), indices, torch.zeros(2), torch.ones(2)), decay=0.0)
    state.solve(layer)
    cosine = features.basis.T * features.gains[..., None, :]
    full = torch.cat([cosine, features.learned], dim=-1).double().numpy()
    for output in (1, 2, 3):
        chosen = (indices == output).numpy()
        design, target = full[chosen].reshape(-1, COSINES + LEARNED), residual.numpy()[chosen].reshape(-1, 3)
        ridge = RIDGE * np.trace(design.T @ design) / design.shape[1]
        rows = np.vstack([design, np.sqrt(ridge) * np.eye(design.shape[1])])
        solution = np.linalg.lstsq(rows, np.vstack([target, np.zeros((design.shape[1], 3))]), rcond=None)[0]
        np.testing.assert_allclose(layer.codebook[output].detach().numpy(), solution, rtol=1e-3, atol=1e-4)
    assert torch.equal(layer.codebook[0], before[0]), "output 0 keeps"
    assert torch.equal(layer.codebook[4], before[4]), "nobody chose output 4"


def test_solving_never_raises_the_error_of_an_assignment() -> None:
    layer, random = build_layer(), torch.Generator().manual_seed(2)
    state = CodebookState(layer)
    features, residual, indices = draw_cells(random)

    def error() -> float:
        return float((residual - features.combine(layer.codebook[indices])).square().sum())

    before = error()
    state.update(state.observe(moments(features, residual), indices, torch.zeros(2), torch.ones(2)), decay=0.0)
    state.solve(layer)
    assert error() < before


def test_sums_are_moving_averages_and_add_over_batches() -> None:
    layer, random = build_layer(), torch.Generator().manual_seed(3)
    state, t = CodebookState(layer), torch.tensor([-1.0, 0.99])
    features, residual, indices = draw_cells(random)
    cells = moments(features, residual)
    weights = torch.tensor([1.0, 2.0])
    whole = state.observe(cells, indices, t, weights)
    halves = [state.observe(cells[[i]], indices[[i]], t[[i]], weights[[i]]) for i in range(2)]
    torch.testing.assert_close(halves[0] + halves[1], whole, rtol=1e-4, atol=1e-4)
    state.update(whole, decay=0.5)
    first = state.sums.clone()
    state.update(whole, decay=0.5)
    torch.testing.assert_close(state.sums, 1.5 * first)
    assert state.counts.sum() == pytest.approx(0.25 * OUTPUTS + 1.5 * indices.numel())


def test_weights_count_in_sums_alone() -> None:
    layer, random = build_layer(), torch.Generator().manual_seed(5)
    features, residual, indices = draw_cells(random)
    cells, t = moments(features, residual), torch.zeros(2)
    once, thrice = CodebookState(layer), CodebookState(layer)
    once.update(once.observe(cells, indices, t, torch.tensor([1.0, 0.0])), decay=0.0)
    thrice.update(thrice.observe(cells, indices, t, torch.tensor([3.0, 0.0])), decay=0.0)
    torch.testing.assert_close(thrice.sums, 3 * once.sums)
    expected = torch.zeros_like(once.sums).index_add_(0, indices[0].flatten(), cells[0].flatten(0, 1))
    torch.testing.assert_close(once.sums, expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(thrice.counts, once.counts) and once.counts.sum() == indices.numel()
    assert torch.equal(thrice.nonzero, once.nonzero)


def test_nonzero_counts_cells_by_lambda() -> None:
    layer, random = build_layer(), torch.Generator().manual_seed(4)
    state, t = CodebookState(layer), torch.tensor([-1.0, 1.0])
    features, residual, indices = draw_cells(random)
    indices[0], indices[1, 0] = 0, 1
    indices[1, 1:] = 0
    state.update(state.observe(moments(features, residual), indices, t, torch.ones(2)), decay=0.0)
    assert bucket_of(t).tolist() == [0, BUCKETS - 1]
    assert state.nonzero[0].tolist() == [36, 0.5]
    assert state.nonzero[BUCKETS - 1].tolist() == [30, 6]
    low, high = state.nonzero_bits(t).tolist()
    assert low == 4 and high == pytest.approx(np.log2(5))


def test_value_bits_are_a_code_for_the_counts() -> None:
    state = CodebookState(build_layer())
    state.counts.copy_(torch.tensor([1000.0, 8, 4, 2, 2]))
    bits = state.value_bits()
    assert bits[0] == 0
    assert float((2 ** -bits[1:]).sum()) == pytest.approx(1)
    assert bits[1] < bits[2] < bits[3] == bits[4]


def test_the_busiest_are_halved_into_the_dead() -> None:
    counts = torch.tensor([100.0, 0, 40, 30, 0.1])
    pairs, after = plan_splits(counts, prune_below=0.5, limit=5)
    assert pairs == [(1, 0), (4, 0)]
    assert after.tolist() == pytest.approx([25, 50, 40, 30, 25])
    assert counts.tolist() == pytest.approx([100, 0, 40, 30, 0.1]), "the counts that it got are as they were"
    assert not plan_splits(after, prune_below=0.5, limit=5)[0]


def test_splits_stop_at_the_limit_and_where_nothing_is_busy() -> None:
    assert len(plan_splits(torch.tensor([100.0, 0, 0, 0]), 0.5, limit=1)[0]) == 1
    assert not plan_splits(torch.ones(4), 0.5, limit=4)[0]
    assert not plan_splits(torch.zeros(4), 0.5, limit=4)[0]


def test_split_and_prune_conserves_counts_and_sums() -> None:
    layer = build_layer()
    state, extra = CodebookState(layer), torch.arange(float(OUTPUTS))[:, None]
    state.counts.copy_(torch.tensor([500.0, 80, 0, 30, 20]))
    state.sums.copy_(torch.rand(state.sums.shape, generator=torch.Generator().manual_seed(0)))
    layer.choice_embedding.data.normal_(generator=torch.Generator().manual_seed(1))
    sums, codebook = state.sums.clone(), layer.codebook.detach().clone()
    choice_embedding = layer.choice_embedding.detach().clone()
    count = state.split_and_prune(layer, [extra], torch.Generator().manual_seed(2), prune_below=0.1, limit=3)
    assert count == 1
    assert state.counts.tolist() == [500, 40, 40, 30, 20]
    right = codebook[0].numel()
    torch.testing.assert_close(state.sums[1], sums[1] / 2)
    torch.testing.assert_close(state.sums[2, right:], sums[1, right:] / 2)
    noise = state.sums[2, :right] - sums[1, :right] / 2
    assert 0 < noise.square().mean() < 0.1 * (sums[1, :right] / 2).square().mean()
    assert torch.equal(state.sums[[0, 3, 4]], sums[[0, 3, 4]])
    assert torch.equal(layer.choice_embedding[2], choice_embedding[1]) and torch.equal(extra[2], extra[1])
    assert torch.equal(layer.codebook[[0, 1, 3, 4]], codebook[[0, 1, 3, 4]])
    distance = (layer.codebook[2] - codebook[1]).square().mean()
    assert 0 < distance < 0.05 * codebook[1].square().mean()


def test_rows_move_and_are_perturbed_in_place() -> None:
    table = torch.arange(12.0).view(4, 3)
    split_rows([table], [(0, 3), (1, 2)])
    assert table[0].tolist() == [9, 10, 11] and table[1].tolist() == [6, 7, 8]
    rest = table[1:].clone()
    perturb_rows(table, [0], 0.1, torch.Generator().manual_seed(0))
    assert torch.equal(table[1:], rest)
    assert 0 < (table[0] - rest[2]).abs().max() < 4


def test_optimizer_moments_and_average_move_with_a_gradient_codebook() -> None:
    stages = (StageConfig(stride=4, channels=8, features=LEARNED, basis=COSINES, levels=(LevelConfig(8, OUTPUTS),)),)
    recipe = Recipe(
        NetworkConfig(stages, "gradient"),
        (Phase(until=10, stages=1, batch=1, crop=32),),
        codebook=CodebookConfig(split_every=1),
    )
    state = TrainState(recipe, torch.device("cpu"))
    layer, book = state.network.layer(0), state.codebooks[0]
    for parameter in state.learner.trained:
        parameter.grad = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
    state.learner.optimizer.step()
    book.counts.copy_(torch.tensor([100.0, 1000, 0, 300, 300]))
    tables = {
        "codebook": [*state.learner.rows_of(layer.codebook)],
        "choice_embedding": [layer.choice_embedding.data, *state.learner.rows_of(layer.choice_embedding)],
    }
    assert [len(rows) for rows in tables.values()] == [3, 4]
    before = {name: [table.clone() for table in rows] for name, rows in tables.items()}
    nothing = torch.zeros(book.sums.numel() + OUTPUTS + 2 * BUCKETS)
    update_codebooks(state, [nothing], lr_factor=1.0)
    for name, rows in tables.items():
        for table, old in zip(rows, before[name]):
            assert torch.equal(table[2], old[1]), name
            assert torch.equal(table[[0, 1, 3, 4]], old[[0, 1, 3, 4]]), name
