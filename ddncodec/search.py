"""Who chooses the index when encoding: rate-distortion selection through Gram moments.

Sits between the codec and the network; decoding never comes here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ddncodec.model.gram import changes

SAMPLE_SCALE = 127.5
"""Network samples lie in [-1, 1]; times this they are in 8-bit levels, the unit of lambda."""


def select(cells: Tensor, candidates: Tensor, prices: Tensor, threshold: Tensor) -> Tensor:
    """The candidate of least cost for every cell: argmin over k of D_k + lambda * bits_k, all in one currency.

    `cells` (n, D) are moments and `candidates` (K, D) terms (see `model.gram`). `prices` (K,) or (n, K) is lambda
    times the bits of each value, with an arbitrary first entry; `threshold` (n,) is lambda times the extra bits of not
    keeping. Prices are in units of network squared error. Returns int64 codes (n,); 0 where no candidate pays.
    """
    chosen, start, values = [], 0, prices[..., 1:]
    for change in changes(cells, candidates[1:]):
        stop = start + change.shape[0]
        best, code = change.add_(values[start:stop] if values.dim() == 2 else values).min(dim=1)
        chosen.append(torch.where(best + threshold[start:stop] < 0, code + 1, 0))
        start = stop
    return torch.cat(chosen)


def price_unit(lambdas: Tensor, scale: int) -> Tensor:
    """Network squared error that one bit is worth, for pictures emitted at 1/scale of full size."""
    return lambdas / (SAMPLE_SCALE * scale) ** 2
