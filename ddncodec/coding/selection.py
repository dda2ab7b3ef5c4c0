"""Who chooses the index when encoding: rate-distortion selection through Gram moments.

Sits between the codec and the network; decoding never comes here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ddncodec.model.gram import cost_changes
from ddncodec.samples import SAMPLE_SCALE


def least_cost_indices(cells: Tensor, candidates: Tensor, prices: Tensor, threshold: Tensor) -> Tensor:
    """The choice of least cost for every cell: argmin over k of D_k + lambda * bits_k, all in one currency.

    `threshold` (n,) is lambda times the extra bits of not keeping; the others are as in `best_candidates`. Returns
    int64 indices (n,); 0 where no candidate pays.
    """
    cost, indices = (each[:, 0] for each in best_candidates(cells, candidates, prices))
    return torch.where(cost + threshold < 0, indices, 0)


def best_candidates(cells: Tensor, candidates: Tensor, prices: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
    """The `count` best candidates but 0 of every cell, best first: what choosing them changes, and their int64 indices.

    Both are (n, count). `cells` (n, D) are moments and `candidates` (K, D) terms (see `model.gram`). `prices` (K,) or
    (n, K) is lambda times the bits of each value, with an arbitrary first entry, in units of network squared error,
    like the change.
    """
    costs, indices = [], []
    for change in cost_changes(cells, candidates, prices):
        change[:, 0] = torch.inf
        best = change.min(dim=1, keepdim=True) if count == 1 else change.topk(count, dim=1, largest=False)
        costs.append(best.values)
        indices.append(best.indices)
    return torch.cat(costs), torch.cat(indices)


def price_unit(lambdas: Tensor, scale: int) -> Tensor:
    """Network squared error that one bit is worth, for pictures emitted at 1/scale of full size."""
    return lambdas / (SAMPLE_SCALE * scale) ** 2
