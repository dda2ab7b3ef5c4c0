"""The index prior in training: its network, optimizer, and what one batch of indices teaches it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from bitstream import IndexPrior
from bitstream.context import lambda_feature
from ddncodec.coding.rate import step_of_lambda
from ddncodec.model import DiscreteDistributionNetwork
from ddncodec.training.prior import PriorNetwork, PriorPrices, codebook_features
from ddncodec.training.processes import average_gradients

AVERAGE = 0.998
"""Share that the moving average keeps in each step."""


class PriorTrainer:
    """The index prior of `network`, with `channels` channels, its moving average, and its AdamW at rate `rate`.

    It learns from the indices that the network's training chooses, at its prices or others. What is priced and
    exported is the average.
    """

    def __init__(self, network: DiscreteDistributionNetwork, channels: int, rate: float, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.rate = rate
        device = network.device
        self.network = PriorNetwork(network, channels, generator).to(device)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.learned = 0
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True
        )

    def adopt(self, prior: IndexPrior) -> None:
        """Begin with a trained prior."""
        self.network.adopt(prior)
        self.average.adopt(prior)

    def learn(
        self, network: DiscreteDistributionNetwork, indices: Sequence[Tensor], lambdas: Tensor, lr_factor: float
    ) -> float:
        """Descend on the bits of one batch of `indices`, (B, gh, gw) a level; returns bits per cell.

        `network` chose them at `lambdas` (B,); `lr_factor` scales the learning rate.
        """
        nonzero, values = self.network(indices, _lambda_features(lambdas), codebook_features(network))
        loss = (nonzero.sum() + values.sum()) / sum(plane.numel() for plane in indices)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(self.network.parameters())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * lr_factor
        self.optimizer.step()
        self._update_average()
        return float(loss.detach())

    def prices(self, network: DiscreteDistributionNetwork, lambdas: Tensor) -> PriorPrices:
        """Bits of the indices of a batch at `lambdas` (B,)."""
        return PriorPrices(self.average, codebook_features(network), _lambda_features(lambdas))

    def export(self, network: DiscreteDistributionNetwork) -> IndexPrior:
        """The prior in integers, for the codebooks of `network`."""
        return self.average.export(codebook_features(network))

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to continue, as in `torch.nn.Module`."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "learned": self.learned,
        }

    def load_state_dict(self, record: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.network.load_state_dict(record["network"])
        self.average.load_state_dict(record["average"])
        self.optimizer.load_state_dict(record["optimizer"])
        self.learned = record["learned"]

    def _update_average(self) -> None:
        """Move the average towards the network, faster in the first steps."""
        self.learned += 1
        keep = min(AVERAGE, self.learned / (self.learned + 9))
        get_ema_multi_avg_fn(keep)([*self.average.parameters()], [*self.network.parameters()], None)


def _lambda_features(lambdas: Tensor) -> Tensor:
    """`bitstream.context.lambda_feature` of each lambda (B,)."""
    return torch.tensor([lambda_feature(step_of_lambda(each)) for each in lambdas.tolist()]).to(lambdas)
