"""Gram selection: score all K candidates of a cell exactly without building any of them.

The derivation is in ARCHITECTURE.md, section Gram selection.

For a cell with features F (Fd x P), residual R (3 x P) and candidate W (3 x Fd),

    ||R - W F||^2 = ||R||^2 - 2 <W, R F^T> + <W^T W, F F^T>.

F stacks nd cosine images, each times a gain of its cell, on Fl learned images. The cosine images are orthonormal, so
their block of F F^T is diagonal, and the cell is summed up by one short vector, its *moments*:

    [ R F^T : 3 Fd | gains^2 : nd | cosine x learned : nd Fl | learned x learned, upper triangle : Fl (Fl + 1) / 2 ]

Where candidates mix whole components instead (`StageConfig.principal`), a pixel's colours count as samples of their
own: P is three times the pixels, R is 1 x P and W is 1 x Fd.

A candidate has a matching vector of *terms*, and the error it would leave is ||R||^2 + <moments, terms>. Moments of
cells that chose the same candidate may be added up: the sums hold its normal equations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from ddncodec.model import kernels
from ddncodec.model.cells import COLORS

LIMIT = 1 << 24
"""Largest number of values computed at once."""
CACHED = 1 << 18
"""The same on a CPU, whose cache then holds what one operation leaves to the next."""
SMALL = 400
"""Below this many multiplications per matrix, torch's batched matmul on a CPU falls back to a slow loop."""


@dataclasses.dataclass(frozen=True)
class GramLayout:
    """Where the parts of a moment vector, or of a vector of terms, are; the one place that knows it.

    `cosines` = nd, `learned` = Fl; Fd = nd + Fl features and `colors` rows of the residual.
    """

    cosines: int
    learned: int
    colors: int = COLORS

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Numbers in R F^T, gains^2, cosine x learned, and the upper triangle of learned x learned."""
        nd, fl = self.cosines, self.learned
        return self.colors * (nd + fl), nd, nd * fl, fl * (fl + 1) // 2

    @property
    def size(self) -> int:
        """D, the length of a moment vector."""
        return sum(self.sizes)

    def pack(
        self, right: Sequence[Tensor], squares: Tensor, mixed: Tensor, gram: Tensor, out: Tensor | None = None
    ) -> Tensor:
        """Vectors (n, D) of their parts, written to `out` if it is given.

        `right` (n, Fd, colors), as one tensor or cut along Fd; `squares` (n, nd); `mixed` (n, nd, Fl); `gram`
        (n, Fl, Fl), of which the upper triangle is taken.
        """
        row, col = torch.triu_indices(self.learned, self.learned, device=gram.device)
        upper = gram.flatten(1).index_select(1, row * self.learned + col)
        parts = [*(each.flatten(1) for each in right), squares, mixed.flatten(1), upper]
        return torch.cat(parts, dim=1) if out is None else torch.cat(parts, dim=1, out=out)

    def split(self, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Inverse of `pack`: `right` (n, Fd, colors), `squares`, `mixed`, and `gram` (n, Fl, Fl), symmetric."""
        right, squares, mixed, upper = vectors.split(self.sizes, dim=1)
        gram = vectors.new_zeros(len(vectors), self.learned, self.learned)
        row, col = torch.triu_indices(self.learned, self.learned, device=vectors.device)
        gram[:, row, col] = upper
        gram[:, col, row] = upper
        shape = (len(vectors), self.cosines + self.learned, self.colors)
        return right.reshape(shape), squares, mixed.reshape(len(vectors), self.cosines, self.learned), gram


WIDE = 16
"""From this many columns on, a batch of matrices is multiplied as fast as its rows all in one product."""


class FeatureSource(Protocol):
    """The features of one level, at hand or made when they are asked for: `basis` (nd, P) has orthonormal rows."""

    @property
    def basis(self) -> Tensor:
        """The cosine images, (nd, P)."""

    @property
    def grid(self) -> torch.Size:
        """Batch, rows and columns of cells."""

    def take(self, rows: Tensor) -> FeatureSource:
        """The features of these rows (n,) of the batch, which may repeat."""

    def part(self, cells: slice) -> tuple[Tensor, Tensor]:
        """Gains (n, nd) and learned images (n, P, Fl) of some cells, numbered in the order of the grid."""


@dataclasses.dataclass(frozen=True)
class Features:
    """The features of one level: F of each cell is `gains * basis` stacked on `learned`; all float32.

    `gains` (B, gh, gw, nd), `basis` (nd, P) with orthonormal rows, `learned` (B, gh, gw, P, Fl).
    """

    gains: Tensor
    basis: Tensor
    learned: Tensor

    @property
    def grid(self) -> torch.Size:
        return self.gains.shape[:3]

    def take(self, rows: Tensor) -> Features:
        """The features of these rows (n,) of the batch, which may repeat."""
        return Features(self.gains[rows], self.basis, self.learned[rows])

    def part(self, cells: slice) -> tuple[Tensor, Tensor]:
        """Gains (n, nd) and learned images (n, P, Fl) of some cells, numbered in the order of the grid."""
        return self.gains.flatten(0, 2)[cells], self.learned.flatten(0, 2)[cells]

    def combine(self, weight: Tensor) -> Tensor:
        """W F for one W of each cell: weight (B, gh, gw, Fd, 3) -> pictures of the cells (B, gh, gw, P, 3)."""
        count, pixels = self.basis.shape
        cosine, learned = (self.gains[..., None] * weight[..., :count, :]).mT, weight[..., count:, :].mT
        rows = cosine.reshape(-1, count)
        rows = kernels.product(rows, self.basis.T) if kernels.serves(rows) else rows @ self.basis
        pictures = rows.view(*cosine.shape[:-1], pixels)
        if learned.shape[-1]:
            pictures = pictures + learned.contiguous() @ self.learned.mT  # colours as rows, or torch is slow
        return pictures.mT


@torch.no_grad()
def moments(features: FeatureSource, residual: Tensor) -> Tensor:
    """Moments of every cell, (B, gh, gw, D) float32, of a residual given in cells (B, gh, gw, P, 3); no gradient."""
    residual = residual.flatten(0, 2)
    width = features.part(slice(0, 1))[1].shape[2]
    layout = GramLayout(features.basis.shape[0], width, residual.shape[2])
    out = residual.new_empty(len(residual), layout.size)
    for block in _blocks(out.shape[0], layout.size, LIMIT, out.device):
        (gains, images), left = features.part(block), residual[block]
        gain = gains[..., None]
        with_cosine, mixed = _columns(left, features.basis) * gain, _columns(images, features.basis) * gain
        with_learned, gram = _products(images, left)
        layout.pack([with_cosine, with_learned], gains.square(), mixed, gram, out=out[block])
    return out.view(*features.grid, -1)


def terms(weight: Tensor, count: int) -> Tensor:
    """Terms (K, D) of candidates W (K, Fd, 3), of which the first `count` features are cosines."""
    cosine, learned = weight[:, :count], weight[:, count:]
    mixed = 2 * cosine @ learned.transpose(1, 2)
    gram = learned @ learned.transpose(1, 2)
    layout = GramLayout(count, gram.shape[-1], weight.shape[2])
    doubled = (2 - torch.eye(layout.learned, dtype=gram.dtype, device=gram.device)) * gram
    return layout.pack([-2 * weight], cosine.square().sum(2), mixed, doubled)


def cost_changes(cells: Tensor, candidates: Tensor, prices: Tensor, limit: int = LIMIT) -> Iterator[Tensor]:
    """Yield <moments, terms> + prices of moments (n, D) and terms (K, D), blocks (rows, K) of `limit` numbers at most.

    Each entry is the change of the cell's squared error if it took that candidate, and what that costs: `prices` (K,),
    or (n, K) where cells pay differently. The zero candidate changes nothing.
    """
    columns = candidates.T.contiguous()
    for block in _blocks(cells.shape[0], candidates.shape[0], limit, cells.device):
        price = prices if prices.dim() == 1 else prices[block]
        if kernels.serves(cells):
            yield kernels.product(cells[block], candidates).add_(price)
        else:
            yield torch.addmm(price, cells[block], columns)


def normal_equations(sums: Tensor, layout: GramLayout) -> tuple[Tensor, Tensor]:
    """Summed moments (K, D) -> right sides R F^T (K, Fd, colors) and Gram matrices F F^T (K, Fd, Fd)."""
    right, squares, mixed, learned = layout.split(sums)
    upper = torch.cat([torch.diag_embed(squares), mixed], dim=2)
    return right, torch.cat([upper, torch.cat([mixed.mT, learned], dim=2)], dim=1)


def strips(rows: int, numbers: int, device: torch.device) -> Iterator[slice]:
    """Cut `rows` rows of cells of `numbers` numbers each into strips that a cache, or a GPU's memory, holds."""
    for strip in _blocks(rows, numbers, LIMIT, device):
        yield slice(strip.start, min(strip.stop, rows))


def _columns(batch: Tensor, matrix: Tensor) -> Tensor:
    """matrix (m, n) times every matrix of a batch (..., n, c) -> (..., m, c); vectors all in one product."""
    if 1 < batch.shape[-1] < WIDE and kernels.serves(batch):
        rows = batch.mT.reshape(-1, batch.shape[-2])
        return kernels.product(rows, matrix).view(*batch.shape[:-2], batch.shape[-1], -1).mT
    if batch.shape[-1] != 1:
        return matrix @ batch
    flat = batch.reshape(-1, batch.shape[-2]) @ matrix.T  # which torch does not see through broadcast strides
    return flat.view(*batch.shape[:-2], -1, 1)


def _products(images: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
    """images^T left (n, Fl, c) and images^T images (n, Fl, Fl), of images (n, P, Fl) and left (n, P, c)."""
    if images[0].numel() * left.shape[2] < SMALL:
        both = images.mT @ torch.cat([left, images], dim=2)
        return both[..., : left.shape[2]], both[..., left.shape[2] :]
    return (left.mT @ images).mT, images.mT @ images


def _blocks(cells: int, numbers: int, limit: int, device: torch.device) -> Iterator[slice]:
    """Cut cells of `numbers` numbers each into blocks of at most `limit` numbers; of CACHED at most on a CPU.

    There is at least one block, if an empty one, so that what is made of them has a shape.
    """
    rows = max(1, (min(limit, CACHED) if device.type == "cpu" else limit) // max(1, numbers))
    for start in range(0, max(1, cells), rows):
        yield slice(start, start + rows)
