"""The tree of all pictures that a small model can make, drawn as nested squares (Yang 2025, figure of K = 8, L = 3)."""

from __future__ import annotations

import itertools

import numpy as np

from bitstream import MODEL_ID_BYTES, Header, grid
from ddncodec.coding.engine import Engine
from ddncodec.errors import ArgumentError
from ddncodec.generation.sampling import value_probabilities

CHILDREN = 8
MAX_LEVELS = 4
"""A tree of this many levels has 4680 pictures."""


def children(engine: Engine, level: int, step: int) -> list[int]:
    """The indices of `level` that a tree shows: all, or the 8 most probable ones of a model with more, ascending."""
    outputs = engine.model.info.layout[level].outputs
    if outputs <= CHILDREN:
        return list(range(outputs))
    share = value_probabilities(engine.model.tables[level], step)
    return sorted(int(value) + 1 for value in np.argsort(-share, kind="stable")[:CHILDREN])


def draw_tree(engine: Engine, side: int, levels: int, step: int) -> np.ndarray:
    """The first `levels` levels as nested nine-fields, (side * 3^levels, side * 3^levels, 3) uint8.

    A node is a square of nine: its own picture in the middle, enlarged, and its children around it, row by row in the
    order of their indices. The root, which has no picture, shows the mean of its children.

    Raises: ArgumentError where a picture of side x side pixels has several cells, or `levels` is out of range.
    """
    layout = engine.model.info.layout
    if not 1 <= levels <= min(len(layout), MAX_LEVELS):
        raise ArgumentError(f"`levels` (={levels}) must be 1..{min(len(layout), MAX_LEVELS)}")
    for level in layout[:levels]:
        if grid(level, side, side) != (1, 1):
            raise ArgumentError(f"a picture of {side} x {side} has several cells of {level.cell}, must have one")
    indices = [children(engine, level, step) for level in range(levels)]
    header = Header(bytes(MODEL_ID_BYTES), side, side, lambda_step=step)
    pictures: dict[tuple[int, ...], np.ndarray] = {}
    for depth in range(1, levels + 1):
        paths = list(itertools.product(*indices[:depth]))
        planes = [[np.full((1, 1), index, np.int32) for index in path] for path in paths]
        pictures.update(zip(paths, engine.replay(planes, [header] * len(paths))))
    pictures[()] = np.mean([pictures[index,] for index in indices[0]], axis=0).round().astype(np.uint8)
    return _nest((), pictures, indices)


def _nest(path: tuple[int, ...], pictures: dict[tuple[int, ...], np.ndarray], indices: list[list[int]]) -> np.ndarray:
    """The square of a node: a leaf's picture, or nine fields."""
    if len(path) == len(indices):
        return pictures[path]
    below = [_nest((*path, index), pictures, indices) for index in indices[len(path)]]
    size, picture = below[0].shape[0], pictures[path]
    factor = size // picture.shape[0]
    square = np.full((3 * size, 3 * size, 3), 255, np.uint8)
    fields = [(row, col) for row in range(3) for col in range(3) if (row, col) != (1, 1)]
    square[size : 2 * size, size : 2 * size] = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    for (row, col), field in zip(fields, below):
        square[row * size : (row + 1) * size, col * size : (col + 1) * size] = field
    return square
