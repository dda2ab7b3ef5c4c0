"""What the indices of a picture will cost, level by level, for the encoder's choices only.

The integers that code the indices come from `bitstream` alone. Bits are counted against index 0, which keeps the base
prediction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from bitstream import Header, grid
from bitstream.context import NON_ANCHOR, anchor_scores, non_anchor_mask, nonzero_scores
from bitstream.frequencies import LOGITS_PER_OCTAVE
from bitstream.prior import PriorState
from bitstream.walks import checkerboard
from ddncodec.coding.engine import lambda_step_of
from ddncodec.coding.rate import nonzero_bits, value_bits
from ddncodec.coding.selection import best_candidates
from ddncodec.zoo.loading import Model

PRICED_CELLS = 1 << 11
"""Cells whose prices by the index prior are in memory together."""


@dataclasses.dataclass(frozen=True)
class Priced:
    """The best few candidates but 0 of every cell, the best first; all (gh, gw, n).

    `costs` float32 is what each changes, error and rate, in bits; infinite beyond the picture. `bits` float32 is its
    rate. `indices` int64.
    """

    costs: Tensor
    bits: Tensor
    indices: Tensor


class RateModel(Protocol):
    """The rate of the indices of one picture. For every level: `begin`, `price`, then `finish`."""

    def begin(self) -> None:
        """Go to the next level."""

    def price(self, cells: Tensor, candidates: Tensor, unit: Tensor, count: int) -> Priced:
        """The `count` best candidates of every cell of the level.

        `cells` (gh, gw, D) are moments and `candidates` (K, D) terms as for `best_candidates`; `unit` is the squared
        error that one bit is worth, as `price_unit` returns it. Non-anchors are priced as if the anchors took the best.
        """

    def finish(self, plane: np.ndarray) -> None:
        """Take the indices (rows, cols) chosen at the level as the context of the next ones."""


class TableRates:
    """Rates by the tables of a model, whose context is which indices of the levels so far were not 0."""

    def __init__(self, model: Model, header: Header, nonzero: tuple[np.ndarray, ...] = ()) -> None:
        self.model, self.header = model, header
        self._nonzero = nonzero

    def fork(self, plane: np.ndarray) -> TableRates:
        """The rates of the levels after one with these indices; what is here stays as it is."""
        return TableRates(self.model, self.header, (*self._nonzero, plane != 0))

    def begin(self) -> None:
        pass

    def price(self, cells: Tensor, candidates: Tensor, unit: Tensor, count: int) -> Priced:
        tables = self.model.tables[len(self._nonzero)]
        price = value_bits(tables, lambda_step_of(self.header)).to(cells.device)
        changes, indices = best_candidates(cells.flatten(0, 1), candidates, price * unit, count)
        costs, indices = (changes / unit).view(*cells.shape[:2], count), indices.view(*cells.shape[:2], count)
        extra = self._extra_bits(costs[..., 0])[..., None]
        return Priced(costs + extra, price[indices] + extra, indices)

    def finish(self, plane: np.ndarray) -> None:
        self._nonzero = (*self._nonzero, plane != 0)

    def _extra_bits(self, costs: Tensor) -> Tensor:
        """Bits of index != 0 over those of 0, (gh, gw); `costs` (gh, gw) are those of the best index without them."""
        level, header = len(self._nonzero), self.header
        tables, layout = self.model.tables[level], self.model.info.layout
        weights, size = tables.weights, (header.width, header.height)
        scores = nonzero_scores(weights, self._nonzero, level, layout, *size, header.lambda_step)
        anchors = nonzero_bits(tables, scores, 0)
        rows, cols = anchors.shape
        taken = costs[:rows, :cols].cpu().numpy() + anchors < 0
        others = nonzero_bits(tables, scores + anchor_scores(weights, taken), NON_ANCHOR)
        out = torch.full_like(costs, torch.inf)
        out[:rows, :cols] = torch.from_numpy(np.where(non_anchor_mask(anchors.shape), others, anchors)).to(costs)
        return out


class PriorRates:
    """Rates by the index prior of a model."""

    def __init__(self, state: PriorState, grids: Iterator[tuple[int, int]]) -> None:
        """`grids` are the rows and columns of the cells of every level within the picture."""
        self._state, self._grids = state, grids
        self._grid = (0, 0)

    def begin(self) -> None:
        self._grid = next(self._grids)
        self._state.start_level()

    def price(self, cells: Tensor, candidates: Tensor, unit: Tensor, count: int) -> Priced:
        costs = cells.new_full((*cells.shape[:2], count), torch.inf)
        bits, indices = torch.zeros_like(costs), torch.zeros_like(costs, dtype=torch.int64)
        plane = np.zeros(self._grid, np.int32)
        flat_cells, flat_costs, flat_bits, flat_indices = (
            each.view(-1, each.shape[2]) for each in (cells, costs, bits, indices)
        )
        for phase, positions in enumerate(checkerboard(self._grid)):
            if phase == NON_ANCHOR:
                self._state.condition_on_anchors(plane)
            for block in _blocks(positions):
                rows, cols = np.divmod(block, self._grid[1])
                at = torch.from_numpy(rows * cells.shape[1] + cols).to(cells.device)
                extra = -torch.from_numpy(self._state.nonzero_logits(block)).to(cells)[:, None] / LOGITS_PER_OCTAVE
                price = _value_bits(self._state.value_logits(block)).to(cells.device)
                changes, found = best_candidates(flat_cells.index_select(0, at), candidates, price * unit, count)
                cost = changes / unit + extra
                flat_costs[at], flat_indices[at], flat_bits[at] = cost, found, price.gather(1, found) + extra
                plane.flat[block] = found[:, 0].where(cost[:, 0] < 0, 0).cpu().numpy()
        return Priced(costs, bits, indices)

    def finish(self, plane: np.ndarray) -> None:
        self._state.finish_level(plane)


def rate_model(model: Model, header: Header) -> RateModel:
    """The rates that a picture's indices are chosen at: by the index prior if the model has one, else by its tables."""
    if model.prior is None:
        return TableRates(model, header)
    layout, width, height = model.info.layout, header.width, header.height
    state = PriorState(model.prior, layout, width, height, header.lambda_step)
    return PriorRates(state, (grid(level, width, height) for level in layout))


def _value_bits(logits: np.ndarray) -> Tensor:
    """Bits of indices 0..K-1 given that they are not 0, (n, K) float32, of logits (n, K - 1); those of 0 are 0."""
    octaves = torch.from_numpy(logits).float() / LOGITS_PER_OCTAVE
    bits = octaves.new_zeros(len(octaves), octaves.shape[1] + 1)
    torch.sub(torch.logsumexp(octaves * math.log(2), dim=1, keepdim=True) / math.log(2), octaves, out=bits[:, 1:])
    return bits


def _blocks(positions: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(positions), PRICED_CELLS):
        yield positions[start : start + PRICED_CELLS]
