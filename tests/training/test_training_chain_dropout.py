"""Chain dropout: some cells continue from a random output, and what is learned of a level stays what it chose."""

from __future__ import annotations

import torch
from drawing import draw_picture

from ddncodec.samples import to_samples
from ddncodec.training.data.pictures import Batch
from ddncodec.training.recipes import TINY
from ddncodec.training.state import TrainState
from ddncodec.training.step import StepOptions, StepResult, walk


def run(share: float, seed: int = 0) -> StepResult:
    state = TrainState(TINY, torch.device("cpu"))
    batch = Batch(to_samples(draw_picture(32, 32, 1)[None]), None)
    options = StepOptions((1.0, 1.0), autocast=False, chain_dropout=share)
    generator = torch.Generator().manual_seed(seed)
    return walk(state.network, state.codebooks, batch, torch.tensor([500.0]), options, generator=generator)


def test_the_level_itself_is_judged_by_its_choice() -> None:
    without, dropped = run(0.0), run(1.0)
    assert torch.equal(without.errors[0], dropped.errors[0])
    assert torch.equal(without.observations[0], dropped.observations[0])
    assert dropped.errors[1] > without.errors[1], "later levels start from where chance led"


def test_it_is_a_function_of_the_generator() -> None:
    assert torch.equal(run(0.5, 1).errors, run(0.5, 1).errors)
    assert not torch.equal(run(0.5, 1).errors, run(0.5, 2).errors)
