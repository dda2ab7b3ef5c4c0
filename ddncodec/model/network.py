"""The Discrete Distribution Network: a walk through L levels in which someone else chooses the index of every cell.

state = network.initial_state(...)
for each level:
    proposal = network.propose(state)           # everything that does not depend on the choice
    indices = <encoder, decoder, sampler, ...>  # the one seam
    state = network.advance(proposal, indices)  # x = x + W_k F;  h = h + choice_embedding[k]
                                                # a decoder knows the indices: state = network.follow(state, indices)
picture = network.render(state)
"""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor, nn

from ddncodec.errors import ArgumentError
from ddncodec.model.cells import COLORS, PACKED, enlarge, from_cells, pack, shrink, unpack, view_cells
from ddncodec.model.condition import CLASS_DEVIATION, ClassCondition, build_condition
from ddncodec.model.config import PATCH, NetworkConfig, StageConfig
from ddncodec.model.gram import Features, FeatureSource, strips
from ddncodec.model.layer import RATE_FEATURES, DiscreteDistributionLayer
from ddncodec.model.principal import PrincipalComponents

BLOCK_SCALE = 0.3
"""Factor on the initial weights of a block's last convolution."""
OUTPUT_DEVIATION, LEVEL_SHRINK, TINT = 0.25, 0.85, 0.3
"""Initial codebooks: standard deviation of the mean of a cell, factor per level, and share of colour to gray."""


@dataclasses.dataclass(frozen=True)
class State:
    """Where a batch of pictures stands after `level` levels.

    `hidden` (B, C, h, w) is the trunk, `image` (B, 48, h, w) float32 the packed picture of the current stage with
    samples nominally in [-1, 1], `rate_condition` (B, 2) describes lambda.
    """

    level: int
    hidden: Tensor
    image: Tensor
    rate_condition: Tensor


@dataclasses.dataclass(frozen=True)
class Proposal:
    """What level `level` offers: trunk and base prediction, on which candidates W_k F are added to each cell."""

    level: int
    hidden: Tensor
    image: Tensor
    rate_condition: Tensor
    features: FeatureSource

    def take(self, rows: Tensor) -> Proposal:
        """The proposal to a batch of these rows (n,) of the batch, which may repeat."""
        hidden, image, rate_condition = self.hidden[rows], self.image[rows], self.rate_condition[rows]
        return Proposal(self.level, hidden, image, rate_condition, self.features.take(rows))


class Stage(nn.Module):
    """Levels at one stride, the way in from the coarser stage, and the way out to a full-size picture."""

    def __init__(self, config: StageConfig, coarser: StageConfig | None, network: NetworkConfig) -> None:
        super().__init__()
        self.scale = config.scale
        if coarser is None:
            self.start = nn.Parameter(torch.zeros(config.channels))
            side = config.levels[0].cell // config.stride
            if config.principal:
                self.position = nn.Parameter(torch.zeros(config.channels, side, side))
                self.principal = PrincipalComponents(side, config.principal, network.classes)
        else:
            self.enter = nn.Conv2d(coarser.channels, 4 * config.channels, 1)
        gradient = network.codebook == "gradient"
        layers = [
            DiscreteDistributionLayer(
                config, level, gradient_codebook=gradient, choice_embedding=network.choice_embedding
            )
            for level in config.levels
        ]
        self.layers = nn.ModuleList(layers)
        for layer in layers[1:] if config.shared else ():
            layer.share(layers[0])
        if self.scale > 1:
            self.to_detail = nn.Conv2d(config.channels, PACKED * self.scale**2, 1)


class DiscreteDistributionNetwork(nn.Module):
    """A DDN with cells, a pyramid of stages and a rate condition, lambda (ARCHITECTURE.md, Network)."""

    def __init__(self, config: NetworkConfig, generator: torch.Generator | None = None) -> None:
        """Weights are drawn from `generator`; without one they are zero, to be loaded."""
        super().__init__()
        self.config = config
        coarser = (None, *config.stages[:-1])
        self.stages = nn.ModuleList(Stage(s, c, config) for s, c in zip(config.stages, coarser))
        self.places = [(s, i) for s, stage in enumerate(config.stages) for i in range(len(stage.levels))]
        self.condition = build_condition(config)
        if generator is not None:
            self._initialize(generator)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # which torch's types leave out

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    def layer(self, level: int) -> DiscreteDistributionLayer:
        """The layer of a level, counted from 0 over all stages."""
        stage, index = self.places[level]
        layer = self.stage(stage).layers[index]
        assert isinstance(layer, DiscreteDistributionLayer)
        return layer

    def stage(self, number: int) -> Stage:
        """A stage, counted from 0, the coarsest."""
        stage = self.stages[number]
        assert isinstance(stage, Stage)
        return stage

    def scale(self, level: int) -> int:
        """Side in full-size pixels of a pixel of the picture that `level` emits."""
        return self.config.stages[self.places[level][0]].scale

    def rate_condition(self, lambdas: Tensor) -> Tensor:
        """Lambdas (B,) in squared 8-bit sample levels per bit -> the rate condition (B, 2), 0 in models of one rate."""
        if self.config.has_one_rate:
            return lambdas.new_zeros(lambdas.shape[0], 2)
        low, high = math.log(self.config.smallest_lambda), math.log(self.config.largest_lambda)
        t = (lambdas.float().log() - low) / (high - low) * 2 - 1
        return torch.stack([t, t * t], dim=1)

    def initial_state(self, lambdas: Tensor, height: int, width: int, condition: Tensor | None = None) -> State:
        """The state before the first level, for pictures of height x width, multiples of `config.alignment`.

        `condition`, for a batch of lambdas.shape[0] or 1: classes (B,) int64, or a plane (B, 1, height, width) in
        [-1, 1], as `config.condition` says. Raises ArgumentError where it is missing or does not fit.
        """
        if (condition is None) != (self.condition is None):
            raise ArgumentError(f"`condition` must be {self.config.condition}, as the model was trained with")
        stride = self.config.stages[0].stride
        batch, rows, cols = lambdas.shape[0], height // stride, width // stride
        first = self.stage(0)
        hidden = first.start[None, :, None, None].expand(batch, -1, rows, cols)
        image = hidden.new_zeros(batch, PACKED, rows, cols, dtype=torch.float32)
        if self.condition is not None and condition is not None:
            hidden = hidden + self.condition(condition, rows, cols)
            if self.config.condition == "gray":
                image = image + pack(shrink(condition.expand(-1, COLORS, -1, -1), first.scale))
        if self.config.stages[0].principal:
            side = first.principal.side
            grid = (rows // side, cols // side)
            hidden = hidden + first.position.tile(1, *grid)
            mean = first.principal.mean[condition] if self.config.condition == "class" else first.principal.mean[None]
            image = image + from_cells(mean[:, None, None, None], side).tile(1, 1, *grid)
        keep = {"memory_format": torch.channels_last}
        return State(0, hidden.contiguous(**keep), image.contiguous(**keep), self.rate_condition(lambdas))

    def propose(self, state: State) -> Proposal:
        """Run the trunk block of the next level: all that its candidates share."""
        layer, (hidden, image) = self.layer(state.level), self._enter(state)
        if layer.block:
            hidden, image = self._base(layer, hidden, image, layer.mixed(hidden, image), state.rate_condition)
        features = layer.features(hidden, self._components())
        return Proposal(state.level, hidden, image, state.rate_condition, features)

    def advance(self, proposal: Proposal, indices: Tensor) -> State:
        """Take candidate `indices` (B, gh, gw) int64 in [0, K) in every cell; 0 keeps the base prediction."""
        layer = self.layer(proposal.level)
        assert isinstance(proposal.features, Features), "proposals are for the backend that made them"
        delta = proposal.features.combine(layer.codebook[indices])
        image = proposal.image + from_cells(delta, layer.side)
        return State(proposal.level + 1, layer.after_choice(proposal.hidden, indices), image, proposal.rate_condition)

    @torch.no_grad()
    def follow(self, state: State, indices: Tensor) -> State:
        """`advance(propose(state), indices)`, for indices that are known in advance.

        Except for the convolution over neighbours, all is done a strip of cells at a time, which the cache holds.
        Features are computed only for cells whose index is not 0.
        """
        layer, (hidden, image) = self.layer(state.level), self._enter(state)
        mixed = layer.mixed(hidden, image) if layer.block else hidden
        after = State(state.level + 1, torch.empty_like(hidden), torch.empty_like(image), state.rate_condition)
        numbers = hidden[0, 0].numel() // indices.shape[1] * max(layer.width, hidden.shape[1])
        for cells in strips(indices.shape[1], numbers, hidden.device):
            rows = slice(cells.start * layer.side, cells.stop * layer.side)
            trunk, base = hidden[:, :, rows], image[:, :, rows]
            if layer.block:
                trunk, base = self._base(layer, trunk, base, mixed[:, :, rows], state.rate_condition)
            after.image[:, :, rows] = base
            self._change(layer, trunk, after.image[:, :, rows], indices[:, cells])
            after.hidden[:, :, rows] = layer.after_choice(trunk, indices[:, cells])
        return after

    def _change(self, layer: DiscreteDistributionLayer, hidden: Tensor, image: Tensor, indices: Tensor) -> None:
        """Add W_k F to the cells of `image` that do not keep, which are laid side by side for it."""
        taken = indices.nonzero(as_tuple=True)
        if taken[0].numel():
            trunk = view_cells(hidden, layer.side)[taken].transpose(0, 1).flatten(1, 2)
            features = layer.features(trunk.permute(2, 0, 1)[None], self._components())
            delta = features.combine(layer.codebook[indices[taken]][None, None])
            view_cells(image, layer.side)[taken] += delta.reshape(-1, layer.side, layer.side, image.shape[1])

    def _enter(self, state: State) -> tuple[Tensor, Tensor]:
        """Trunk and picture as the next level finds them, enlarged where it is the first of its stage."""
        stage, index = self.places[state.level]
        if index or not stage:
            return state.hidden, state.image
        return _pixel_shuffle(self.stage(stage).enter(state.hidden)), enlarge(state.image)

    def _base(
        self, layer: DiscreteDistributionLayer, hidden: Tensor, image: Tensor, mixed: Tensor, rate_condition: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Trunk and base prediction of a level with a block."""
        hidden = layer.hidden(hidden, mixed, rate_condition)
        base = layer.to_base(hidden).float()
        return hidden, image + base if self.config.residual else base

    def _components(self) -> Tensor | None:
        """The principal components (count, P), if there are any."""
        return self.stage(0).principal.images if self.config.stages[0].principal else None

    def render(self, state: State) -> Tensor:
        """The picture so far at full size, (B, 3, H, W) float32 nominally in [-1, 1]; any level but 0."""
        stage = self.stage(self.places[state.level - 1][0])
        image = unpack(state.image)
        if stage.scale == 1:
            return image
        size = (image.shape[2] * stage.scale, image.shape[3] * stage.scale)
        smooth = nn.functional.interpolate(image, size=size, mode="bicubic", align_corners=False)
        detail = nn.functional.pixel_shuffle(stage.to_detail(state.hidden).float(), PATCH * stage.scale)
        return smooth + detail

    def _initialize(self, generator: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
                assert module.bias is not None
                nn.init.zeros_(module.bias)
            elif isinstance(module, ClassCondition):
                nn.init.normal_(module.classes, std=CLASS_DEVIATION, generator=generator)
        for number in range(len(self.stages)):
            if self.stage(number).scale > 1:
                nn.init.zeros_(self.stage(number).to_detail.weight)
        for level, (number, index) in enumerate(self.places):
            layer = self.layer(level)
            if index == 0 or not self.config.stages[number].shared:
                nn.init.zeros_(layer.to_gains.weight)
                if layer.block:
                    nn.init.zeros_(layer.to_base.weight)
                    layer.out.weight.data.mul_(BLOCK_SCALE)
            self._initialize_codebook(layer, level, generator)

    @staticmethod
    def _initialize_codebook(layer: DiscreteDistributionLayer, level: int, generator: torch.Generator) -> None:
        """Random pictures with a falling spectrum, mostly gray, weaker at later levels; candidate 0 stays zero."""
        outputs = layer.codebook.shape[0]
        order = torch.arange(1, layer.cosines + 1).sqrt()
        deviation = OUTPUT_DEVIATION * PATCH * layer.side / order * LEVEL_SHRINK**level
        gray = torch.randn(outputs, layer.cosines, 1, generator=generator)
        tint = torch.randn(outputs, layer.cosines, layer.colors, generator=generator)
        layer.codebook.data[:, : layer.cosines] = (gray + TINT * tint) * deviation[None, :, None]
        layer.codebook.data[0] = 0


def _pixel_shuffle(hidden: Tensor) -> Tensor:
    return nn.functional.pixel_shuffle(hidden, 2).contiguous(memory_format=torch.channels_last)


__all__ = ["RATE_FEATURES", "DiscreteDistributionNetwork", "Proposal", "Stage", "State"]
