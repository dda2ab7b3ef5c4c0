"""A module in training: AdamW with clipped mean gradients, and a moving average of its weights."""

from __future__ import annotations

import copy
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ddncodec.training.processes import average_gradients

MAX_GRADIENT_NORM = 1.0
BETAS = (0.9, 0.99)
"""Shares that AdamW's averages of gradients and of their squares keep in a step."""
AVERAGE_WARMUP = 10
"""The average keeps (n + 1) / (n + AVERAGE_WARMUP) after n steps, until that exceeds the share that it keeps later."""

Module = TypeVar("Module", bound=nn.Module)


class Learner(Generic[Module]):
    """`module`, its AdamW at peak rate `learning_rate`, and its `average`, which keeps a share of `keep` in each step.

    Parameters without gradient, as codebooks that are solved, are copied to the average.
    """

    def __init__(self, module: Module, learning_rate: float, keep: float) -> None:
        self.module, self.learning_rate, self.keep = module, learning_rate, keep
        self.average = copy.deepcopy(module).requires_grad_(False)
        self.trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=learning_rate, betas=BETAS, weight_decay=0.0, fused=True)

    def descend(self, loss: Tensor, lr_factor: float) -> None:
        """One step on the gradient of `loss`; `lr_factor` scales the learning rate."""
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.step(lr_factor)

    def step(self, lr_factor: float) -> None:
        """One step on the gradients at hand, averaged over processes and clipped."""
        average_gradients(self.trained)
        torch.nn.utils.clip_grad_norm_(self.trained, MAX_GRADIENT_NORM)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * lr_factor
        self.optimizer.step()

    @torch.no_grad()
    def update_average(self, steps: int) -> None:
        """Move the average towards the module, faster after few `steps`."""
        keep = min(self.keep, (steps + 1) / (steps + AVERAGE_WARMUP))
        pairs = list(zip(self.average.parameters(), self.module.parameters()))
        trained = [pair for pair in pairs if pair[1].requires_grad]
        get_ema_multi_avg_fn(keep)([mean for mean, _ in trained], [now for _, now in trained], torch.tensor(steps))
        for mean, now in pairs:
            if not now.requires_grad:
                mean.copy_(now)

    def rows_of(self, parameter: nn.Parameter) -> list[Tensor]:
        """The moving average and the optimizer's moments of a parameter whose rows Split-and-Prune moves."""
        names = {id(each): name for name, each in self.module.named_parameters()}
        average = dict(self.average.named_parameters())[names[id(parameter)]]
        memory = self.optimizer.state.get(parameter, {})
        return [average.data, *(memory[key] for key in ("exp_avg", "exp_avg_sq") if key in memory)]

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to continue, as in `torch.nn.Module`."""
        return {
            "network": self.module.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, record: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.module.load_state_dict(record["network"])
        self.average.load_state_dict(record["average"])
        self.optimizer.load_state_dict(record["optimizer"])
