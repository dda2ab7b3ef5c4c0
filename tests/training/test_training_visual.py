"""Training under visual weights: codebooks, choices and losses see weighted errors, and batches of a step add up."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ddncodec.coding.visual_weights import VISUAL, WeightMap
from ddncodec.model import LevelConfig, StageConfig
from ddncodec.model.cells import cosine_basis
from ddncodec.model.gram import Features
from ddncodec.model.layer import DiscreteDistributionLayer
from ddncodec.training import trainer
from ddncodec.training.codebooks import CodebookState
from ddncodec.training.config import Phase, Recipe, VisualConfig
from ddncodec.training.data.pictures import Batch, Pictures
from ddncodec.training.recipes import TINY
from ddncodec.training.state import TrainState
from ddncodec.training.step import StepOptions, StepResult, walk

CPU = torch.device("cpu")
RECIPE = dataclasses.replace(
    TINY, phases=(Phase(until=9, stages=2, batch=4, crop=32),), visual=VisualConfig(VISUAL), accumulate=3
)
COSINES, LEARNED, OUTPUTS, SIDE = 6, 2, 5, 2


def draw_cells(random: torch.Generator) -> tuple[Features, Tensor, Tensor, WeightMap]:
    grid, pixels = (2, 6, 6), 16 * SIDE * SIDE
    features = Features(
        torch.rand(*grid, COSINES, generator=random) + 0.5,
        cosine_basis(SIDE, COSINES),
        torch.randn(*grid, pixels, LEARNED, generator=random),
    )
    weight_map = WeightMap.of(VISUAL, 255 * torch.rand(2, 3, 48, 48, generator=random), torch.tensor([True, False]))
    residual = torch.randn(*grid, pixels, 3, generator=random)
    return features, residual, torch.randint(1, OUTPUTS, grid, generator=random), weight_map


def build_layer(random: torch.Generator) -> DiscreteDistributionLayer:
    stage = StageConfig(stride=4, channels=4, features=LEARNED, basis=COSINES, levels=(LevelConfig(4 * SIDE, OUTPUTS),))
    layer = DiscreteDistributionLayer(stage, stage.levels[0], gradient_codebook=False, choice_embedding=False)
    layer.codebook.data = torch.randn(layer.codebook.shape, generator=random)
    layer.codebook.data[0] = 0
    return layer


def test_solving_minimises_the_weighted_error_of_an_assignment() -> None:
    random = torch.Generator().manual_seed(3)
    layer = build_layer(random)
    features, residual, indices, weight_map = draw_cells(random)
    measure, state = weight_map.at(SIDE, 1), CodebookState(layer, visual=True)
    cells = measure.apart(measure.moments(features, measure.residual(residual)), COSINES, LEARNED)
    state.update(state.observe(cells, indices, torch.zeros(2), torch.ones(2)), decay=0.0)
    state.solve(layer)

    def error(codebook: Tensor) -> float:
        return float(measure.errors(measure.residual(residual - features.combine(codebook[indices]))).double().sum())

    solved, least = layer.codebook.data, error(layer.codebook.data)
    for _ in range(20):
        nudge = 0.05 * torch.randn(solved.shape, generator=random)
        nudge[0] = 0
        assert error(solved + nudge) > least


def test_planted_codebooks_are_found_again() -> None:
    random = torch.Generator().manual_seed(4)
    layer = build_layer(random)
    planted = layer.codebook.data.clone()
    features, _, indices, weight_map = draw_cells(random)
    measure, state = weight_map.at(SIDE, 1), CodebookState(layer, visual=True)
    residual = measure.residual(features.combine(planted[indices]))
    cells = measure.apart(measure.moments(features, residual), COSINES, LEARNED)
    state.update(state.observe(cells, indices, torch.zeros(2), torch.ones(2)), decay=0.0)
    layer.codebook.data = torch.zeros_like(planted)
    state.solve(layer)
    torch.testing.assert_close(layer.codebook.data, planted, rtol=0.02, atol=0.02)


def walk_with(state: TrainState, crops: Tensor, weight_map: WeightMap | None) -> StepResult:
    options = StepOptions((1.0, 1.0), autocast=False)
    lambdas = torch.full((len(crops),), 1000.0)
    with torch.no_grad():
        return walk(state.network, state.codebooks, Batch(crops, None), lambdas, options, weight_map=weight_map)


def test_plain_crops_of_a_mixture_are_chosen_as_without_weights(drawn_folder: Path) -> None:
    crops = Pictures(drawn_folder).crops(4, 32, (1,))
    visual, plain = (TrainState(dataclasses.replace(RECIPE, visual=VisualConfig(each)), CPU) for each in (VISUAL, None))
    mixed, alike = walk_with(visual, crops, visual.recipe.visual.weight_map(crops)), walk_with(plain, crops, None)
    pairs = list(zip(mixed.indices, alike.indices, strict=True))
    assert all((one[2:] == other[2:]).float().mean() > 0.98 for one, other in pairs)
    assert not all(torch.equal(one[:2], other[:2]) for one, other in pairs)


def gradients(state: TrainState) -> dict[str, Tensor]:
    return {name: p.grad.clone() for name, p in state.network.named_parameters() if p.grad is not None}


def test_a_step_learns_from_the_mean_of_its_batches(drawn_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, seen = Pictures(drawn_folder), []
    state, parts = TrainState(RECIPE, CPU), []
    monkeypatch.setattr(state.learner, "step", lambda lr_factor: seen.append(gradients(state)))
    trainer.train_step(state, pictures, CPU, autocast=False)
    for number in range(RECIPE.accumulate):
        state = TrainState(RECIPE, CPU)
        trainer.run_batch(state, pictures, CPU, process=0, number=number, autocast=False)[0].loss.backward()
        parts.append(gradients(state))
    assert all(part.keys() == seen[0].keys() for part in parts)
    for name, found in seen[0].items():
        mean = torch.stack([part[name] for part in parts]).mean(dim=0)
        torch.testing.assert_close(found, mean, rtol=1e-4, atol=1e-7)


def loss_of(recipe: Recipe, folder: Path, number: int) -> float:
    state, pictures = TrainState(recipe, CPU), Pictures(folder)
    return float(trainer.run_batch(state, pictures, CPU, process=0, number=number, autocast=False)[0].loss.detach())


def test_batches_of_a_step_differ_and_the_first_is_that_of_a_step_of_one(drawn_folder: Path) -> None:
    losses = [loss_of(RECIPE, drawn_folder, number) for number in range(3)]
    assert len(set(losses)) == 3
    assert losses[0] == loss_of(dataclasses.replace(RECIPE, accumulate=1), drawn_folder, 0)


def test_counts_of_all_batches_reach_the_codebooks(drawn_folder: Path) -> None:
    totals = []
    for recipe in (RECIPE, dataclasses.replace(RECIPE, accumulate=1)):
        state = TrainState(recipe, CPU)
        trainer.train_step(state, Pictures(drawn_folder), CPU, autocast=False)
        totals.append(float(state.codebooks[-1].counts.sum()) - _kept(recipe))
    assert totals[0] == pytest.approx(3 * totals[1], rel=1e-3)


def _kept(recipe: Recipe) -> float:
    """What is left of the counts that a state begins with after one step."""
    return recipe.codebook.decay_at(recipe.lr_factor(0)) * recipe.network.levels[-1].outputs
