"""The best indices of a level's cells at the prices of the index prior.

Prices are for choosing only; the coder's integers come from `bitstream` alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from bitstream.context import NON_ANCHOR
from bitstream.frequencies import LOGITS_PER_OCTAVE
from bitstream.prior import PriorState
from bitstream.walks import checkerboard
from ddncodec.coding.selection import best_candidates

PRICED_CELLS = 1 << 11
"""Cells whose prices are in memory together."""


def predicted_candidates(
    cells: Tensor, candidates: Tensor, prior_state: PriorState, shape: tuple[int, int], unit: Tensor, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The `count` best candidates but 0 of every cell: what each changes in all, its bits, and its int64 index.

    All are (gh, gw, count), changes and bits in bits, against keeping; changes are infinite beyond the picture, whose
    grid is `shape`. `cells` (gh, gw, D) and `candidates` are as for `cheapest`, `unit` as `price_unit` returns it.
    The prior is at this level. Non-anchors are priced knowing what the best of the anchors are.
    """
    costs = cells.new_full((*cells.shape[:2], count), torch.inf)
    bits, codes = torch.zeros_like(costs), torch.zeros_like(costs, dtype=torch.int64)
    plane = np.zeros(shape, np.int32)
    for phase, positions in enumerate(checkerboard(shape)):
        if phase == NON_ANCHOR:
            prior_state.condition_on_anchors(plane)
        for block in _blocks(positions):
            rows, cols = (torch.from_numpy(each).to(cells.device) for each in np.divmod(block, shape[1]))
            flag = -torch.from_numpy(prior_state.nonzero_logits(block)).to(cells)[:, None] / LOGITS_PER_OCTAVE
            price = _value_bits(prior_state.value_logits(block)).to(cells.device)
            change, found = best_candidates(cells[rows, cols], candidates, price * unit, count)
            costs[rows, cols], codes[rows, cols] = change / unit + flag, found
            bits[rows, cols] = price.gather(1, found) + flag
            plane.flat[block] = found[:, 0].where(costs[rows, cols, 0] < 0, 0).cpu().numpy()
    return costs, bits, codes


def _value_bits(logits: np.ndarray) -> Tensor:
    """Bits of indices 0..K-1 given that they are not 0, (n, K) float32, of logits (n, K - 1); those of 0 are 0."""
    octaves = torch.from_numpy(logits).float() / LOGITS_PER_OCTAVE
    bits = torch.logsumexp(octaves * math.log(2), dim=1, keepdim=True) / math.log(2) - octaves
    return torch.nn.functional.pad(bits, (1, 0))


def _blocks(positions: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(positions), PRICED_CELLS):
        yield positions[start : start + PRICED_CELLS]
