"""Pictures of any size in bounded memory: overlapping tiles that share one set of indices.

Only the pictures are cut, never the stream. A tile is decoded with the indices of a margin around it, wide enough that
what lies beyond does not show; so tiles meet without a seam, and any region can be decoded on its own. The encoder goes
in reading order and takes over, in the margin, what earlier tiles have chosen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from bitstream import Header, Layout, grid
from ddncodec import encoder
from ddncodec.effort import EFFORTS, Effort
from ddncodec.encoder import UNKNOWN
from ddncodec.engine import Engine, Planes
from ddncodec.errors import ArgumentError

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


@dataclasses.dataclass(frozen=True)
class Region:
    """A rectangle of pixels: the column and row of its upper left corner, and its sides."""

    x: int
    y: int
    width: int
    height: int

    def check(self, width: int, height: int) -> None:
        """Raise ArgumentError unless the region has pixels and lies within a picture of this size."""
        for name, start, side, length in (("x", self.x, self.width, width), ("y", self.y, self.height, height)):
            if start < 0 or side < 1 or start + side > length:
                raise ArgumentError(
                    f"`region` spans {name} {start} to {start + side}, must have pixels and be within 0 to {length}"
                )


def tiles(height: int, width: int) -> Iterator[Tile]:
    """Cut a picture into tiles, in reading order; one that fits a tile with its margins stays whole."""
    if fits_one(height, width):
        yield Tile(slice(0, height), slice(0, width), slice(0, height), slice(0, width))
    else:
        yield from _cover(slice(0, height), slice(0, width), height, width, 1)


def _cover(rows: slice, cols: slice, height: int, width: int, unit: int) -> Iterator[Tile]:
    """Tiles that keep a region between them; what they compute begins at multiples of `unit` pixels."""
    for top in range(rows.start, rows.stop, CORE):
        for left in range(cols.start, cols.stop, CORE):
            part_rows, part_cols = slice(top, min(top + CORE, rows.stop)), slice(left, min(left + CORE, cols.stop))
            yield Tile(part_rows, part_cols, _grow(part_rows, height, unit), _grow(part_cols, width, unit))


def choose_planes(
    engine: Engine,
    pixels: np.ndarray,
    header: Header,
    price: float | None = None,
    effort: Effort = EFFORTS[0],
) -> Planes:
    """Encode one picture (H, W, 3) uint8 of any size: its index planes, at the lambda `price` or the header's."""
    layout = engine.model.info.layout
    planes = [np.full(grid(level, header.width, header.height), UNKNOWN, np.int32) for level in layout]
    prices = None if price is None else [price]
    for tile in tiles(header.height, header.width):
        outer = pixels[tile.outer_rows, tile.outer_cols]
        fixed = _cut(planes, layout, tile.outer_rows, tile.outer_cols)
        chosen = encoder.choose_planes(engine, outer[None], [tile.header(header)], [fixed], prices, effort)[0]
        rows, cols = tile.inner()
        kept = _cut(chosen, layout, rows, cols)
        for whole, part in zip(_cut(planes, layout, tile.rows, tile.cols), kept):
            whole[:] = part
    return planes


def replay(engine: Engine, planes: Planes, header: Header) -> np.ndarray:
    """Decode index planes of one picture of any size: (H, W, 3) uint8."""
    height, width = header.height, header.width
    return _assemble(engine, planes, header, Region(0, 0, width, height), tiles(height, width))


def replay_region(engine: Engine, planes: Planes, header: Header, region: Region) -> np.ndarray:
    """Decode a part of a picture, (h, w, 3) uint8: as the whole would be there, but for one level of 255.

    Only the indices of the region and of a margin around it are replayed.
    """
    rows, cols = slice(region.y, region.y + region.height), slice(region.x, region.x + region.width)
    unit = engine.model.network.config.alignment
    return _assemble(engine, planes, header, region, _cover(rows, cols, header.height, header.width, unit))


def _assemble(engine: Engine, planes: Planes, header: Header, region: Region, parts: Iterable[Tile]) -> np.ndarray:
    pixels = np.empty((region.height, region.width, 3), np.uint8)
    layout = engine.model.info.layout
    for tile in parts:
        part = _cut(planes, layout, tile.outer_rows, tile.outer_cols)
        rows, cols = tile.inner()
        kept = engine.replay([part], [tile.header(header)])[0][rows, cols]
        pixels[_shift(tile.rows, region.y), _shift(tile.cols, region.x)] = kept
    return pixels


def _cut(planes: Planes, layout: Layout, rows: slice, cols: slice) -> Planes:
    """Views of the cells that a region of pixels touches."""
    return [
        plane[_cells(rows, level.cell), _cells(cols, level.cell)]
        for plane, level in zip(planes, layout)
    ]


def _cells(pixels: slice, cell: int) -> slice:
    return slice(pixels.start // cell, -(-pixels.stop // cell))


def _grow(kept: slice, length: int, unit: int) -> slice:
    return slice(max(0, kept.start - MARGIN) // unit * unit, min(length, kept.stop + MARGIN))


def _shift(part: slice, origin: int) -> slice:
    return slice(part.start - origin, part.stop - origin)
