"""Gram selection and building the candidates choose the same; the command says how long each took."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from drawing import draw_picture

from benchmarks.__main__ import main
from benchmarks.experiments.selection import (
    Problem,
    Timing,
    agreement,
    full_features,
    problems,
    render,
    select_by_building,
    select_by_gram,
    total_seconds,
)
from ddncodec.model import DiscreteDistributionNetwork
from ddncodec.training.recipes import TINY


@pytest.fixture
def level_problems() -> list[Problem]:
    network = DiscreteDistributionNetwork(TINY.network, torch.Generator().manual_seed(0))
    picture = draw_picture(64, 96, 0)
    with torch.inference_mode():
        return list(problems(network, picture))


@torch.inference_mode()
def test_both_ways_choose_the_same(level_problems: list[Problem]) -> None:
    assert len(level_problems) == len(TINY.network.levels)
    for problem in level_problems:
        gram, built = select_by_gram(problem), select_by_building(problem)
        assert agreement(problem, gram, built) == 1
        assert gram.unique().numel() > 1
        errors = [
            (problem.residual - problem.features.combine(weight.expand(*problem.features.grid, -1, -1)))
            .square().sum(dim=(-1, -2)).flatten() + price
            for weight, price in zip(problem.codebook, problem.prices)
        ]  # fmt: skip
        assert torch.equal(built, torch.stack(errors).argmin(dim=0))


@torch.inference_mode()
def test_agreement_counts_ties_but_no_errors(level_problems: list[Problem]) -> None:
    problem = level_problems[-1]
    indices = select_by_building(problem)
    wrong = indices.clone()
    wrong[:10] = (wrong[:10] + 1) % problem.codebook.shape[0]
    assert agreement(problem, wrong, indices) == pytest.approx(1 - 10 / indices.numel())
    problem.codebook[1] = problem.codebook[2]
    one, other = torch.full_like(indices, 1), torch.full_like(indices, 2)
    assert agreement(problem, one, other) == 1
    assert full_features(problem.features).shape == (indices.numel(), 16, problem.codebook.shape[1])


def test_totals_count_every_level_of_a_kind() -> None:
    timings = [Timing(4, 8, 256, 3, 100, 0.01, 0.1, 0.5, 1.0), Timing(4, 4, 256, 2, 400, 0.02, 0.1, 0.5, 1.0)]
    assert total_seconds(timings) == pytest.approx((0.07, 0.5))
    assert render(timings).splitlines()[-1].split() == ["all", "levels", "70.00", "500.00", "7.1"]


def test_the_command_prints_every_kind_of_level(pictures: Path) -> None:
    for images in ("synthetic", str(pictures)):
        arguments = ["selection", "--recipe", "tiny", "--repeats", "1", "--images", images]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        kinds = [line for line in result.output.splitlines() if line.endswith("100.000 %")]
        assert len(kinds) == 4
    result = CliRunner().invoke(main, ["selection", "--images", "absent"])
    assert result.exit_code == 1 and "absent" in result.output
