"""Generation (Yang 2025): index planes drawn at random instead of chosen, to be decoded like any others."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from bitstream import Header, Layout, LevelTables, Planes, Probabilities, grid
from bitstream.tables import PROBABILITY_ONE, lambda_bucket
from bitstream.walks import walk
from ddncodec.errors import ArgumentError

DRAWS = ("tables", "uniform")
GAP = 2
"""Pixels between the pictures of a sheet."""


def draw_planes(
    layout: Layout, probabilities: Probabilities, header: Header, random: np.random.Generator, draw: str = "tables"
) -> Planes:
    """Random index planes of the picture that `header` describes, one (rows, cols) int32 array a level.

    draw: "tables" follows the probabilities that code the indices, so that the picture is what random bits decode to;
    "uniform" gives all K indices of every cell the same chance, as the paper does.

    Raises: ArgumentError.
    """
    if draw not in DRAWS:
        raise ArgumentError(f"`draw` (={draw!r}) must be one of {', '.join(DRAWS)}")
    if draw == "uniform":
        grids = [grid(level, header.width, header.height) for level in layout]
        return [random.integers(level.outputs, size=cells, dtype=np.int32) for level, cells in zip(layout, grids)]
    path, symbols = walk(probabilities, layout, header), _Drawn(random)
    return [path.plane(symbols) for _ in layout]


def value_probabilities(tables: LevelTables, step: int | None) -> np.ndarray:
    """Probability of each value 1..K-1 of a level given that it is not 0, (K - 1,) float64, sum 1."""
    return tables.values[lambda_bucket(step)] / PROBABILITY_ONE


def sheet(pictures: Sequence[np.ndarray], columns: int | None = None) -> np.ndarray:
    """Equally large pictures (H, W, 3) uint8 in rows on white; as many columns as rows unless given."""
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    height, width, _ = pictures[0].shape
    rows = -(-len(pictures) // columns)
    out = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for number, picture in enumerate(pictures):
        top, left = (number // columns) * (height + GAP), (number % columns) * (width + GAP)
        out[top : top + height, left : left + width] = picture
    return out


@dataclasses.dataclass(frozen=True)
class _Drawn:
    """Symbols by chance."""

    random: np.random.Generator

    def nonzero(self, cells: np.ndarray, frequency: np.ndarray) -> np.ndarray:
        return self.random.random(len(cells)) < frequency / PROBABILITY_ONE

    def values(self, cells: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
        drawn = self.random.integers(PROBABILITY_ONE, size=len(cells))
        below = frequencies.cumsum(axis=-1)
        if below.ndim == 1:
            return np.searchsorted(below, drawn, side="right").astype(np.int32)
        return (below <= drawn[:, None]).sum(axis=1, dtype=np.int32)
