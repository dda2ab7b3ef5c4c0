"""The post-filter: a correction of the decoded picture, fitted to each picture by its encoder (FORMAT.md, section 6.4).

The network has learned what is good for all pictures; a few dozen weights tell what is better for this one. They stand
for images made of the decoded picture, the *atoms*: its colours, their products, and bands of detail. What atoms leave
of the error is a quadratic function of the weights, so the encoder needs their Gram matrix only, summed over pixels.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bitstream import Header
from bitstream.post_filter import ATOMS, MAX_FILTER_WEIGHT, filter_weight_bits
from ddncodec.coding.rate import lambda_of_step
from ddncodec.samples import SAMPLE_SCALE

SCALES = 4
"""Bands of detail, each twice as wide as the one before."""
REACH = (1 << SCALES) - 1
"""Pixels around a pixel that its atoms depend on."""
COLORS = np.array([[1, 1, 1], [1, 0, -1], [-1, 2, -1]]) / np.sqrt([[3], [2], [6]])
"""Orthonormal components of a colour; the first one is gray."""
EXPONENTS = np.array([0, 0, 2, 4, 5, 7, 8, 4, 7, 8, 4, 6, 8, 3, 6, 7, 0, 3, 4, 4, 6, 7, 0, 3, 5, 5, 4, 4])
"""Octaves by which the atoms of photographs are fainter than 1, about."""
FRAMING_BITS = 56
"""What a chunk takes in addition to its weights: tag, length, checksum, and at most a byte of padding."""
ROWS = 64
"""Rows of a picture whose atoms are in memory at once."""
ROUNDS = 16
"""Of descent, each over all weights; most end much sooner."""


@dataclasses.dataclass(frozen=True)
class PostFilter:
    """A correction: `weights` (3, ATOMS) float32, by colour, of the atoms, in network samples."""

    weights: Tensor

    def apply(self, picture: Tensor) -> Tensor:
        """A picture (3, H, W) of nominal range [-1, 1], clipped to it and corrected."""
        clipped = picture.clamp(-1, 1)
        out = torch.empty_like(clipped)
        for rows, atoms in _atoms(clipped):
            out[:, rows] = clipped[:, rows] + (self.weights @ atoms).view(3, -1, picture.shape[2])
        return out


@dataclasses.dataclass(frozen=True)
class Moments:
    """Sums over pixels: `gram` (ATOMS, ATOMS) of atoms by atoms, `right` (ATOMS, 3) of atoms by the error's components.

    Both float64; errors in 8-bit levels.
    """

    gram: np.ndarray
    right: np.ndarray

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.gram + other.gram, self.right + other.right)


def moments(picture: Tensor, original: Tensor, rows: slice, cols: slice) -> Moments:
    """Moments of a decoded picture (3, H, W) and its original, both nominally in [-1, 1], over a part of its pixels."""
    clipped = picture.clamp(-1, 1)
    error = torch.einsum("ij,jhw->ihw", _colors(picture), (original - clipped) * SAMPLE_SCALE)
    inside = torch.zeros_like(picture[0])
    inside[rows, cols] = 1
    gram, right = np.zeros((ATOMS, ATOMS)), np.zeros((ATOMS, 3))
    for strip, atoms in _atoms(clipped):
        kept = atoms * inside[strip].flatten()
        gram += (kept @ atoms.T).double().cpu().numpy()
        right += (kept @ error[:, strip].flatten(1).T).double().cpu().numpy()
    return Moments(gram, right)


def fit(sums: Moments, header: Header, rate_weight: float = 1) -> np.ndarray | None:
    """The weights that save most, (components, ATOMS) int32; None where none pay for the chunk.

    They minimise squared error + price x bits, a component at a time; the price is the header's lambda times
    `rate_weight`.
    """
    price, scale = _price(header) * rate_weight, weight_scale(header)
    gram = sums.gram * scale[:, None] * scale
    components = 1 if header.gray else 3
    weights = np.stack([_descend(gram, sums.right[:, i] * scale, price) for i in range(components)])
    change = sum(_cost(gram, sums.right[:, i] * scale, price, weights[i]) for i in range(components))
    return weights.astype(np.int32) if change + price * FRAMING_BITS < 0 else None


def post_filter(weights: np.ndarray, header: Header, device: torch.device) -> PostFilter:
    """The correction that weights (components, ATOMS) of a stream with this header stand for."""
    scaled = weights * weight_scale(header) / SAMPLE_SCALE
    return PostFilter(torch.from_numpy(COLORS[: len(weights)].T @ scaled).float().to(device))


def _price(header: Header) -> float:
    assert header.lambda_step is not None, "streams without lambda have no post-filter"
    return lambda_of_step(header.lambda_step)


def weight_scale(header: Header) -> np.ndarray:
    """What a weight of 1 stands for, (ATOMS,), in 8-bit levels: rounding one costs about lambda, as much as a bit."""
    return math.sqrt(12 * _price(header) / (header.width * header.height)) * 2.0**EXPONENTS


def _atoms(picture: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """The atoms of a picture (3, H, W) in [-1, 1], strip by strip: its rows, and (ATOMS, pixels)."""
    around = F.pad(picture[None], (REACH,) * 4, mode="replicate")[0]
    height = picture.shape[1]
    for top in range(0, height, ROWS):
        rows = slice(top, min(top + ROWS, height))
        yield rows, _atoms_within(around[:, top : rows.stop + 2 * REACH])


def _atoms_within(picture: Tensor) -> Tensor:
    """The atoms (ATOMS, pixels) of a picture (3, h, w) except a border of REACH pixels."""
    smooth = [torch.einsum("ij,jhw->ihw", _colors(picture), picture)]
    for scale in range(SCALES):
        smooth.append(_blur(smooth[-1], 1 << scale))
    reach = [REACH - (1 << scale) + 1 for scale in range(SCALES + 1)]
    same = [each[:, r : each.shape[1] - r, r : each.shape[2] - r] for each, r in zip(smooth, reach)]
    color, bands = same[0], [fine - coarse for fine, coarse in zip(same, same[1:])]
    gray = color[:1]
    products = [gray * color, color[1:2] * color[1:], color[2:].square()]
    shaded = [gray * band[:1] for band in bands[:-1]]
    return torch.cat([torch.ones_like(gray), color, *bands, *products, gray.square() * color, *shaded]).flatten(1)


def _blur(picture: Tensor, distance: int) -> Tensor:
    """(1 2 1) / 4 along rows and columns, of neighbours at a distance; the border shrinks by it."""
    for axis in (1, 2):
        inner = picture.shape[axis] - 2 * distance
        before, here, after = (picture.narrow(axis, i * distance, inner) for i in range(3))
        picture = torch.add(before, after).mul_(0.25).add_(here, alpha=0.5)
    return picture


def _colors(like: Tensor) -> Tensor:
    return torch.from_numpy(COLORS).to(like)


def _descend(gram: np.ndarray, right: np.ndarray, price: float) -> np.ndarray:
    """Whole weights (ATOMS,) of small cost: those of `_rounded`, changed one by one as long as it helps."""
    weights = _rounded(gram, right, price)
    slope = right - gram @ weights
    for _ in range(ROUNDS):
        before = weights.copy()
        for k in np.flatnonzero(gram.diagonal()):
            best = min(max(weights[k] + slope[k] / gram[k, k], -MAX_FILTER_WEIGHT), MAX_FILTER_WEIGHT)
            moves = np.array([0, math.floor(best), math.ceil(best), weights[k]]) - weights[k]
            costs = moves * (moves * gram[k, k] - 2 * slope[k]) + price * filter_weight_bits(weights[k] + moves)
            move = moves[costs.argmin()]
            weights[k] += move
            slope -= gram[:, k] * move
        if (weights == before).all():
            break
    return weights


def _rounded(gram: np.ndarray, right: np.ndarray, price: float) -> np.ndarray:
    """The cheapest of the rounded least-squares solutions in ever more atoms, each time the one that helps most.

    Gauss-Jordan elimination: after each step the last column holds the solution where eliminated, and elsewhere what
    the other atoms have to do with the error that is left.
    """
    table = np.column_stack([gram, right])
    free = gram.diagonal() > 0
    floor = 1e-6 * gram.diagonal()
    best, least = np.zeros(ATOMS), price * ATOMS
    while True:
        left = table.diagonal()
        gains = np.divide(table[:, -1] ** 2, left, out=np.zeros(ATOMS), where=free & (left > floor))
        k = int(gains.argmax())
        if gains[k] <= price:
            return best
        free[k] = False
        table[k] /= table[k, k]
        factors = table[:, k].copy()
        factors[k] = 0
        table -= factors[:, None] * table[k]
        weights = np.where(
            free | (gram.diagonal() == 0), 0, np.rint(table[:, -1]).clip(-MAX_FILTER_WEIGHT, MAX_FILTER_WEIGHT)
        )
        if (cost := _cost(gram, right, price, weights)) < least:
            best, least = weights, cost


def _cost(gram: np.ndarray, right: np.ndarray, price: float, weights: np.ndarray) -> float:
    """Change of the squared error, and what the bits cost."""
    return float(weights @ (gram @ weights - 2 * right) + price * filter_weight_bits(weights).sum())
