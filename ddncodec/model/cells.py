"""Packed pictures, cells and the cosine basis: the index arithmetic that every level shares.

A *packed* picture is (B, 48, h, w): each trunk position holds its 4 x 4 x 3 output samples, in the order row, column,
colour. A *cell* is a square of side x side trunk positions; its P = 16 side^2 pixels come in the order position row,
position column, row, column.
"""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from ddncodec.model.config import PATCH

COLORS = 3
PACKED = PATCH * PATCH * COLORS


def pack(picture: Tensor) -> Tensor:
    """(B, 3, 4h, 4w) -> (B, 48, h, w), channels last in memory."""
    batch, colors, height, width = picture.shape
    rows, cols = height // PATCH, width // PATCH
    tiles = picture.reshape(batch, colors, rows, PATCH, cols, PATCH).permute(0, 2, 4, 3, 5, 1)
    return tiles.reshape(batch, rows, cols, PATCH * PATCH * colors).permute(0, 3, 1, 2)


def unpack(packed: Tensor) -> Tensor:
    """(B, 48, h, w) -> (B, 3, 4h, 4w); inverse of `pack`."""
    batch, _, rows, cols = packed.shape
    tiles = packed.permute(0, 2, 3, 1).reshape(batch, rows, cols, PATCH, PATCH, COLORS)
    return tiles.permute(0, 5, 1, 3, 2, 4).reshape(batch, COLORS, rows * PATCH, cols * PATCH)


def view_cells(packed: Tensor, side: int) -> Tensor:
    """(B, C, h, w) -> a view (B, h/side, w/side, side, side, C) of its cells."""
    rows, cols = packed.shape[2] // side, packed.shape[3] // side
    return packed.permute(0, 2, 3, 1).unflatten(2, (cols, side)).unflatten(1, (rows, side)).transpose(2, 3)


def to_cells(trunk: Tensor, side: int, width: int) -> Tensor:
    """(B, 16 * width, h, w) -> (B, h/side, w/side, P, width): the pixels of each cell as rows of a matrix."""
    cells = view_cells(trunk, side)
    return cells.reshape(*cells.shape[:3], side * side * trunk.shape[1] // width, width)


def from_cells(cells: Tensor, side: int) -> Tensor:
    """(B, gh, gw, P, width) -> (B, 16 * width, gh * side, gw * side); inverse of `to_cells`."""
    batch, rows, cols, pixels, width = cells.shape
    channels = pixels * width // (side * side)
    tiles = cells.reshape(batch, rows, cols, side, side, channels).transpose(2, 3)
    return tiles.reshape(batch, rows * side, cols * side, channels).permute(0, 3, 1, 2)


def shrink(picture: Tensor, scale: int) -> Tensor:
    """Area average by `scale`, the orthogonal projection onto the coarser grid."""
    return picture if scale == 1 else F.avg_pool2d(picture, scale)


def enlarge(packed: Tensor) -> Tensor:
    """Packed picture (B, 48, h, w) -> (B, 48, 2h, 2w), bilinear."""
    return pack(F.interpolate(unpack(packed), scale_factor=2, mode="bilinear", align_corners=False))


def spread(values: Tensor, side: int) -> Tensor:
    """(B, C, gh, gw) -> (B, C, gh * side, gw * side) by repetition."""
    return values if side == 1 else F.interpolate(values, scale_factor=side, mode="nearest")


@cache
def cosines(length: int) -> Tensor:
    """The orthonormal DCT-II, (length, length) float64; rows are frequencies."""
    position = torch.arange(length, dtype=torch.float64, device="cpu")  # whatever the default: the result is kept
    waves = torch.cos(math.pi / length * (position[None] + 0.5) * position[:, None]) * math.sqrt(2 / length)
    waves[0] /= math.sqrt(2)
    return waves


@cache
def cosine_basis(side: int, count: int) -> Tensor:
    """The `count` lowest frequencies of the orthonormal two-dimensional DCT-II of a cell, (count, P) float32.

    P = (4 side)^2 pixels in cell order; functions are ordered by squared frequency, ties by row frequency.
    """
    length = PATCH * side
    waves = cosines(length)
    images = torch.stack([waves[u][:, None] * waves[v][None] for u, v in _ordered(length)[:count]])
    tiles = images.reshape(-1, side, PATCH, side, PATCH).transpose(2, 3)
    return tiles.reshape(images.shape[0], length * length).float()


@cache
def cell_frequencies(side: int) -> Tensor:
    """Frequencies of all functions of `cosine_basis`, (P,) float32, in cycles per pixel of the cell."""
    length = PATCH * side
    return torch.tensor(
        [math.hypot(u, v) / (2 * length) for u, v in _ordered(length)], dtype=torch.float32, device="cpu"
    )


def _ordered(length: int) -> list[tuple[int, int]]:
    """Pairs of frequencies below `length`, by row and column, in the order of `cosine_basis`."""
    pairs = ((u, v) for u in range(length) for v in range(length))
    return sorted(pairs, key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair))
