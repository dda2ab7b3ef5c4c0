"""The Discrete Distribution Layer (DDL; section 3.1, Yang 2025), over cells and with a closed-form codebook."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ddncodec.model.cells import COLORS, PACKED, cosine_basis, spread, to_cells
from ddncodec.model.config import PATCH, LevelConfig, StageConfig
from ddncodec.model.gram import Features, GramLayout

RATE_FEATURES = 2
"""Numbers that describe lambda to a layer: t and t^2 of t = log lambda scaled to [-1, 1]."""
SHARED = {"mix", "rate_condition", "out", "to_base", "to_learned", "to_gains"}
"""Parts of a layer that all levels of a `shared` stage have in common."""
GAIN_RANGE = 3.0
"""Predicted gains stay within exp(-GAIN_RANGE) and exp(GAIN_RANGE)."""


class DiscreteDistributionLayer(nn.Module):
    """One level: a trunk block, a base prediction, features, and K candidates W_k as linear maps of the features.

    The network calls its methods in this order: `mixed`, `hidden` and `to_base` where the level has a block, then
    `features`, and `after_choice` once the indices are known. Only `mixed` may look at neighbouring positions.
    Everything else works on each cell alone, because `DiscreteDistributionNetwork.follow` computes it strip by strip;
    tests/model/test_model_network.py::test_following_in_strips_is_proposing_and_advancing checks that.
    """

    basis: Tensor

    def __init__(
        self, stage: StageConfig, level: LevelConfig, *, gradient_codebook: bool, choice_embedding: bool
    ) -> None:
        super().__init__()
        self.side = level.cell // stage.stride
        self.colors = 1 if stage.principal else COLORS
        self.cosines = stage.basis if stage.principal else min(stage.basis, (PATCH * self.side) ** 2)
        self.learned = stage.features if level.features is None else level.features
        channels = stage.channels
        self.block = level.block
        if level.block:
            self.mix = nn.Conv2d(channels + PACKED, channels, 3, padding=1)
            self.rate_condition = nn.Linear(RATE_FEATURES, channels)
            self.out = nn.Conv2d(channels, channels, 1)
            self.to_base = nn.Conv2d(channels, PACKED, 1)
        if self.learned:
            self.to_learned = nn.Conv2d(channels, self.width, 1)
        self.to_gains = nn.Conv2d(channels, self.cosines, 1)
        self.level_embedding = nn.Parameter(torch.zeros(channels)) if stage.shared else None
        self.choice_embedding = nn.Parameter(torch.zeros(level.outputs, channels)) if choice_embedding else None
        shape = (level.outputs, self.cosines + self.learned, self.colors)
        self.codebook = nn.Parameter(torch.zeros(shape), requires_grad=gradient_codebook)
        if stage.principal:
            self.component_indices = nn.Parameter(torch.arange(self.cosines).float(), requires_grad=False)
        else:
            self.register_buffer("basis", cosine_basis(self.side, self.cosines), persistent=False)

    @property
    def width(self) -> int:
        """Numbers of learned features at a trunk position."""
        return PACKED // self.colors * self.learned

    @property
    def gram_layout(self) -> GramLayout:
        """The layout of the moments of its cells."""
        return GramLayout(self.cosines, self.learned, self.colors)

    def share(self, other: DiscreteDistributionLayer) -> None:
        """Use the block of `other`; level embedding, codebook and choice embedding stay this layer's own."""
        for name in SHARED & self._modules.keys():
            setattr(self, name, getattr(other, name))

    def extra_repr(self) -> str:
        outputs, features, _ = self.codebook.shape
        return f"outputs={outputs}, features={features}, side={self.side}"

    def mixed(self, hidden: Tensor, image: Tensor) -> Tensor:
        """What each position sees around it: trunk (B, C, h, w) and packed picture (B, 48, h, w) -> (B, C, h, w)."""
        return self.mix(torch.cat([hidden, image.to(hidden.dtype)], dim=1))

    def hidden(self, hidden: Tensor, mixed: Tensor, rate_condition: Tensor) -> Tensor:
        """The rest of the block, position by position: trunk, `mixed`, `rate_condition` (B, 2) -> next trunk."""
        mixed = mixed + self.rate_condition(rate_condition)[:, :, None, None]
        if self.level_embedding is not None:
            mixed = mixed + self.level_embedding[None, :, None, None]
        return hidden + self.out(nn.functional.gelu(mixed, approximate="tanh"))

    def features(self, hidden: Tensor, components: Tensor | None) -> Features:
        """The features F of every cell, float32 whatever the trunk's precision.

        `components` (count, P) are the stage's principal components, if it has them.
        """
        basis = self.basis if components is None else components[self.component_indices.long()]
        pooled = hidden if self.side == 1 else nn.functional.avg_pool2d(hidden, self.side)
        bounded = GAIN_RANGE * torch.tanh(self.to_gains(pooled).float() / GAIN_RANGE)
        gains = bounded.exp().permute(0, 2, 3, 1)
        if self.learned:
            learned = to_cells(self.to_learned(hidden).float(), self.side, self.learned)
        else:
            learned = gains.new_zeros(*gains.shape[:3], basis.shape[1], 0)
        return Features(gains, basis, learned)

    def after_choice(self, hidden: Tensor, indices: Tensor) -> Tensor:
        """The trunk (B, C, h, w) plus the embedding of the chosen `indices` (B, gh, gw)."""
        if self.choice_embedding is None:
            return hidden
        chosen = nn.functional.embedding(
            indices, self.choice_embedding
        )  # its gradient is fast where most indices are 0
        return spread(chosen.permute(0, 3, 1, 2), self.side).to(hidden.dtype).add_(hidden)
