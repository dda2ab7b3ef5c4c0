"""A grown model begins as the one it grew from, and offers more."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ddncodec.codec import Codec
from ddncodec.errors import ArgumentError
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.growth import grow, grow_prior
from ddncodec.training.prior import PriorNetwork, codebook_features
from ddncodec.training.recipes import MNIST_RECURRENT, TINY
from ddncodec.training.state import TrainState
from ddncodec.training.trainer import train_step

CPU = torch.device("cpu")
SIDE = 32


def larger(config: NetworkConfig, *more: LevelConfig, low: float = 64.0, high: float = 65536.0) -> NetworkConfig:
    """`config` with further levels at its end and another range of lambda."""
    last = config.stages[-1]
    last = dataclasses.replace(last, levels=last.levels + more)
    stages = (*config.stages[:-1], last)
    return dataclasses.replace(config, stages=stages, smallest_lambda=low, largest_lambda=high)


def scattered(config: NetworkConfig) -> DiscreteDistributionNetwork:
    """A network with no parameter at zero, except the outputs that keep."""
    random = torch.Generator().manual_seed(3)
    network = DiscreteDistributionNetwork(config, random)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=random)
        for level in range(len(config.levels)):
            network.layer(level).codebook[0] = 0
    return network


@torch.no_grad()
def pictures(network: DiscreteDistributionNetwork, lambdas: Tensor, chosen: int) -> Tensor:
    """Random indices at the first `chosen` levels, then 0."""
    random = torch.Generator().manual_seed(4)
    state = network.initial_state(lambdas, SIDE, SIDE)
    for number, level in enumerate(network.config.levels):
        shape = (len(lambdas), SIDE // level.cell, SIDE // level.cell)
        indices = torch.randint(level.outputs, shape, generator=random)
        state = network.advance(network.propose(state), indices if number < chosen else 0 * indices)
    return network.render(state)


def test_a_grown_network_makes_the_same_pictures_at_the_same_lambda() -> None:
    last, count = TINY.network.levels[-1], len(TINY.network.levels)
    network = scattered(TINY.network)
    grown = grow(network, larger(TINY.network, last, last))
    assert len(grown.config.levels) == count + 2
    lambdas = torch.tensor([300.0, 2000.0, 30000.0])
    expected = pictures(network, lambdas, count)
    torch.testing.assert_close(pictures(grown, lambdas, count), expected, rtol=0, atol=1e-4)
    assert (pictures(grown, lambdas, count + 2) - expected).abs().max() > 0.01, "new levels offer nothing"
    assert (pictures(network, lambdas * 4, count) - expected).abs().max() > 0.01, "lambda makes no difference"


def test_a_network_grows_from_its_own_shape_unchanged() -> None:
    network = scattered(TINY.network)
    grown = grow(network, TINY.network)
    for one, other in zip(grown.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_recurrent_and_one_rate_networks_keep_their_shape() -> None:
    recurrent = scattered(MNIST_RECURRENT.network)
    with pytest.raises(ArgumentError, match="another shape"):
        grow(recurrent, larger(MNIST_RECURRENT.network, MNIST_RECURRENT.network.levels[-1], low=1.0, high=2.0))
    one_rate = dataclasses.replace(TINY.network, smallest_lambda=256.0, largest_lambda=256.0)
    with pytest.raises(ArgumentError, match="another shape"):
        grow(scattered(one_rate), TINY.network)


@pytest.mark.parametrize(
    "config",
    [
        larger(TINY.network, LevelConfig(4, 8)),
        larger(TINY.network, low=300.0),
        larger(TINY.network, high=8000.0),
        dataclasses.replace(TINY.network, choice_embedding=False),
        NetworkConfig((StageConfig(stride=4, channels=8, features=2, basis=6, levels=(LevelConfig(8, 4),)),)),
    ],
    ids=["other level", "smaller lambdas only", "larger lambdas lost", "no choice embedding", "fewer levels"],
)
def test_what_is_more_than_growth_is_refused(config: NetworkConfig) -> None:
    with pytest.raises(ArgumentError, match="another shape"):
        grow(scattered(TINY.network), config)


def test_a_grown_prior_predicts_old_levels_as_before_and_new_ones_as_the_last(tiny_codec: Codec) -> None:
    network = tiny_codec.engine.model.network
    before = PriorNetwork(network, 6, torch.Generator().manual_seed(5)).export(codebook_features(network))
    after = grow_prior(before, len(before.levels) + 2)
    assert after.levels[: len(before.levels)] == before.levels
    last, biases = before.levels[-1], [level.head_bias for level in after.levels[-3:]]
    assert biases[0][0] > biases[1][0] > biases[2][0], "new levels are kept more often"
    for added, bias in zip(after.levels[-2:], biases[1:]):
        np.testing.assert_array_equal(bias[1:], last.head_bias[1:])
        np.testing.assert_array_equal(added.head, last.head)


def test_training_continues_from_a_smaller_model(tiny_codec: Codec, drawn_folder: Path) -> None:
    network = tiny_codec.engine.model.network
    config = larger(TINY.network, TINY.network.levels[-1])
    state = TrainState(dataclasses.replace(TINY, network=config).tuning(4), CPU)
    prior = PriorNetwork(network, TINY.prior.channels, torch.Generator().manual_seed(5)).export(
        codebook_features(network)
    )
    state.adopt(network, prior)
    report = train_step(state, Pictures(drawn_folder), CPU, autocast=False)
    assert len(report.psnr) == len(config.levels) and report.psnr[-1] >= report.psnr[-2] - 0.1
