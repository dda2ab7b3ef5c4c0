"""Fine-tuning a decoder with the indices fixed: the decoded picture is differentiable in every weight behind it.

The streams stay as they are, byte for byte but for the name of the model, and decode to better pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bitstream import Header, Planes
from ddncodec.coding.engine import lambda_step_of
from ddncodec.coding.rate import lambda_of_step
from ddncodec.model import DiscreteDistributionNetwork
from ddncodec.samples import to_samples


def decode(network: DiscreteDistributionNetwork, planes: Sequence[Planes], headers: Sequence[Header]) -> Tensor:
    """Decode index planes of equally large pictures differentiably, (B, 3, H, W) float32 nominally in [-1, 1]."""
    unit, device = network.config.alignment, network.stages[0].start.device
    height, width = headers[0].height, headers[0].width
    lambdas = torch.tensor([lambda_of_step(lambda_step_of(header)) for header in headers], device=device)
    state = network.initial_state(lambdas, -(-height // unit) * unit, -(-width // unit) * unit)
    for level in range(len(planes[0])):
        proposal = network.propose(state)
        indices = torch.from_numpy(np.stack([each[level] for each in planes])).to(device, torch.int64)
        rows, cols = proposal.features.grid[1:]
        indices = F.pad(indices, (0, cols - indices.shape[2], 0, rows - indices.shape[1]))
        state = network.advance(proposal, indices)
    return network.render(state)[:, :, :height, :width]


def finetune(
    network: DiscreteDistributionNetwork,
    pictures: Sequence[np.ndarray],
    planes: Sequence[Planes],
    headers: Sequence[Header],
    *,
    steps: int,
    learning_rate: float = 1e-4,
    report: Callable[[int, float], None] = lambda step, error: None,
) -> None:
    """Train all weights of `network`, in place, to decode `planes` to `pictures`, each (H, W, 3) uint8.

    One step is AdamW on the mean squared error of one picture, in turn, with a learning rate that falls linearly to 0;
    `report` is told the step and its error in squared network samples. What is no function of the weights, as the
    choice of principal components, stays.
    """
    targets = [to_samples(picture[None], network.stages[0].start.device) for picture in pictures]
    network.requires_grad_(True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=0.0)
    for step in range(steps):
        at = step % len(targets)
        loss = F.mse_loss(decode(network, [planes[at]], [headers[at]]), targets[at])
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (1 - step / steps)
        optimizer.step()
        report(step, float(loss.detach()))
    network.requires_grad_(False)
