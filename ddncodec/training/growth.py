"""A trained model as the beginning of a larger one: levels after its last one, and a wider range of lambda.

With index 0 in all cells of the new levels, the larger model makes the same pictures at the same lambda.
"""

from __future__ import annotations

import dataclasses
import math

import torch

from bitstream import IndexPrior, LevelPrior
from ddncodec.errors import ArgumentError
from ddncodec.model import DiscreteDistributionNetwork, NetworkConfig
from ddncodec.model.layer import DiscreteDistributionLayer
from ddncodec.training.prior import STATE_UNIT, WEIGHT_UNIT

SHRINK = 0.75
"""Size of a new level's outputs, as a share of those of the level before: they add what those have left."""
RARER = 0.7
"""Initial bias towards index 0 of each added level, in octaves relative to the level before."""


@torch.no_grad()
def grow(trained: DiscreteDistributionNetwork, config: NetworkConfig) -> DiscreteDistributionNetwork:
    """A network of `config` that continues from `trained`.

    Each new level is a copy of the last one with smaller outputs, whose block leaves trunk and picture alone at first.
    Raises ArgumentError where `config` differs in more than further levels at its end, of the last one's shape, or a
    wider range of lambda.
    """
    if not _extends(config, trained.config):
        raise ArgumentError("`init` is a model of another shape than the recipe's network, and not one to grow from")
    grown = DiscreteDistributionNetwork(config)
    grown.load_state_dict(grown.state_dict() | trained.state_dict())
    _rescale_lambda(grown, trained.config)
    last = len(trained.places) - 1
    for number in range(last + 1, len(grown.places)):
        layer = grown.layer(number)
        layer.load_state_dict(grown.layer(last).state_dict())
        layer.codebook.mul_(SHRINK ** (number - last))
        for part in (layer.out, layer.to_base) if layer.block else ():
            for parameter in part.parameters():
                parameter.zero_()
    return grown


def grow_prior(prior: IndexPrior, levels: int) -> IndexPrior:
    """An index prior of `levels` levels, with copies of its last level that expect to be kept more often."""
    added = range(1, levels - len(prior.levels) + 1)
    return IndexPrior(prior.start, (*prior.levels, *(_rarer(prior.levels[-1], count * RARER) for count in added)))


def _extends(config: NetworkConfig, trained: NetworkConfig) -> bool:
    """Whether `config` adds to `trained` at most levels like its last one, and a wider range of lambda."""
    more = config.levels[len(trained.levels) :]
    stage = trained.stages[-1]
    if any(level != stage.levels[-1] for level in more) or (more and (stage.shared or not trained.residual)):
        return False
    longer = dataclasses.replace(stage, levels=stage.levels + more)
    low, high = trained.smallest_lambda, trained.largest_lambda
    if not trained.has_one_rate:
        low, high = min(low, config.smallest_lambda), max(high, config.largest_lambda)
    stages = (*trained.stages[:-1], longer)
    return config == dataclasses.replace(trained, stages=stages, smallest_lambda=low, largest_lambda=high)


def _rescale_lambda(network: DiscreteDistributionNetwork, trained: NetworkConfig) -> None:
    """Make every layer take a lambda as it did when conditions t of the range of `trained` described it.

    With t = a s + b for the t that lambda has now, s, a layer's u t + v t^2 + w is
    (a u + 2 a b v) s + a^2 v s^2 + w + b u + b^2 v.
    """
    if trained.has_one_rate:
        return
    low, high = math.log(trained.smallest_lambda), math.log(trained.largest_lambda)
    new_low, new_high = math.log(network.config.smallest_lambda), math.log(network.config.largest_lambda)
    a, b = (new_high - new_low) / (high - low), (new_high + new_low - high - low) / (high - low)
    layers = [module for module in network.modules() if isinstance(module, DiscreteDistributionLayer) and module.block]
    for linear in {layer.rate_condition: None for layer in layers}:
        u, v = (column.clone() for column in linear.weight.unbind(dim=1))
        linear.weight.copy_(torch.stack([a * u + 2 * a * b * v, a * a * v], dim=1))
        linear.bias.add_(b * u + b * b * v)


def _rarer(level: LevelPrior, octaves: float) -> LevelPrior:
    bias = level.head_bias.copy()
    bias[0] -= round(octaves * STATE_UNIT * WEIGHT_UNIT)
    return dataclasses.replace(level, head_bias=bias)
