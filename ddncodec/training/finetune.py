"""Fine-tuning a decoder with the indices fixed: the decoded picture is differentiable in every weight it depends on.

The streams stay as they are, byte for byte except for the name of the model, and decode to better pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F

from bitstream import Header, Planes
from ddncodec.coding.condition import Condition
from ddncodec.coding.engine import Engine
from ddncodec.samples import to_samples


def finetune(
    engine: Engine,
    pictures: Sequence[np.ndarray],
    planes: Sequence[Planes],
    headers: Sequence[Header],
    *,
    steps: int,
    conditions: Sequence[Condition] = (),
    learning_rate: float = 1e-4,
    report: Callable[[int, float], None] = lambda step, error: None,
) -> None:
    """Train all weights of the engine's network, in place, to decode `planes` to `pictures`, each (H, W, 3) uint8.

    `conditions` of conditional models are those of the pictures. One step is AdamW on the mean squared error of one
    picture, in turn, with a learning rate that falls linearly to 0; `report` is called with the step and its error in
    squared network samples. What is no function of the weights, as the choice of principal components, stays. Raises
    ArgumentError where a condition is missing or does not fit.
    """
    network = engine.model.network
    engines = [engine.with_condition(each) for each in conditions] or [engine] * len(pictures)
    targets = [to_samples(picture[None], network.device) for picture in pictures]
    network.requires_grad_(True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=0.0)
    for step in range(steps):
        at = step % len(targets)
        loss = F.mse_loss(engines[at].decode([planes[at]], [headers[at]]), targets[at])
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (1 - step / steps)
        optimizer.step()
        report(step, float(loss.detach()))
    network.requires_grad_(False)
