"""Gram selection: score all K candidates of a cell exactly without building any of them (DESIGN section 2).

For a cell with features F (Fd x P), residual R (3 x P) and candidate W (3 x Fd),

    ||R - W F||^2 = ||R||^2 - 2 <W, R F^T> + <W^T W, F F^T>.

F stacks nd cosine images, each times a gain of its cell, on Fl learned images. The cosine images are orthonormal, so
their block of F F^T is diagonal, and the cell is summed up by one short vector, its *moments*:

    [ R F^T : 3 Fd | gains^2 : nd | cosine x learned : nd Fl | learned x learned, upper triangle : Fl (Fl + 1) / 2 ]

A candidate has a matching vector of *terms*, and the error it would leave is ||R||^2 + <moments, terms>. Moments of
cells that chose the same candidate may be added up: the sums hold its normal equations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import Tensor

from ddncodec.model.cells import COLORS


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

    def combine(self, weight: Tensor) -> Tensor:
        """W F for one W of each cell: weight (B, gh, gw, Fd, 3) -> pictures of the cells (B, gh, gw, P, 3)."""
        count = self.basis.shape[0]
        cosine = self.gains[..., None] * weight[..., :count, :]
        return self.basis.T @ cosine + self.learned @ weight[..., count:, :]


def moments(features: Features, residual: Tensor) -> Tensor:
    """Moments of every cell, (B, gh, gw, D) float32, of a residual given in cells (B, gh, gw, P, 3)."""
    gains, basis, learned = features.gains, features.basis, features.learned
    with_cosine = (basis @ residual) * gains[..., None]
    with_learned = learned.transpose(-1, -2) @ residual
    mixed = (basis @ learned) * gains[..., None]
    gram = learned.transpose(-1, -2) @ learned
    upper = torch.triu_indices(gram.shape[-1], gram.shape[-1], device=gram.device)
    parts = [with_cosine.flatten(-2), with_learned.flatten(-2), gains.square(), mixed.flatten(-2)]
    return torch.cat([*parts, gram[..., upper[0], upper[1]]], dim=-1)


def terms(weight: Tensor, count: int) -> Tensor:
    """Terms (K, D) of candidates W (K, Fd, 3), of which the first `count` features are cosines."""
    cosine, learned = weight[:, :count], weight[:, count:]
    mixed = 2 * cosine @ learned.transpose(1, 2)
    gram = learned @ learned.transpose(1, 2)
    upper = torch.triu_indices(gram.shape[-1], gram.shape[-1], device=gram.device)
    doubled = torch.where(upper[0] == upper[1], 1.0, 2.0)
    parts = [-2 * weight.flatten(1), cosine.square().sum(2), mixed.flatten(1)]
    return torch.cat([*parts, gram[:, upper[0], upper[1]] * doubled], dim=1)


def changes(cells: Tensor, candidates: Tensor, limit: int = 1 << 24) -> Iterator[Tensor]:
    """Yield <moments, terms> of moments (n, D) and terms (K, D) as blocks (rows, K) of at most `limit` numbers.

    Each entry is the change of the cell's squared error if it took that candidate; the zero candidate changes nothing.
    """
    rows = max(1, limit // candidates.shape[0])
    for start in range(0, cells.shape[0], rows):
        yield cells[start : start + rows] @ candidates.T


def normal_equations(sums: Tensor, count: int, learned: int) -> tuple[Tensor, Tensor]:
    """Unpack summed moments (K, D) into right sides R F^T (K, Fd, 3) and Gram matrices F F^T (K, Fd, Fd)."""
    outputs, total = sums.shape[0], count + learned
    sizes = [COLORS * total, count, count * learned, learned * (learned + 1) // 2]
    right, cosine, mixed, upper = sums.split(sizes, dim=1)
    gram = sums.new_zeros(outputs, total, total)
    gram[:, :count, :count] = torch.diag_embed(cosine)
    gram[:, :count, count:] = mixed.reshape(outputs, count, learned)
    gram[:, count:, :count] = gram[:, :count, count:].transpose(1, 2)
    row, col = torch.triu_indices(learned, learned, device=sums.device)
    gram[:, count + row, count + col] = upper
    gram[:, count + col, count + row] = upper
    return right.reshape(outputs, total, COLORS), gram
