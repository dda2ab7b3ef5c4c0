"""Everything that a run must remember to go on exactly as if it had never stopped."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from bitstream import IndexPrior
from ddncodec.errors import ArgumentError
from ddncodec.files import replacing
from ddncodec.model import DiscreteDistributionNetwork
from ddncodec.training.codebooks import CodebookState
from ddncodec.training.config import Recipe
from ddncodec.training.growth import grow, grow_prior
from ddncodec.training.prior_trainer import PriorTrainer


class TrainState:
    """Network, its moving average, codebook sums, index prior, optimizers and step counter.

    Random numbers need no state: every draw is a function of the recipe's seed, the step and the process.
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        self.recipe = recipe
        self.step = 0
        network = DiscreteDistributionNetwork(recipe.network, torch.Generator().manual_seed(recipe.seed))
        self.network = network.to(device)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        levels = range(len(recipe.network.levels))
        self.codebooks = nn.ModuleList(CodebookState(self.network.layer(level)) for level in levels).to(device)
        self.prior = (
            PriorTrainer(self.network, recipe.prior_channels, recipe.prior_rate, recipe.seed)
            if recipe.prior_channels
            else None
        )
        self.trained = [p for p in self.network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.trained, lr=recipe.learning_rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True
        )

    def adopt(self, trained: DiscreteDistributionNetwork, prior: IndexPrior | None = None) -> None:
        """Begin with the weights of a trained network, and of its index prior if it has one.

        Raises ArgumentError unless they have the recipe's shape, or one that it grows from (see `grow`).
        """
        weights = grow(trained, self.recipe.network).state_dict()
        self.network.load_state_dict(weights)
        self.average.load_state_dict(weights)
        if self.prior is not None and prior is not None:
            self.prior.adopt(grow_prior(prior, len(self.codebooks)))

    def update_average(self) -> None:
        """Move the average's trunk towards the network's; codebooks, solved from averages already, are copied."""
        keep = min(self.recipe.average, (self.step + 1) / (self.step + 10))
        pairs = list(zip(self.average.parameters(), self.network.parameters()))
        means, now = zip(*(pair for pair in pairs if pair[1].requires_grad))
        get_ema_multi_avg_fn(keep)(means, now, None)
        with torch.no_grad():
            for mean, solved in pairs:
                if not solved.requires_grad:
                    mean.copy_(solved)

    def rows_of(self, parameter: nn.Parameter) -> list[Tensor]:
        """The optimizer's moments and the moving average of a parameter whose rows Split-and-Prune moves."""
        names = {id(p): name for name, p in self.network.named_parameters()}
        average = dict(self.average.named_parameters())[names[id(parameter)]]
        memory = self.optimizer.state.get(parameter, {})
        return [average.data, *(memory[key] for key in ("exp_avg", "exp_avg_sq") if key in memory)]

    def save(self, path: Path) -> None:
        """Write a checkpoint, atomically."""
        record = {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "codebooks": self.codebooks.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "prior": self.prior and self.prior.state_dict(),
        }
        with replacing(path) as temporary:
            torch.save(record, temporary)

    def load(self, path: Path) -> None:
        """Restore a checkpoint of the same recipe. Raises ArgumentError where it does not fit."""
        try:
            record = torch.load(path, map_location="cpu", weights_only=True)
            self.network.load_state_dict(record["network"])
            self.average.load_state_dict(record["average"])
            self.codebooks.load_state_dict(record["codebooks"])
            self.optimizer.load_state_dict(record["optimizer"])
            if self.prior is not None:
                self.prior.load_state_dict(record["prior"])
        except (EOFError, KeyError, RuntimeError, TypeError, ValueError, pickle.UnpicklingError) as error:
            raise ArgumentError(f"{path}: not a checkpoint of this recipe ({error})") from error
        self.step = record["step"]
