"""Everything that a run must remember to continue exactly as if it had never stopped."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import nn

from bitstream import IndexPrior
from ddncodec.errors import ArgumentError
from ddncodec.files import replacing
from ddncodec.model import DiscreteDistributionNetwork
from ddncodec.training.codebooks import CodebookState
from ddncodec.training.config import Recipe
from ddncodec.training.growth import grow, grow_prior
from ddncodec.training.learner import Learner
from ddncodec.training.prior_trainer import PriorTrainer


class TrainState:
    """Network, its moving average, codebook sums, index prior, optimizers and step counter.

    Random numbers need no state: every draw is a function of the recipe's seed, the step and the process.
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        self.recipe = recipe
        self.step = 0
        network = DiscreteDistributionNetwork(recipe.network, torch.Generator().manual_seed(recipe.seed)).to(device)
        self.learner = Learner(network, recipe.optimizer.learning_rate, recipe.optimizer.average)
        layers, visual = map(network.layer, range(len(recipe.network.levels))), recipe.visual.weights is not None
        self.codebooks = [CodebookState(layer, visual=visual).to(device) for layer in layers]
        prior = recipe.prior
        self.prior = PriorTrainer(network, prior.channels, prior.learning_rate, recipe.seed) if prior.channels else None

    @property
    def network(self) -> DiscreteDistributionNetwork:
        """The network as it learns."""
        return self.learner.module

    @property
    def average(self) -> DiscreteDistributionNetwork:
        """Its moving average, which is released."""
        return self.learner.average

    def adopt(self, trained: DiscreteDistributionNetwork, prior: IndexPrior | None = None) -> None:
        """Begin with the weights of a trained network, and of its index prior if it has one.

        Raises ArgumentError unless they have the recipe's shape, or one that it grows from (see `grow`).
        """
        weights = grow(trained, self.recipe.network).state_dict()
        self.network.load_state_dict(weights)
        self.average.load_state_dict(weights)
        if self.prior is not None and prior is not None:
            self.prior.adopt(grow_prior(prior, len(self.codebooks)))

    def save(self, path: Path) -> None:
        """Write a checkpoint, atomically."""
        record = {
            "step": self.step,
            "codebooks": nn.ModuleList(self.codebooks).state_dict(),
            "prior": self.prior and self.prior.state_dict(),
            **self.learner.state_dict(),
        }
        with replacing(path) as temporary:
            torch.save(record, temporary)

    def load(self, path: Path) -> None:
        """Restore a checkpoint of the same recipe. Raises ArgumentError where it does not fit."""
        try:
            record = torch.load(path, map_location="cpu", weights_only=True)
            self.learner.load_state_dict(record)
            nn.ModuleList(self.codebooks).load_state_dict(record["codebooks"])
            if self.prior is not None:
                self.prior.load_state_dict(record["prior"])
        except (EOFError, KeyError, RuntimeError, TypeError, ValueError, pickle.UnpicklingError) as error:
            raise ArgumentError(f"{path}: not a checkpoint of this recipe ({error})") from error
        self.step = record["step"]
