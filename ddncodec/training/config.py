"""What decides a training run: the network's shape, its phases, and the settings of each part of a step."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ddncodec.coding.visual_weights import VisualWeights, WeightMap, levels_of
from ddncodec.errors import ArgumentError
from ddncodec.model import NetworkConfig
from ddncodec.training.data.augmentation import PLAIN, Augmentation

FINAL_LR_FACTOR = 0.01
"""The learning rate at the end of a run, as a share of its peak."""
TUNING_PRIOR = 0.2
"""Factor on the learning rate of the index prior of a trained model; at the whole of it, it overfits the crops."""
TUNING_FINAL = 12.0
"""Weight of the last level's error in a trained model, whose pictures are mostly decoded to the end."""
TUNING_SUMS = 200
"""Steps in which the codebook sums of a trained model fill before anything is solved from them."""


@dataclasses.dataclass(frozen=True)
class Phase:
    """A part of a run. Steps count from 0."""

    # Step at which the phase ends.
    until: int
    # Stages in training, from the coarsest on.
    stages: int
    # Crops per step and process.
    batch: int
    # Side of a crop, in pixels.
    crop: int


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """AdamW on the network's weights, and their moving average."""

    # Peak learning rate.
    learning_rate: float = 1e-3
    # Steps of linear warm-up.
    warmup: int = 100
    # Share of the run after which the learning rate falls linearly to FINAL_LR_FACTOR.
    decay_from: float = 0.5
    # Share that the moving average keeps in each step.
    average: float = 0.998


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """The error that a step minimises, and the rate at which it chooses indices."""

    # Weight of the last level of a stage, relative to each of the others.
    final_weight: float = 2.0
    # Take the plain logarithm of errors, without a floor.
    relative: bool = False
    # Steps over which the price of bits rises after a stage starts, while its codebooks settle.
    rate_warmup_steps: int = 300
    # Share of cells that continue from a random output instead of the chosen one (section 3.2, Yang 2025).
    chain_dropout: float = 0.0


@dataclasses.dataclass(frozen=True)
class CodebookConfig:
    """Moving sums of codebooks, solving (Gram-Lloyd), and Split-and-Prune."""

    # Share that the sums keep in each step while the learning rate is at its peak.
    decay: float = 0.99
    # The same as the learning rate approaches 0.
    decay_late: float = 0.996
    # Steps from one solution to the next.
    solve_every: int = 4
    # Steps from one Split-and-Prune to the next.
    split_every: int = 40
    # Outputs chosen less often than this share of the mean are pruned.
    prune_below: float = 0.1
    # First step at which codebooks are solved and split; later than 0 for given codebooks with empty sums.
    solve_from: int = 0
    # Cells with a residual of zero that each output is solved with in addition, against fitting to few.
    ridge_cells: float = 0.0

    def decay_at(self, lr_factor: float) -> float:
        """The share that the sums keep at a learning rate of `lr_factor` times its peak."""
        return self.decay_late + (self.decay - self.decay_late) * lr_factor


@dataclasses.dataclass(frozen=True)
class PriorConfig:
    """The index prior that is trained along with the network."""

    # Channels of the prior; 0 trains none.
    channels: int = 0
    # Peak learning rate.
    learning_rate: float = 3e-3
    # First step at which indices are chosen at the prior's prices.
    joint_from: int = 0


@dataclasses.dataclass(frozen=True)
class VisualConfig:
    """Errors weighted as the eye sees them, in choices, loss and codebooks alike."""

    # The weights; None weighs no errors.
    weights: VisualWeights | None = None
    # Share of the crops of each batch whose errors are weighted; those of the others count all alike.
    share: float = 0.5

    def weight_map(self, crops: Tensor) -> WeightMap | None:
        """The weights of a batch of crops (B, 3, S, S) in [-1, 1], the first of which are weighted."""
        if self.weights is None:
            return None
        weighted = torch.arange(len(crops), device=crops.device) < round(self.share * len(crops))
        return WeightMap.of(self.weights, levels_of(crops), weighted)


@dataclasses.dataclass(frozen=True)
class StartConfig:
    """The closed-form start of a model on principal components (see `principal`)."""

    # Crops that components and codebooks are computed from; 0 for other models.
    crops: int = 0
    # Rounds of Lloyd's algorithm for each codebook.
    rounds: int = 4


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that decides a run's weights in addition to its pictures."""

    network: NetworkConfig
    phases: tuple[Phase, ...]
    optimizer: OptimizerConfig = OptimizerConfig()
    loss: LossConfig = LossConfig()
    codebook: CodebookConfig = CodebookConfig()
    prior: PriorConfig = PriorConfig()
    visual: VisualConfig = VisualConfig()
    start: StartConfig = StartConfig()
    # Batches per process whose gradients and observations a step adds up.
    accumulate: int = 1
    # How crops differ from pictures.
    augmentation: Augmentation = PLAIN
    # Steps after the last one in which only codebooks and index prior are fitted to the averaged trunk (see `release`).
    settle_steps: int = 40
    # Seed of every random draw.
    seed: int = 0

    @property
    def steps(self) -> int:
        """How many steps the run has."""
        return self.phases[-1].until

    def phase(self, step: int) -> Phase:
        """The phase that a step belongs to."""
        return next(phase for phase in self.phases if step < phase.until)

    def lr_factor(self, step: int) -> float:
        """Learning rate at `step` as a share of its peak: warm-up, plateau, linear decay."""
        start = self.optimizer.decay_from * self.steps
        decay = 1 - (1 - FINAL_LR_FACTOR) * max(0.0, step - start) / max(1.0, self.steps - start)
        return min(1.0, (step + 1) / self.optimizer.warmup) * decay

    def rate_warmup(self, step: int) -> tuple[float, ...]:
        """For every stage in training, the share of the price of bits that it pays; rises linearly after it starts."""
        stages = range(self.phase(step).stages)
        starts = [max((p.until for p in self.phases if p.stages <= stage), default=0) for stage in stages]
        return tuple(min(1.0, (step - start + 1) / self.loss.rate_warmup_steps) for start in starts)

    def tuning(self, steps: int) -> Recipe:
        """A recipe that continues from trained weights: the last phase alone, for `steps` steps."""
        replace = dataclasses.replace
        return replace(
            self,
            phases=(replace(self.phases[-1], until=steps),),
            loss=replace(self.loss, rate_warmup_steps=1, final_weight=TUNING_FINAL),
            codebook=replace(self.codebook, solve_from=TUNING_SUMS),
            prior=replace(self.prior, joint_from=TUNING_SUMS, learning_rate=TUNING_PRIOR * self.prior.learning_rate),
        )

    def lengthened(self, steps: int) -> Recipe:
        """The same recipe with its last phase ending at `steps`."""
        if steps <= (self.phases[-2].until if len(self.phases) > 1 else 0):
            raise ArgumentError(f"`steps` (={steps}) must exceed the end of the phase before last")
        return dataclasses.replace(self, phases=(*self.phases[:-1], dataclasses.replace(self.phases[-1], until=steps)))
