"""What indices cost in a training step, in bits: by how often each was chosen lately, or by the index prior."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from ddncodec.coding.selection import least_cost_indices
from ddncodec.training.codebooks import CodebookState
from ddncodec.training.prior import PriorNetwork, checkerboard, embed


class Prices(Protocol):
    """A rate model for the indices of one batch, level by level; without gradient."""

    def choose(self, level: int, cells: Tensor, candidates: Tensor, unit: Tensor) -> Tensor:
        """The indices (B, gh, gw) of least cost, error and rate, in moments `cells` (B, gh, gw, D).

        `candidates` (K, D) are the terms of the outputs, `unit` (B,) the price of a bit in each picture. Levels are
        chosen in order.
        """


class CodebookPrices:
    """Bits by how often each index was chosen lately; `t` (B,) is lambda scaled to [-1, 1]."""

    def __init__(self, codebooks: Sequence[CodebookState], t: Tensor) -> None:
        self._codebooks, self._t = codebooks, t

    @torch.no_grad()
    def choose(self, level: int, cells: Tensor, candidates: Tensor, unit: Tensor) -> Tensor:
        """As `Prices.choose`."""
        book, grid = self._codebooks[level], cells.shape[:3]
        each = grid[1] * grid[2]
        prices = (unit[:, None] * book.value_bits()).repeat_interleave(each, dim=0)
        threshold = (unit * book.nonzero_bits(self._t)).repeat_interleave(each)
        return least_cost_indices(cells.flatten(0, 2), candidates, prices, threshold).view(grid)


class PriorPrices:
    """Bits by a prior in training; `features` as `codebook_features`, `steps` (B,) the lambda feature of pictures."""

    def __init__(self, prior: PriorNetwork, features: Sequence[Tensor], steps: Tensor) -> None:
        self._prior, self._features, self._steps = prior, features, steps
        self._state: Tensor | None = None

    @torch.no_grad()
    def choose(self, level: int, cells: Tensor, candidates: Tensor, unit: Tensor) -> Tensor:
        """As `Prices.choose`: anchors first, then the others, which are conditioned on them."""
        prior, grid = self._prior, cells.shape[:3]
        weights, flat = prior.level(level), cells.flatten(0, 2)
        index, anchor, head = weights.tables(self._features[level])
        before = prior.initial_state(grid) if self._state is None else self._state
        state = prior.start_level(level, before, self._steps)
        plane = torch.zeros(grid, dtype=torch.int64, device=state.device)
        seen = state
        for positions in checkerboard(grid, state.device):
            octaves = weights.octaves(seen.permute(0, 2, 3, 1).flatten(0, 2)[positions], head)
            total = torch.logsumexp(octaves[:, 1:] * math.log(2), dim=1, keepdim=True) / math.log(2)
            each = unit[positions // (grid[1] * grid[2])]
            plane.view(-1)[positions] = least_cost_indices(
                flat[positions], candidates, each[:, None] * (total - octaves), each * -octaves[:, 0]
            )
            seen = weights.condition_on_anchors(state, embed(anchor, plane))
        self._state = prior.finish_level(state, index, plane)
        return plane
