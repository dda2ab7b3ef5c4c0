"""Levels, their grids of cells, and the layout that a model fixes for all its streams."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidArgumentError

WHOLE_IMAGE: Final = 0  # the cell size that means one cell for the whole picture
MAX_OUTPUTS: Final = 1 << 16
MAX_LEVELS: Final = 1 << 12


@dataclass(frozen=True)
class Level:
    """One level of the codec: one index in [0, `outputs`) per cell; index 0 means "keep".

    cell: side of a square cell in pixels of the full-resolution picture; 0 = the whole picture.
    outputs: K, the number of outputs to choose from, 2..65536.
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
        """Bits of one index in the plain coding, ceil(log2 K)."""
        return (self.outputs - 1).bit_length()


Layout: TypeAlias = tuple[Level, ...]
Planes: TypeAlias = list[NDArray[np.int32]]  # index planes of one picture, (rows, cols) for each level


def grid(level: Level, width: int, height: int) -> tuple[int, int]:
    """Return (rows, cols) of the level's index plane: ceil(height / cell), ceil(width / cell).

    >>> grid(Level(cell=8, outputs=256), width=20, height=8)
    (1, 3)
    """
    if level.cell == WHOLE_IMAGE:
        return 1, 1
    return -(-height // level.cell), -(-width // level.cell)


def count_cells(layout: Layout, width: int, height: int) -> int:
    """Return the number of indices of a picture, over all levels of `layout`."""
    total = 0
    for level in layout:
        rows, cols = grid(level, width, height)
        total += rows * cols
    return total


def check_layout(layout: Layout) -> None:
    """Check that cells never grow along the levels and that each is a multiple of the next.

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
