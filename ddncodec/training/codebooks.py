"""Codebook training state of one level: Gram-Lloyd sums, how often each output is used, and what that costs in bits."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from ddncodec.coding.visual_weights import opponent
from ddncodec.model.cells import COLORS
from ddncodec.model.gram import GramLayout, normal_equations
from ddncodec.model.layer import DiscreteDistributionLayer
from ddncodec.training.split_and_prune import perturb_rows, plan_splits, split_rows

BUCKETS = 8
"""Lambda is cut into this many equal steps of its logarithm to count how often cells keep."""
RIDGE = 1e-3
"""Gram matrices are regularised by this share of their mean diagonal."""
MIN_COUNT, MIN_TRACE = 1e-3, 1e-8
"""Outputs of fewer cells, or of Gram matrices with a smaller mean diagonal, are not solved."""
VALUE_SMOOTHING = 0.1
"""Pseudo-count of each output, as a share of the mean, when its bits are computed."""
MAX_NONZERO_BITS = 4.0
MIN_CELLS = 0.5
"""Counts of cells at a lambda do not decay below this."""
PERTURBATION = 0.1
"""Noise added to a copied output, as a share of its root mean square."""


class CodebookState(nn.Module):
    """Moving sums for one Discrete Distribution Layer; all of it buffers, so that resuming is exact.

    `sums` (K, D) adds up the moments of the cells that chose each output, `counts` (K,) the cells themselves, and
    `nonzero` (BUCKETS, 2) how many cells chose index 0 or another at each lambda. With `visual`, moments are those of
    luma and then of chroma (see `coding.visual_weights`), which are solved one by one.
    """

    sums: Tensor
    counts: Tensor
    nonzero: Tensor

    def __init__(self, layer: DiscreteDistributionLayer, *, visual: bool = False) -> None:
        super().__init__()
        outputs = layer.codebook.shape[0]
        whole = layer.gram_layout
        self.layouts = [dataclasses.replace(whole, colors=n) for n in (1, COLORS - 1)] if visual else [whole]
        self.sizes = [layout.size for layout in self.layouts]
        self.register_buffer("sums", torch.zeros(outputs, sum(self.sizes)))
        self.register_buffer("counts", torch.ones(outputs))
        self.register_buffer("nonzero", torch.ones(BUCKETS, 2))

    def value_bits(self) -> Tensor:
        """Bits of each index given that it is not 0, (K,), smoothed; entry 0 is 0."""
        smoothed = self.counts[1:] + VALUE_SMOOTHING * self.counts[1:].mean()
        bits = torch.zeros_like(self.counts)
        bits[1:] = (smoothed.sum() / smoothed).log2()
        return bits

    def nonzero_bits(self, t: Tensor) -> Tensor:
        """Extra bits of not keeping over keeping, at conditions t (B,) in [-1, 1], within MAX_NONZERO_BITS."""
        kept, taken = self.nonzero[bucket_of(t)].unbind(dim=1)
        return (kept / taken).log2().clamp(-MAX_NONZERO_BITS, MAX_NONZERO_BITS)

    @torch.no_grad()
    def observe(self, moments: Tensor, indices: Tensor, t: Tensor, weights: Tensor) -> Tensor:
        """Sums of one batch as one vector, to be reduced over processes and given to `update`.

        `moments` (B, gh, gw, D), of which those of a picture count `weights` (B,) times; `indices` (B, gh, gw); `t`
        (B,).
        """
        flat, moments = indices.flatten(), moments * weights[:, None, None, None]
        sums = torch.zeros_like(self.sums).index_add_(0, flat, moments.flatten(0, 2))
        counts = torch.zeros_like(self.counts).index_add_(0, flat, torch.ones_like(flat, dtype=self.counts.dtype))
        taken = (indices != 0).flatten(1).float().sum(1)
        pair = torch.stack([indices[0].numel() - taken, taken], dim=1)
        nonzero = torch.zeros_like(self.nonzero).index_add_(0, bucket_of(t), pair)
        return torch.cat([sums.flatten(), counts, nonzero.flatten()])

    def update(self, observed: Tensor, decay: float) -> None:
        """Move the sums towards one batch of observations."""
        sizes = [self.sums.numel(), self.counts.numel(), self.nonzero.numel()]
        for buffer, seen in zip((self.sums, self.counts, self.nonzero), observed.split(sizes)):
            buffer.mul_(decay).add_(seen.view_as(buffer))
        self.nonzero.clamp_(min=MIN_CELLS)

    def solve(self, layer: DiscreteDistributionLayer, ridge_cells: float = 0.0) -> None:
        """Gram-Lloyd: W_k = A_k (G_k + eps I)^-1 for every output that cells chose (ARCHITECTURE.md, Gram-Lloyd).

        Every output is solved with `ridge_cells` average cells more, whose residual is zero.
        """
        parts = zip(self.sums.split_with_sizes(self.sizes, dim=1), self.layouts)
        solved, usable = zip(*(self._solve(sums, layout, ridge_cells) for sums, layout in parts))
        codebook = torch.cat(solved, dim=2)
        if len(solved) > 1:
            codebook = codebook @ opponent(codebook.device).T
        every = torch.stack(usable).all(dim=0)
        layer.codebook.data = torch.where(every[:, None, None], codebook, layer.codebook.data)

    def _solve(self, sums: Tensor, layout: GramLayout, ridge_cells: float) -> tuple[Tensor, Tensor]:
        """Solutions (K, Fd, colors) of the normal equations in `sums`, and which outputs (K,) have one."""
        right, gram = normal_equations(sums, layout)
        size = gram.shape[-1]
        trace = gram.diagonal(dim1=1, dim2=2).mean(dim=1)
        seen = (self.counts > MIN_COUNT) & (trace > MIN_TRACE)
        seen[0] = False
        share = RIDGE + ridge_cells / self.counts.clamp(min=MIN_COUNT)
        ridge = torch.eye(size, device=gram.device) * (share * trace.clamp(min=MIN_TRACE))[:, None, None]
        factor, failed = torch.linalg.cholesky_ex(gram + ridge)
        solved = torch.cholesky_solve(right, factor)
        return solved, seen & (failed == 0) & solved.isfinite().all(dim=2).all(dim=1)

    def split_and_prune(
        self,
        layer: DiscreteDistributionLayer,
        extra: list[Tensor],
        generator: torch.Generator,
        prune_below: float,
        limit: int,
    ) -> int:
        """Give dead outputs half of a busy one; returns how many. `extra` tables (K, ...) move along with it."""
        plan, counts = plan_splits(self.counts[1:], prune_below, limit)
        self.counts[1:] = counts
        pairs = [(pruned + 1, split + 1) for pruned, split in plan]
        tables = [layer.codebook.data, self.sums, *extra]
        if layer.choice_embedding is not None:
            tables.append(layer.choice_embedding.data)
        for pair in pairs:
            self.sums[pair[1]] /= 2
            split_rows(tables, [pair])
        pruned = [pair[0] for pair in pairs]
        for sums, layout in zip(self.sums.split_with_sizes(self.sizes, dim=1), self.layouts):
            perturb_rows(sums[:, : layout.sizes[0]], pruned, PERTURBATION, generator)
        perturb_rows(layer.codebook.data, pruned, PERTURBATION, generator)
        return len(pairs)


def bucket_of(t: Tensor) -> Tensor:
    """Bucket, 0 .. BUCKETS - 1, of conditions t in [-1, 1]."""
    return ((t + 1) / 2 * BUCKETS).long().clamp(0, BUCKETS - 1)
