"""Pictures of any size in bounded memory: overlapping tiles that share one set of indices.

Only the pictures are cut, never the stream. A tile is decoded with the indices of a margin around it, wide enough that
what lies beyond does not show; so tiles meet without a seam, and any region can be decoded on its own. The encoder goes
in reading order and takes over, in the margin, what earlier tiles have chosen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from bitstream import Header, Layout, grid
from ddncodec.engine import UNKNOWN, Engine, Planes

CORE = 1536
"""Side of the part of a tile that is kept, in pixels; a multiple of every cell."""
MARGIN = 192
"""Pixels around it that are computed for context only; a multiple of every cell."""


@dataclasses.dataclass(frozen=True)
class Tile:
    """Pixel ranges of one tile: `rows` and `cols` are kept, `outer_rows` and `outer_cols` computed."""

    rows: slice
    cols: slice
    outer_rows: slice
    outer_cols: slice

    def header(self, header: Header) -> Header:
        """The header of the outer part as a picture of its own."""
        height = self.outer_rows.stop - self.outer_rows.start
        return dataclasses.replace(header, width=self.outer_cols.stop - self.outer_cols.start, height=height)

    def inner(self) -> tuple[slice, slice]:
        """Where the kept part lies within the outer part."""
        return _shift(self.rows, self.outer_rows.start), _shift(self.cols, self.outer_cols.start)


def fits_one(height: int, width: int) -> bool:
    """Whether a picture is computed whole."""
    return max(height, width) <= CORE + 2 * MARGIN


def tiles(height: int, width: int) -> Iterator[Tile]:
    """Cut a picture into tiles, in reading order; one that fits a tile with its margins stays whole."""
    if fits_one(height, width):
        yield Tile(slice(0, height), slice(0, width), slice(0, height), slice(0, width))
        return
    for top in range(0, height, CORE):
        for left in range(0, width, CORE):
            rows, cols = slice(top, min(top + CORE, height)), slice(left, min(left + CORE, width))
            yield Tile(rows, cols, _grow(rows, height), _grow(cols, width))


def choose_planes(engine: Engine, pixels: np.ndarray, header: Header) -> Planes:
    """Encode one picture (H, W, 3) uint8 of any size: its index planes."""
    layout = engine.model.info.layout
    planes = [np.full(grid(level, header.width, header.height), UNKNOWN, np.int32) for level in layout]
    for tile in tiles(header.height, header.width):
        outer = pixels[tile.outer_rows, tile.outer_cols]
        fixed = _cut(planes, layout, tile.outer_rows, tile.outer_cols)
        chosen = engine.choose_planes(outer[None], [tile.header(header)], [fixed])[0]
        rows, cols = tile.inner()
        kept = _cut(chosen, layout, rows, cols)
        for whole, part in zip(_cut(planes, layout, tile.rows, tile.cols), kept):
            whole[:] = part
    return planes


def replay(engine: Engine, planes: Planes, header: Header) -> np.ndarray:
    """Decode index planes of one picture of any size: (H, W, 3) uint8."""
    pixels = np.empty((header.height, header.width, 3), np.uint8)
    layout = engine.model.info.layout
    for tile in tiles(header.height, header.width):
        part = _cut(planes, layout, tile.outer_rows, tile.outer_cols)
        rows, cols = tile.inner()
        pixels[tile.rows, tile.cols] = engine.replay([part], [tile.header(header)])[0][rows, cols]
    return pixels


def _cut(planes: Planes, layout: Layout, rows: slice, cols: slice) -> Planes:
    """Views of the cells that a region of pixels touches."""
    return [
        plane[_cells(rows, level.cell), _cells(cols, level.cell)]
        for plane, level in zip(planes, layout)
    ]


def _cells(pixels: slice, cell: int) -> slice:
    return slice(pixels.start // cell, -(-pixels.stop // cell))


def _grow(kept: slice, length: int) -> slice:
    return slice(max(0, kept.start - MARGIN), min(length, kept.stop + MARGIN))


def _shift(part: slice, origin: int) -> slice:
    return slice(part.start - origin, part.stop - origin)
