"""Training learns, and stopping it anywhere changes nothing: every bit of its state comes back."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from torch import Tensor

from ddncodec.coding.visual_weights import VISUAL
from ddncodec.errors import ArgumentError
from ddncodec.training.config import CodebookConfig, OptimizerConfig, Phase, Recipe, VisualConfig
from ddncodec.training.data.pictures import Batch, Pictures
from ddncodec.training.recipes import TINY
from ddncodec.training.state import TrainState
from ddncodec.training.step import StepOptions, StepResult, walk
from ddncodec.training.trainer import Report, train, train_step

CPU = torch.device("cpu")
SHORT = dataclasses.replace(
    TINY,
    phases=(Phase(until=3, stages=1, batch=2, crop=32), Phase(until=9, stages=2, batch=2, crop=32)),
    codebook=CodebookConfig(solve_every=2, split_every=4),
)
VISUAL_SHORT = dataclasses.replace(
    SHORT, accumulate=2, visual=VisualConfig(VISUAL), prior=dataclasses.replace(SHORT.prior, joint_from=4)
)
"""Two batches of two crops a step, one of them visual in each."""
GRADIENT = dataclasses.replace(SHORT, network=dataclasses.replace(SHORT.network, codebook="gradient"))


def flatten(state: TrainState) -> dict[str, Tensor]:
    """Everything a run remembers, by name."""
    parts = {"network": state.network, "average": state.average}
    parts.update((f"codebooks.{level}", book) for level, book in enumerate(state.codebooks))
    tensors = {f"{part}.{name}": value for part, module in parts.items() for name, value in module.state_dict().items()}
    for index, memory in state.learner.optimizer.state_dict()["state"].items():
        tensors.update({f"optimizer.{index}.{name}": value for name, value in memory.items()})
    return {**tensors, "step": torch.tensor(state.step)}


def run(recipe: Recipe, pictures: Pictures, stops: list[int], folder: Path, autocast: bool) -> TrainState:
    """Train the recipe, going through a checkpoint and a new state at every stop."""
    state = TrainState(recipe, CPU)
    for stop in [*stops, recipe.steps]:
        while state.step < stop:
            train_step(state, pictures, CPU, autocast=autocast)
        state.save(folder / "checkpoint.pt")
        state = TrainState(dataclasses.replace(recipe, seed=recipe.seed + 1), CPU)  # other weights, to be replaced
        state.load(folder / "checkpoint.pt")
        state.recipe = recipe
    return state


@pytest.mark.parametrize(
    ("recipe", "autocast"), [(SHORT, False), (SHORT, True), (VISUAL_SHORT, False), (GRADIENT, False)]
)
def test_interrupted_and_resumed_run_is_bit_identical(
    drawn_folder: Path, tmp_path: Path, recipe: Recipe, autocast: bool
) -> None:
    straight = flatten(run(recipe, Pictures(drawn_folder), [], tmp_path, autocast))
    stopped = flatten(run(recipe, Pictures(drawn_folder), [2, 5], tmp_path, autocast))
    assert straight.keys() == stopped.keys()
    assert [name for name in straight if not torch.equal(straight[name], stopped[name])] == []
    assert any(name.endswith("exp_avg_sq") for name in straight)
    assert int(straight["step"]) == recipe.steps


def test_a_run_asked_to_stop_leaves_a_checkpoint_to_resume_from(drawn_folder: Path, tmp_path: Path) -> None:
    pictures, state = Pictures(drawn_folder), TrainState(SHORT, CPU)
    assert not train(state, pictures, tmp_path, CPU, autocast=False, stop=lambda: state.step == 5)
    resumed = TrainState(SHORT, CPU)
    resumed.load(tmp_path / "checkpoint.pt")
    assert resumed.step == 5
    assert train(resumed, pictures, tmp_path, CPU, autocast=False)
    straight = flatten(run(SHORT, pictures, [], tmp_path, False))
    assert all(torch.equal(value, straight[name]) for name, value in flatten(resumed).items())


def test_time_limit_stops_between_steps(drawn_folder: Path, tmp_path: Path) -> None:
    state = TrainState(SHORT, CPU)
    assert not train(state, Pictures(drawn_folder), tmp_path, CPU, max_seconds=-1, autocast=False)
    assert state.step == 0
    assert (tmp_path / "checkpoint.pt").exists()


@pytest.mark.parametrize("codebook", ["gram-lloyd", "gradient"])
def test_short_training_lowers_the_loss(drawn_folder: Path, tmp_path: Path, codebook: str) -> None:
    network = dataclasses.replace(TINY.network, codebook=codebook)
    recipe = dataclasses.replace(
        TINY,
        network=network,
        phases=(Phase(until=60, stages=2, batch=4, crop=32),),
        optimizer=OptimizerConfig(learning_rate=3e-3, warmup=5),
    )
    reports: list[Report] = []
    state = TrainState(recipe, CPU)
    start = state.network.layer(1).codebook.detach().clone()
    assert train(state, Pictures(drawn_folder), tmp_path, CPU, autocast=False, report=reports.append)
    decibels, losses = [report.psnr[-1] for report in reports], [report.loss for report in reports]
    assert fmean(decibels[-10:]) > fmean(decibels[:10]) + 2
    assert fmean(losses[-10:]) < 0.9 * fmean(losses[:10])
    assert [report.step for report in reports] == list(range(1, 61))
    last = reports[-1]
    assert len(last.psnr) == len(last.taken) == len(last.usage) == len(network.levels)
    assert all(0 <= share <= 1 for share in last.taken)
    codebook_now = state.network.layer(1).codebook.detach()
    assert not torch.equal(codebook_now[1:], start[1:])
    if codebook == "gram-lloyd":
        assert (codebook_now[0] == 0).all()


def test_the_average_lags_the_network(drawn_folder: Path) -> None:
    state = TrainState(SHORT, CPU)
    for _ in range(5):
        train_step(state, Pictures(drawn_folder), CPU, autocast=False)
    for (name, now), mean in zip(state.network.named_parameters(), state.average.parameters()):
        if name.endswith("codebook"):
            assert torch.equal(now, mean)
    weight, mean = state.network.stages[0].layers[0].mix.weight, state.average.stages[0].layers[0].mix.weight
    assert not torch.equal(weight, mean)


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    other = dataclasses.replace(SHORT, network=dataclasses.replace(SHORT.network, choice_embedding=False))
    TrainState(other, CPU).save(tmp_path / "other.pt")
    torch.save({"step": 3}, tmp_path / "torn.pt")
    for name in ("other.pt", "torn.pt"):
        with pytest.raises(ArgumentError, match=name):
            TrainState(SHORT, CPU).load(tmp_path / name)


def test_phases_and_learning_rate() -> None:
    assert [SHORT.phase(step).stages for step in (0, 2, 3, 8)] == [1, 1, 2, 2]
    assert TINY.lr_factor(0) == pytest.approx(1 / TINY.optimizer.warmup)
    assert TINY.lr_factor(TINY.steps // 2) == pytest.approx(1)
    assert TINY.lr_factor(TINY.steps) == pytest.approx(0.01)
    longer = TINY.lengthened(500)
    assert longer.steps == 500 and longer.phases[0] == TINY.phases[0]
    with pytest.raises(ArgumentError):
        TINY.lengthened(TINY.phases[0].until)


@pytest.mark.parametrize("finite", [True, False])
def test_only_the_trunk_learns_from_an_unstable_step_with_a_finite_loss(
    monkeypatch: pytest.MonkeyPatch, drawn_folder: Path, finite: bool
) -> None:
    state = TrainState(TINY, CPU)
    pictures = Pictures(drawn_folder)
    train_step(state, pictures, CPU, autocast=False)
    before = {name: value.clone() for name, value in state.network.state_dict().items()}
    sums = [book.sums.clone() for book in state.codebooks]

    def spoilt(*args: Any, **options: Any) -> StepResult:
        result = walk(*args, **options)
        return dataclasses.replace(result, stable=False, loss=result.loss if finite else result.loss * torch.nan)

    monkeypatch.setattr("ddncodec.training.trainer.walk", spoilt)
    train_step(state, pictures, CPU, autocast=False)
    assert state.step == 2
    changed = {name for name, value in state.network.state_dict().items() if not torch.equal(value, before[name])}
    assert bool(changed) == finite and not any("codebook" in name for name in changed)
    assert all(torch.equal(book.sums, each) for book, each in zip(state.codebooks, sums))


@pytest.mark.parametrize("level", [1, 3])  # the first of its stage, and one within
def test_a_step_whose_error_grows_is_not_stable(drawn_folder: Path, level: int) -> None:
    state = TrainState(TINY, CPU)
    crops, lambdas = Pictures(drawn_folder).crops(2, 32, (0,)), torch.full((2,), 256.0)
    batch, options = Batch(crops, None), StepOptions((1.0, 1.0), autocast=False, final_weight=2.0)
    assert walk(state.network, state.codebooks, batch, lambdas, options).stable
    state.network.layer(level).to_base.bias.data.fill_(50.0)
    assert not walk(state.network, state.codebooks, batch, lambdas, options).stable
