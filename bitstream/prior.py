"""The index prior: a small network of integers that predicts index planes (FORMAT.md, section 6.3).

Weights and activations have 8 bits, and all sums stay below 2^24, so that they are exact in float32, in any order. That
lets ordinary matrix products compute them, and every machine finds the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .context import lambda_feature, non_anchor_mask
from .errors import InvalidArgumentError
from .layout import MAX_LEVELS, WHOLE_IMAGE, Layout, grid

MAX_CHANNELS = 64
"""Largest C; 9 * 64 * 127^2 + MAX_BIAS + 32 * MAX_LAMBDA_WEIGHT stays below 2^24."""
MAX_BIAS = 1 << 22
"""Largest magnitude of a bias."""
MAX_LAMBDA_WEIGHT = 1 << 15
"""Largest magnitude of an entry of `lambda_weight`."""
WEIGHT_SHIFT = 6
"""Weights are in 1/2^6."""
CELLS_PER_BLOCK = 1 << 11
"""Cells that are computed together; this number fits the processor's cache."""
_TOP = 127
"""Largest magnitude of a state and of a matrix entry."""

States: TypeAlias = NDArray[np.int8]
"""States of C channels, (rows, cols, C) or (n, C)."""


@dataclass(frozen=True, eq=False)
class LevelPrior:
    """Integer weights of one level with K outputs, for states of C channels.

    Matrices are int8 within +-127, inputs first. `spatial` (9C, C) and `pointwise` (C, C) condition a state on those of
    the 3 x 3 cells around it. `anchor_embedding` (K, C), `neighbours` (4C, C) and `neighbours_pointwise` (C, C)
    condition non-anchors on the anchors around them. `index_embedding` (K, C) is added to the state once the index is
    known. `head` (C, K) makes the logits, that of index != 0 first.

    Biases are int32 within +-2^22: `spatial_bias`, `pointwise_bias`, `neighbours_bias` and `neighbours_pointwise_bias`
    (C,), `head_bias` (K,). `lambda_weight` (C,) is int32 within +-2^15.

    Raises:
        InvalidArgumentError: a dtype, shape or range is wrong.
    """

    spatial: NDArray[np.int8]
    spatial_bias: NDArray[np.int32]
    lambda_weight: NDArray[np.int32]
    pointwise: NDArray[np.int8]
    pointwise_bias: NDArray[np.int32]
    anchor_embedding: NDArray[np.int8]
    neighbours: NDArray[np.int8]
    neighbours_bias: NDArray[np.int32]
    neighbours_pointwise: NDArray[np.int8]
    neighbours_pointwise_bias: NDArray[np.int32]
    head: NDArray[np.int8]
    head_bias: NDArray[np.int32]
    index_embedding: NDArray[np.int8]

    def __post_init__(self) -> None:
        if self.index_embedding.ndim != 2 or not 1 <= self.channels <= MAX_CHANNELS or self.outputs < 2:
            raise InvalidArgumentError(
                f"`index_embedding` has shape {self.index_embedding.shape}, "
                f"must be (K, C), K 2 or more, C 1..{MAX_CHANNELS}"
            )
        k, c = self.index_embedding.shape
        shapes = {
            "spatial": (9 * c, c), "pointwise": (c, c), "anchor_embedding": (k, c), "neighbours": (4 * c, c),
            "neighbours_pointwise": (c, c), "head": (c, k), "index_embedding": (k, c), "head_bias": (k,),
        }  # fmt: skip
        for field in fields(self):
            array = getattr(self, field.name)
            shape = shapes.get(field.name, (c,))
            kind, limit = (np.int8, _TOP) if len(shape) == 2 else (np.int32, MAX_BIAS)
            limit = MAX_LAMBDA_WEIGHT if field.name == "lambda_weight" else limit
            if array.shape != shape or array.dtype != kind:
                raise InvalidArgumentError(
                    f"`{field.name}` is {array.dtype} {array.shape}, must be {np.dtype(kind)} {shape}"
                )
            if array.min() < -limit or array.max() > limit:
                raise InvalidArgumentError(
                    f"`{field.name}` spans {array.min()}..{array.max()}, must be within +-{limit}"
                )
            frozen = array.copy()
            frozen.setflags(write=False)
            object.__setattr__(self, field.name, frozen)

    @property
    def outputs(self) -> int:
        """K, the number of outputs of the level."""
        return int(self.index_embedding.shape[0])

    @property
    def channels(self) -> int:
        """C, the channels of a state."""
        return int(self.index_embedding.shape[1])


@dataclass(frozen=True, eq=False)
class IndexPrior:
    """The prior of a model: `start` (C,) int8, the state of every cell before the first level, and the levels' weights.

    Raises:
        InvalidArgumentError: the levels have other channels than `start`.
    """

    start: NDArray[np.int8]
    levels: tuple[LevelPrior, ...]

    def __post_init__(self) -> None:
        channels = {level.channels for level in self.levels}
        if self.start.dtype != np.int8 or {self.start.shape} != {(c,) for c in channels}:
            raise InvalidArgumentError(
                f"`start` is {self.start.dtype} {self.start.shape}, levels have {sorted(channels)} channels"
            )
        if not 1 <= len(self.levels) <= MAX_LEVELS:
            raise InvalidArgumentError(f"`levels` has {len(self.levels)}, must have 1..{MAX_LEVELS}")


class PriorState:
    """The states of all cells of one picture, on the grid of the current level.

    For every level: `start_level`; `nonzero_logits` and `value_logits` of the anchors; `condition_on_anchors` with
    their indices; the logits of the non-anchors; `finish_level` with the whole plane.

    lambda_step: of the stream, or None.
    """

    def __init__(self, prior: IndexPrior, layout: Layout, width: int, height: int, lambda_step: int | None) -> None:
        self._prior, self._layout, self._size = prior, layout, (width, height)
        self._lambda_feature = lambda_feature(lambda_step)
        rows, cols = grid(layout[0], width, height)
        self._state: States = np.tile(prior.start, (rows, cols, 1))
        self._conditioned = self._state
        self.level = -1

    def start_level(self) -> None:
        """Repeat the states to the grid of the next level, and condition each on the 3 x 3 states around it."""
        before, self.level = self._layout[max(self.level, 0)].cell, self.level + 1
        weights, level = self._prior.levels[self.level], self._layout[self.level]
        shape = grid(level, *self._size)
        factor = before // level.cell if before != WHOLE_IMAGE else max(shape)
        rows, cols = (np.arange(length) // factor for length in shape)
        wide = self._state if factor == 1 else self._state[:, cols]
        spatial = _scaled(weights.spatial)
        bias = _scaled(weights.spatial_bias + weights.lambda_weight * self._lambda_feature)
        out: States = np.empty((*shape, wide.shape[2]), np.int8)
        for strip, around in _strips(shape):
            window = _bordered(wide[rows[around]], strip, shape)
            hidden = _relu127(_down(_convolved(window, spatial), bias))
            own = window[1:-1, 1:-1].reshape(len(hidden), -1)
            out[strip] = _added(own, hidden, weights.pointwise, weights.pointwise_bias).reshape(out[strip].shape)
        self._state = self._conditioned = out

    def condition_on_anchors(self, plane: NDArray[np.int32]) -> None:
        """Condition the states of non-anchors on the indices of the four anchors around each in `plane` (rows, cols).

        Indices of non-anchors in `plane` are not used.
        """
        weights, cols = self._prior.levels[self.level], plane.shape[1]
        matrices, bias = weights.neighbours.reshape(4, weights.channels, -1), _scaled(weights.neighbours_bias)
        added = [np.pad(_floats(weights.anchor_embedding) @ _scaled(matrix), ((0, 1), (0, 0))) for matrix in matrices]
        bordered = np.pad(plane, 1, constant_values=weights.outputs).ravel()  # the border's index adds nothing
        cells, wide = np.flatnonzero(non_anchor_mask(plane.shape)), cols + 2
        places = (cells // cols + 1) * wide + cells % cols + 1
        self._conditioned = self._state.copy()
        states = self._conditioned.reshape(-1, weights.channels)
        for start in range(0, len(cells), CELLS_PER_BLOCK):
            block = slice(start, start + CELLS_PER_BLOCK)
            own = states[cells[block]]
            sums = _floats(own)
            for table, away in zip(added, (-wide, -1, 1, wide), strict=True):
                sums += table[bordered[places[block] + away]]
            hidden = _relu127(_down(sums, bias))
            states[cells[block]] = _added(own, hidden, weights.neighbours_pointwise, weights.neighbours_pointwise_bias)

    def finish_level(self, plane: NDArray[np.int32]) -> None:
        """Add the embedding of each index of the level, (rows, cols), to its state."""
        embedding = self._prior.levels[self.level].index_embedding.astype(np.int16)
        states, indices = self._state.reshape(-1, embedding.shape[1]), plane.ravel()
        for start in range(0, len(states), CELLS_PER_BLOCK):
            block = slice(start, start + CELLS_PER_BLOCK)
            sums = embedding[indices[block]]
            sums += states[block]
            states[block] = np.clip(sums, -_TOP, _TOP, out=sums)
        self._conditioned = self._state

    def nonzero_logits(self, cells: NDArray[np.int64]) -> NDArray[np.float32]:
        """The logits (n,) of index != 0, whole numbers in 1/16 octave, of cells at the positions row * cols + col."""
        return self._logits(cells, slice(0, 1))[:, 0]

    def value_logits(self, cells: NDArray[np.int64]) -> NDArray[np.float32]:
        """The logits (n, K - 1) of indices 1..K-1; units and argument as of `nonzero_logits`."""
        return self._logits(cells, slice(1, None))

    def _logits(self, cells: NDArray[np.int64], part: slice) -> NDArray[np.float32]:
        weights = self._prior.levels[self.level]
        states = self._conditioned.reshape(-1, self._conditioned.shape[2])
        head, bias = (_scaled(each, WEIGHT_SHIFT + 1) for each in (weights.head[:, part], weights.head_bias[part]))
        out = np.empty((len(cells), head.shape[1]), np.float32)
        for start in range(0, len(cells), CELLS_PER_BLOCK):
            block = slice(start, start + CELLS_PER_BLOCK)
            np.matmul(_floats(states[cells[block]]), head, out=out[block])
            _down(out[block], bias)
        return out


def _added(own: States, hidden: NDArray[np.float32], matrix: States, bias: NDArray[np.int32]) -> NDArray[np.float32]:
    """own + (hidden @ matrix + bias) / 64, rounded down and clipped to +-127."""
    change = _down(hidden @ _scaled(matrix), _scaled(bias))
    change += own
    return np.clip(change, -_TOP, _TOP, out=change)


def _scaled(weights: NDArray[np.integer], shift: int = WEIGHT_SHIFT) -> NDArray[np.float32]:
    """weights / 2^shift, so that sums need not be divided; sums of these are as exact as those of integers."""
    return _floats(weights) * np.float32(1 / (1 << shift))


def _down(sums: NDArray[np.float32], bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """sums + bias, rounded down, in place."""
    sums += bias
    return np.floor(sums, out=sums)


def _relu127(sums: NDArray[np.float32]) -> NDArray[np.float32]:
    """`sums` clipped to 0..127, in place."""
    return np.clip(sums, 0, _TOP, out=sums)


def _floats(array: NDArray[np.integer]) -> NDArray[np.float32]:
    return array.astype(np.float32)


def _strips(shape: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
    """Strips of whole rows that cover a grid: the rows of each, and these with one more row on either side."""
    rows, cols = shape
    step = max(1, CELLS_PER_BLOCK // cols)
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        yield slice(start, stop), slice(max(0, start - 1), min(rows, stop + 1))


def _bordered(inner: States, strip: slice, shape: tuple[int, int]) -> States:
    """`inner` (rows, cols, C), a strip with the rows around it, with zeros for the cells beyond the grid."""
    rows, cols, channels = inner.shape
    above, below = int(strip.start == 0), int(strip.stop == shape[0])
    out: States = np.zeros((above + rows + below, cols + 2, channels), np.int8)
    out[above : above + rows, 1:-1] = inner
    return out


def _convolved(window: States, spatial: NDArray[np.float32]) -> NDArray[np.float32]:
    """The 3 x 3 states around each of the n cells of a strip times `spatial` (9C, C): (n, C).

    Three states side by side serve the rows above, at and below them, so that they are gathered once only.
    """
    rows, cols, channels = window.shape[0] - 2, window.shape[1] - 2, window.shape[2]
    beside = _floats(np.concatenate([window[:, col : col + cols] for col in (0, 1, 2)], axis=-1))
    lines, weights = beside.reshape(-1, 3 * channels), spatial.reshape(3, 3 * channels, -1)
    sums = lines[: rows * cols] @ weights[0]
    for row in (1, 2):
        sums += lines[row * cols : (row + rows) * cols] @ weights[row]
    return sums
