"""The order of symbols and their probabilities, level by level (FORMAT.md, sections 5.2 and 6).

Encoding, decoding and drawing at random differ only in who says what the symbols are.
"""

from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .context import ODD, Flags, flag_scores, parity, present_scores
from .errors import InvalidArgumentError
from .frequencies import frequencies, odds
from .header import Header
from .layout import Layout, grid
from .prior import Foresight, IndexPrior
from .rangecoder import Frequencies
from .tables import LevelTables, lambda_bucket, score_bins

Probabilities: TypeAlias = Sequence[LevelTables] | IndexPrior
Cells: TypeAlias = NDArray[np.int64]
BLOCK: Final = 1 << 10  # values whose frequencies are in memory together


class Symbols(Protocol):
    """Who says what the symbols of the cells at positions `cells` (n,), row * cols + col, are."""

    def flags(self, cells: Cells, odds: Frequencies) -> NDArray[np.bool_]:
        """Say whether each index is not 0, which has probability odds / 65536, odds (n,) in 1..65535."""

    def values(self, cells: Cells, frequencies: Frequencies) -> NDArray[np.int32]:
        """Say what each index - 1 is; `frequencies` (m,) for all or (n, m), at least 1, sum to 65536."""


class Walk(Protocol):
    """The levels of one picture, in order."""

    def plane(self, symbols: Symbols) -> NDArray[np.int32]:
        """Go through the next level, and return its index plane (rows, cols)."""


def walk(probabilities: Probabilities, layout: Layout, header: Header) -> Walk:
    """Return the walk through the levels of the picture that `header` describes.

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
    """Simple tables: flags of a level's even cells, flags of the odd ones, then all its values."""

    def __init__(self, tables: Sequence[LevelTables], layout: Layout, header: Header) -> None:
        self._tables, self._layout, self._header = tables, layout, header
        self._flags = list[Flags]()

    def plane(self, symbols: Symbols) -> NDArray[np.int32]:
        number, header = len(self._flags), self._header
        table, size = self._tables[number], (header.width, header.height)
        scores = flag_scores(table.weights, self._flags, number, self._layout, *size, header.lambda_step)
        nonzero = np.zeros(scores.shape, np.bool_)
        for phase, cells in enumerate(phases(scores.shape)):
            if phase == ODD:
                scores += present_scores(table.weights, nonzero)
            chances = table.nonkeep[phase][score_bins(scores.flat[cells])]
            nonzero.flat[cells] = symbols.flags(cells, chances)
        self._flags.append(nonzero)
        plane = nonzero.astype(np.int32)
        if table.outputs > 2:
            taken = np.flatnonzero(nonzero)
            plane.flat[taken] += symbols.values(taken, table.values[lambda_bucket(header.lambda_step)])
        return plane


class PriorWalk:
    """The index prior: flags and then values of a level's even cells, the same of its odd ones."""

    def __init__(self, prior: IndexPrior, layout: Layout, header: Header) -> None:
        self._layout, self._header = layout, header
        self._foresight = Foresight(prior, layout, header.width, header.height, header.lambda_step)

    def plane(self, symbols: Symbols) -> NDArray[np.int32]:
        self._foresight.enter()
        level = self._layout[self._foresight.level]
        plane = np.zeros(grid(level, self._header.width, self._header.height), np.int32)
        for phase, cells in enumerate(phases(plane.shape)):
            if phase == ODD:
                self._foresight.reveal(plane)
            taken = cells[symbols.flags(cells, odds(self._foresight.flags(cells)))]
            plane.flat[taken] = 1
            for start in range(0, len(taken) if level.outputs > 2 else 0, BLOCK):
                block = taken[start : start + BLOCK]
                plane.flat[block] += symbols.values(block, frequencies(self._foresight.values(block)))
        self._foresight.leave(plane)
        return plane


def phases(shape: tuple[int, ...]) -> tuple[Cells, Cells]:
    """Return the positions of the cells of phase 0, (row + col) even, and of phase 1, in reading order."""
    odd = parity((shape[0], shape[1])).ravel()
    return np.flatnonzero(~odd), np.flatnonzero(odd)
