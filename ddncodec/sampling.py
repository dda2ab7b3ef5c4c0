"""Generation (Yang 2025): index planes drawn at random instead of chosen, to be decoded like any others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bitstream import (
    PROBABILITY_ONE,
    Header,
    Layout,
    LevelTables,
    flag_scores,
    grid,
    lambda_bucket,
    parity,
    present_scores,
    score_bins,
)
from ddncodec.errors import ArgumentError

Planes = list[np.ndarray]
DRAWS = ("tables", "uniform")
GAP = 2
"""Pixels between the pictures of a sheet."""


def draw_planes(
    layout: Layout, tables: Sequence[LevelTables], header: Header, random: np.random.Generator, draw: str = "tables"
) -> Planes:
    """Random index planes of the picture that `header` describes, one (rows, cols) int32 array a level.

    draw: "tables" follows the integer tables that code the indices, so that the picture is what random bits decode to;
    "uniform" gives all K indices of every cell the same chance, as the paper does.

    Raises: ArgumentError.
    """
    if draw not in DRAWS:
        raise ArgumentError(f"`draw` (={draw!r}) must be one of {', '.join(DRAWS)}")
    planes: Planes = []
    for level, shape in enumerate(layout):
        if draw == "uniform":
            cells = grid(shape, header.width, header.height)
            planes.append(random.integers(shape.outputs, size=cells, dtype=np.int32))
        else:
            planes.append(_draw_plane(tables[level], layout, planes, header, random))
    return planes


def chances(tables: LevelTables, step: int | None) -> np.ndarray:
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


def _draw_plane(
    tables: LevelTables, layout: Layout, planes: Planes, header: Header, random: np.random.Generator
) -> np.ndarray:
    """One plane by its tables: flags of the even cells, then of the odd ones knowing these, then values."""
    scores = flag_scores(
        tables.weights, [plane != 0 for plane in planes], len(planes), layout, header.width, header.height,
        header.lambda_step,
    )
    taken = random.random(scores.shape) < tables.nonkeep[0][score_bins(scores)] / PROBABILITY_ONE
    scores = scores + present_scores(tables.weights, taken)
    odd = random.random(scores.shape) < tables.nonkeep[1][score_bins(scores)] / PROBABILITY_ONE
    taken = np.where(parity(scores.shape), odd, taken)
    share = chances(tables, header.lambda_step)
    values = 1 + random.choice(len(share), size=scores.shape, p=share)
    return np.where(taken, values, 0).astype(np.int32)
