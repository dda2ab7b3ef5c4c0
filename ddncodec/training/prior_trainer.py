"""The index prior in training: its network, optimizer, and what one batch of indices teaches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bitstream import IndexPrior
from bitstream.context import lambda_feature
from ddncodec.coding.rate import step_of_lambda
from ddncodec.model import DiscreteDistributionNetwork
from ddncodec.training.learner import Learner
from ddncodec.training.prices import PriorPrices
from ddncodec.training.prior import PriorNetwork, codebook_features

AVERAGE = 0.998
"""Share that the moving average keeps in each step."""


class PriorTrainer:
    """The index prior of `network`, with `channels` channels, its moving average, and its AdamW at rate `rate`.

    It learns from the indices that the network's training chooses, at its prices or others. What is priced and
    exported is the average.
    """

    def __init__(self, network: DiscreteDistributionNetwork, channels: int, rate: float, seed: int) -> None:
        prior = PriorNetwork(network, channels, torch.Generator().manual_seed(seed)).to(network.device)
        self.learner = Learner(prior, rate, AVERAGE)
        self.steps = 0

    @property
    def network(self) -> PriorNetwork:
        """The prior as it learns."""
        return self.learner.module

    @property
    def average(self) -> PriorNetwork:
        """Its moving average."""
        return self.learner.average

    def adopt(self, prior: IndexPrior) -> None:
        """Begin with a trained prior."""
        self.network.adopt(prior)
        self.average.adopt(prior)

    def learn(
        self, network: DiscreteDistributionNetwork, batches: Sequence[tuple[Sequence[Tensor], Tensor]], lr_factor: float
    ) -> float:
        """Descend on the bits of batches of indices, (B, gh, gw) a level, all of one shape; returns bits per cell.

        `network` chose those of each batch at its lambdas (B,); `lr_factor` scales the learning rate.
        """
        self.learner.optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for indices, lambdas in batches:
            nonzero, values = self.network(indices, _lambda_features(lambdas), codebook_features(network))
            loss = (nonzero.sum() + values.sum()) / (len(batches) * sum(plane.numel() for plane in indices))
            torch.autograd.backward(loss)
            total += float(loss.detach())
        self.learner.step(lr_factor)
        self.learner.update_average(self.steps)
        self.steps += 1
        return total

    def prices(self, network: DiscreteDistributionNetwork, lambdas: Tensor) -> PriorPrices:
        """Bits of the indices of a batch at `lambdas` (B,)."""
        return PriorPrices(self.average, codebook_features(network), _lambda_features(lambdas))

    def export(self, network: DiscreteDistributionNetwork) -> IndexPrior:
        """The prior in integers, for the codebooks of `network`."""
        return self.average.export(codebook_features(network))

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to continue, as in `torch.nn.Module`."""
        return {**self.learner.state_dict(), "steps": self.steps}

    def load_state_dict(self, record: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.learner.load_state_dict(record)
        self.steps = record["steps"]


def _lambda_features(lambdas: Tensor) -> Tensor:
    """`bitstream.context.lambda_feature` of each lambda (B,)."""
    return torch.tensor([lambda_feature(step_of_lambda(each)) for each in lambdas.tolist()]).to(lambdas)
