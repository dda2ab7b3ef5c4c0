"""Cells as rows of a trunk or picture: which rows a cell covers, and how many are multiplied at once."""

from __future__ import annotations

import torch
from torch import Tensor


def rows_of(image: Tensor) -> Tensor:
    """(B, C, h, w), channels last -> a view (B * h * w, C)."""
    return image.permute(0, 2, 3, 1).view(-1, image.shape[1])


def filled(cells: Tensor, size: int) -> Tensor:
    """Cells (n,), n <= size, with the first one repeated up to one of few counts, at most `size`.

    Kernels are made again for every count of rows.
    """
    count = len(cells)
    step = max(1, (1 << (count - 1).bit_length()) // 4)
    extra = min(-count % step, size - count)
    return torch.cat([cells, cells[:1].expand(extra)]) if extra else cells


def positions(cells: Tensor, shape: torch.Size, side: int) -> Tensor:
    """Rows of `rows_of` that the cells (n,) of a grid (B, gh, gw) cover, (n * side * side,), in the order of a cell."""
    row, col = cells // shape[2], cells % shape[2]
    width, steps = shape[2] * side, torch.arange(side)
    inner = (steps[:, None] * width + steps).flatten()
    return (((row * width + col) * side)[:, None] + inner).flatten()
