"""Where large pictures are cut: tiles with a margin of context around them, and regions. Pixels and cells only."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from bitstream import Header, Layout, Planes
from ddncodec.errors import ArgumentError


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
        return shifted(self.rows, self.outer_rows.start), shifted(self.cols, self.outer_cols.start)


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


@dataclasses.dataclass(frozen=True)
class Tiling:
    """How pictures are cut: a tile keeps `core` x `core` pixels and computes `margin` more on every side as context.

    The margin is as wide as the network reaches, so that tiles meet without a seam.
    """

    core: int = 1536
    margin: int = 192

    def __post_init__(self) -> None:
        for name, side, least in (("core", self.core, 1), ("margin", self.margin, 0)):
            if side < least:
                raise ArgumentError(f"`{name}` (={side}) must be at least {least}")

    def aligned(self, unit: int) -> Tiling:
        """The same, with sides rounded up to multiples of `unit` pixels, so that no cell is cut."""
        return Tiling(self.core + -self.core % unit, self.margin + -self.margin % unit)

    def fits_one(self, height: int, width: int) -> bool:
        """Whether a picture is computed whole."""
        return max(height, width) <= self.core + 2 * self.margin

    def tiles(self, height: int, width: int) -> Iterator[Tile]:
        """Cut a picture into tiles, in reading order; one that fits a tile with its margins stays whole."""
        if self.fits_one(height, width):
            yield Tile(slice(0, height), slice(0, width), slice(0, height), slice(0, width))
        else:
            yield from self.cover(slice(0, height), slice(0, width), height, width, 1)

    def cover(self, rows: slice, cols: slice, height: int, width: int, unit: int) -> Iterator[Tile]:
        """Tiles that keep a region between them; what they compute begins at multiples of `unit` pixels."""
        for part_rows in self._parts(rows):
            for part_cols in self._parts(cols):
                outer_rows, outer_cols = self._grow(part_rows, height, unit), self._grow(part_cols, width, unit)
                yield Tile(part_rows, part_cols, outer_rows, outer_cols)

    def _parts(self, pixels: slice) -> Iterator[slice]:
        for start in range(pixels.start, pixels.stop, self.core):
            yield slice(start, min(start + self.core, pixels.stop))

    def _grow(self, kept: slice, length: int, unit: int) -> slice:
        return slice(max(0, kept.start - self.margin) // unit * unit, min(length, kept.stop + self.margin))


DEFAULT_TILING = Tiling()


def cut_planes(planes: Planes, layout: Layout, rows: slice, cols: slice) -> Planes:
    """Views of the cells that a rectangle of pixels touches."""
    return [plane[_cells(rows, level.cell), _cells(cols, level.cell)] for plane, level in zip(planes, layout)]


def shifted(part: slice, origin: int) -> slice:
    """A range of pixels counted from `origin`."""
    return slice(part.start - origin, part.stop - origin)


def _cells(pixels: slice, cell: int) -> slice:
    return slice(pixels.start // cell, -(-pixels.stop // cell))
