"""Levels, their grids of cells, and the layout that a model fixes for all its streams (FORMAT.md, section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidArgumentError

WHOLE_IMAGE = 0
"""The cell size that means one cell for the whole picture."""
MAX_OUTPUTS = 1 << 16
"""Largest K of a level."""
MAX_LEVELS = 1 << 12
"""Largest number of levels of a layout."""


@dataclass(frozen=True)
class Level:
    """One level of the codec: one index in [0, `outputs`) per cell; index 0 means "keep".

    cell: side of a square cell in pixels of the full-resolution picture; 0 means the whole picture.
    outputs: K, the number of outputs to choose from, 2..65536.

    Raises:
        InvalidArgumentError: a field is out of range.
    """

    cell: int
    outputs: int

    def __post_init__(self) -> None:
        if self.cell < 0:
            raise InvalidArgumentError(f"`cell` (={self.cell}) must be 0 or more pixels")
        if not 2 <= self.outputs <= MAX_OUTPUTS:
            raise InvalidArgumentError(f"`outputs` (={self.outputs}) must be 2..{MAX_OUTPUTS}")

    @property
    def index_bits(self) -> int:
        """Bits of one index in plain coding, ceil(log2 K)."""
        return (self.outputs - 1).bit_length()


Layout: TypeAlias = tuple[Level, ...]
"""The levels of a model, in order."""
Planes: TypeAlias = list[NDArray[np.int32]]
"""Index planes of one picture, one (rows, cols) array for each level."""


def grid(level: Level, width: int, height: int) -> tuple[int, int]:
    """(rows, cols) of the level's index plane: ceil(height / cell), ceil(width / cell).

    >>> grid(Level(cell=8, outputs=256), width=20, height=8)
    (1, 3)
    """
    if level.cell == WHOLE_IMAGE:
        return 1, 1
    return -(-height // level.cell), -(-width // level.cell)


def count_cells(layout: Layout, width: int, height: int) -> int:
    """The number of indices of a picture, over all levels of `layout`."""
    total = 0
    for level in layout:
        rows, cols = grid(level, width, height)
        total += rows * cols
    return total


def check_layout(layout: Layout) -> None:
    """Check that no cell is larger than the one before it, and that each is a multiple of the next.

    A whole-image cell counts as larger than any other.

    Raises:
        InvalidArgumentError: the layout is empty, too long or out of order.
    """
    if not 1 <= len(layout) <= MAX_LEVELS:
        raise InvalidArgumentError(f"layout has {len(layout)} levels, must have 1..{MAX_LEVELS}")
    for number, (coarse, fine) in enumerate(pairwise(layout), start=2):
        nested = coarse.cell % fine.cell == 0 if fine.cell else coarse.cell == WHOLE_IMAGE
        if not nested:
            raise InvalidArgumentError(f"level {number}: cell {fine.cell} must divide the cell {coarse.cell} before it")
