"""The order of symbols and their probabilities, level by level (FORMAT.md, sections 5.2 and 6).

Encoding, decoding and drawing at random differ only in their `Symbols`, the source of symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .context import NON_ANCHOR, Nonzero, anchor_scores, non_anchor_mask, nonzero_scores
from .errors import InvalidArgumentError
from .frequencies import frequencies, nonzero_frequency
from .header import Header
from .layout import Layout, grid
from .prior import IndexPrior, PriorState
from .rangecoder import Frequencies
from .tables import LevelTables, lambda_bucket, score_bins

Probabilities: TypeAlias = Sequence[LevelTables] | IndexPrior
"""What a model codes indices with: simple tables of all levels, or an index prior."""
Cells: TypeAlias = NDArray[np.int64]
"""Positions (n,) of cells in a plane, row * cols + col."""
VALUES_PER_BLOCK = 1 << 10
"""Values whose frequencies are in memory together."""


class Symbols(Protocol):
    """Source of the symbols of cells: reads them from a payload, writes known ones, or draws them."""

    def nonzero(self, cells: Cells, frequency: Frequencies) -> NDArray[np.bool_]:
        """Whether each index is not 0 (n,), of probability frequency / 65536; `frequency` (n,) is in 1..65535."""

    def values(self, cells: Cells, frequencies: Frequencies) -> NDArray[np.int32]:
        """Each index - 1 (n,); `frequencies`, (m,) for all cells or (n, m), are at least 1 and sum to 65536."""


class Walk(Protocol):
    """The levels of one picture, in order."""

    def plane(self, symbols: Symbols) -> NDArray[np.int32]:
        """The index plane (rows, cols) of the next level, made of `symbols`."""


def walk(probabilities: Probabilities, layout: Layout, header: Header) -> Walk:
    """The walk through the levels of the picture that `header` describes.

    Raises:
        InvalidArgumentError: `probabilities` are of other levels than `layout` has.
    """
    levels = probabilities.levels if isinstance(probabilities, IndexPrior) else probabilities
    found, expected = [level.outputs for level in levels], [level.outputs for level in layout]
    if found != expected:
        raise InvalidArgumentError(f"`probabilities` have outputs {found}, layout has {expected}")
    if isinstance(probabilities, IndexPrior):
        return PriorWalk(probabilities, layout, header)
    return TableWalk(probabilities, layout, header)


class TableWalk:
    """The order with simple tables: nonzero of a level's anchors, nonzero of its non-anchors, then all its values."""

    def __init__(self, tables: Sequence[LevelTables], layout: Layout, header: Header) -> None:
        self._tables, self._layout, self._header = tables, layout, header
        self._nonzero = list[Nonzero]()

    def plane(self, symbols: Symbols) -> NDArray[np.int32]:
        """See `Walk`."""
        number, header = len(self._nonzero), self._header
        table, size = self._tables[number], (header.width, header.height)
        scores = nonzero_scores(table.weights, self._nonzero, number, self._layout, *size, header.lambda_step)
        nonzero = np.zeros(scores.shape, np.bool_)
        for phase, cells in enumerate(checkerboard(scores.shape)):
            if phase == NON_ANCHOR:
                scores += anchor_scores(table.weights, nonzero)
            frequency = table.p_nonzero[phase][score_bins(scores.flat[cells])]
            nonzero.flat[cells] = symbols.nonzero(cells, frequency)
        self._nonzero.append(nonzero)
        plane = nonzero.astype(np.int32)
        if table.outputs > 2:
            nonzero_cells = np.flatnonzero(nonzero)
            plane.flat[nonzero_cells] += symbols.values(nonzero_cells, table.values[lambda_bucket(header.lambda_step)])
        return plane


class PriorWalk:
    """The order with an index prior: nonzero and then values of a level's anchors, then both of its non-anchors."""

    def __init__(self, prior: IndexPrior, layout: Layout, header: Header) -> None:
        self._layout, self._header = layout, header
        self._prior_state = PriorState(prior, layout, header.width, header.height, header.lambda_step)

    def plane(self, symbols: Symbols) -> NDArray[np.int32]:
        """See `Walk`."""
        self._prior_state.start_level()
        level = self._layout[self._prior_state.level]
        plane = np.zeros(grid(level, self._header.width, self._header.height), np.int32)
        for phase, cells in enumerate(checkerboard(plane.shape)):
            if phase == NON_ANCHOR:
                self._prior_state.condition_on_anchors(plane)
            nonzero_cells = cells[symbols.nonzero(cells, nonzero_frequency(self._prior_state.nonzero_logits(cells)))]
            plane.flat[nonzero_cells] = 1
            for start in range(0, len(nonzero_cells) if level.outputs > 2 else 0, VALUES_PER_BLOCK):
                block = nonzero_cells[start : start + VALUES_PER_BLOCK]
                plane.flat[block] += symbols.values(block, frequencies(self._prior_state.value_logits(block)))
        self._prior_state.finish_level(plane)
        return plane


def checkerboard(shape: tuple[int, ...]) -> tuple[Cells, Cells]:
    """The positions of the anchors, (row + col) even, and of the non-anchors, in reading order."""
    non_anchor = non_anchor_mask((shape[0], shape[1])).ravel()
    return np.flatnonzero(~non_anchor), np.flatnonzero(non_anchor)
