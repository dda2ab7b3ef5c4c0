"""Split-and-Prune (Algorithm 1, Yang 2025): outputs that nothing matches restart as copies of those that all match."""

from __future__ import annotations

import torch
from torch import Tensor


def plan_splits(
    counts: Tensor, prune_below: float, limit: int, split_above: float = float("inf")
) -> tuple[list[tuple[int, int]], Tensor]:
    """Pairs (pruned, split) of output indices, at most `limit`, and the counts after these splits.

    `counts` (K,) float are how often each output was nearest. An output is pruned while its share is under
    `prune_below` / K and the busiest output holds more than twice that, or while the share of the busiest is over
    `split_above` / K; each split halves the busiest. The paper's thresholds are 0.5 and 2.
    """
    pairs: list[tuple[int, int]] = []
    counts = counts.clone()
    mean = float(counts.sum()) / counts.shape[0]
    floor, ceiling = prune_below * mean, split_above * mean
    while len(pairs) < limit:
        pruned, split = int(counts.argmin()), int(counts.argmax())
        dead = float(counts[pruned]) < floor and float(counts[split]) > 2 * floor
        crowded = float(counts[split]) > ceiling
        if not (dead or crowded):
            break
        counts[split] /= 2
        counts[pruned] = counts[split]
        pairs.append((pruned, split))
    return pairs, counts


def split_rows(tables: list[Tensor], pairs: list[tuple[int, int]]) -> None:
    """Copy row `split` over row `pruned` in every table (parameters, optimizer moments, averages), in place."""
    with torch.no_grad():
        for pruned, split in pairs:
            for table in tables:
                table[pruned] = table[split]


def perturb_rows(table: Tensor, rows: list[int], amount: float, generator: torch.Generator) -> None:
    """Add noise of `amount` times each row's root mean square to the given rows of `table`, in place."""
    with torch.no_grad():
        for row in rows:
            noise = torch.randn(table[row].shape, generator=generator).to(table)
            table[row] += amount * table[row].square().mean().sqrt() * noise
