"""Integer features from which simple tables predict `nonzero`, which is `index != 0` (FORMAT.md, section 6.1).

All features are small integers computed by integer operations, so every machine finds the same probabilities. Training
fits the weights of `LevelTables` to `nonzero_features`; coding computes their weighted sums with `nonzero_scores`. The
two phases of a plane are the anchors and non-anchors of the checkerboard context model (He et al. 2021).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidArgumentError
from .layout import WHOLE_IMAGE, Layout, Level, grid

FEATURES = 10
"""Features of a cell."""
COUNT_CAP = 8
"""Upper bound of features 6 and 7."""
DEFAULT_LAMBDA_STEP = 128
"""Replaces the lambda step of a stream that records none."""
ANCHOR, NON_ANCHOR = 0, 1
"""The two phases: cells with (row + col) even are anchors and are coded first."""
_PAST = 7
"""Features 1..7 depend on earlier planes, 8 and 9 on the current one, 10 on lambda."""

Nonzero: TypeAlias = NDArray[np.bool_]
"""`index != 0` of a plane, (rows, cols)."""
Counts: TypeAlias = NDArray[np.uint8]
"""Sums over a few planes or cells, (rows, cols)."""


def nonzero_features(
    nonzero: Sequence[Nonzero],
    level: int,
    layout: Layout,
    width: int,
    height: int,
    lambda_step: int | None,
    phase: int,
) -> NDArray[np.int32]:
    """The features of every cell of a level's plane, (FEATURES, rows, cols) int32, as listed in FORMAT.md, section 6.1.

    nonzero: bool planes of levels 0..level-1, each on its own grid; for NON_ANCHOR also the plane of `level` itself,
        whose non-anchors are not used.
    level: position in `layout`, from 0.
    lambda_step: of the stream, or None.
    phase: ANCHOR or NON_ANCHOR. Features are valid for the cells of this phase only.

    Raises:
        InvalidArgumentError: `phase` or the number or shapes of `nonzero` do not fit.
    """
    _check_nonzero(nonzero, level, layout, width, height, phase)
    rows, cols = grid(layout[level], width, height)
    features = np.zeros((FEATURES, rows, cols), np.int32)
    for number, plane in enumerate(_past_planes(nonzero, level, layout, (rows, cols))):
        features[number] = plane
    if phase == NON_ANCHOR:
        for number, plane in enumerate(_present_planes(nonzero[level]), start=_PAST):
            features[number] = plane
    features[FEATURES - 1] = lambda_feature(lambda_step)
    return features


def nonzero_scores(
    weights: NDArray[np.int32],
    nonzero: Sequence[Nonzero],
    level: int,
    layout: Layout,
    width: int,
    height: int,
    lambda_step: int | None,
) -> NDArray[np.int32]:
    """Scores of the anchors of a plane, (rows, cols) int32: weighted features plus bias.

    They are the product of `weights` (FEATURES + 1,) with `nonzero_features`, computed one feature at a time. Scores of
    non-anchors are these plus `anchor_scores`.
    """
    shape = grid(layout[level], width, height)
    constant = int(weights[FEATURES]) + int(weights[FEATURES - 1]) * lambda_feature(lambda_step)
    scores = np.full(shape, constant, np.int32)
    for weight, plane in zip(weights, _past_planes(nonzero, level, layout, shape), strict=False):
        scores += weight * plane.astype(np.int32)
    return scores


def anchor_scores(weights: NDArray[np.int32], current: Nonzero) -> NDArray[np.int32]:
    """What features 8 and 9 add to the scores of non-anchors, (rows, cols) int32; `current` is the plane itself."""
    horizontal, vertical = _present_planes(current)
    return np.asarray(
        weights[_PAST] * horizontal.astype(np.int32) + weights[_PAST + 1] * vertical.astype(np.int32),
        np.int32,
    )


def non_anchor_mask(shape: tuple[int, int]) -> Nonzero:
    """A (rows, cols) mask of the non-anchors, the cells with (row + col) odd."""
    rows, cols = shape
    return np.asarray((np.arange(rows)[:, None] + np.arange(cols)) % 2 == 1)


def lambda_feature(lambda_step: int | None) -> int:
    """Feature 10, -32..31: a quarter of the lambda step, 0 in the middle of its range."""
    return ((DEFAULT_LAMBDA_STEP if lambda_step is None else lambda_step) - 128) >> 2


def _past_planes(nonzero: Sequence[Nonzero], level: int, layout: Layout, shape: tuple[int, int]) -> Iterator[Counts]:
    """Features 1..7, each (rows, cols) uint8."""
    target = layout[level]
    for distance in (1, 2):
        plane = np.zeros(shape, np.uint8)
        if level >= distance:
            source = nonzero[level - distance].astype(np.uint8)
            plane = _repeat(source, layout[level - distance], target, shape)
        yield plane
        padded = np.pad(plane, 1)
        yield padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
        if distance == 1:
            yield padded[:-2, :-2] + padded[:-2, 2:] + padded[2:, :-2] + padded[2:, 2:]
    yield _count(nonzero, range(level - 2), layout, target, shape)
    same = [earlier for earlier in range(level) if layout[earlier].cell == target.cell]
    yield _count(nonzero, same, layout, target, shape)


def _present_planes(current: Nonzero) -> tuple[Counts, Counts]:
    """Features 8 and 9: sums over the anchors left and right of each cell, and over those above and below."""
    padded = np.pad(np.where(non_anchor_mask(current.shape), 0, current).astype(np.uint8), 1)
    horizontal = padded[1:-1, :-2] + padded[1:-1, 2:]
    vertical = padded[:-2, 1:-1] + padded[2:, 1:-1]
    return horizontal, vertical


def _count(
    nonzero: Sequence[Nonzero],
    members: Sequence[int],
    layout: Layout,
    target: Level,
    shape: tuple[int, int],
) -> Counts:
    """How many of the planes `members` are nonzero at each cell, at most COUNT_CAP."""
    total, source = np.zeros((1, 1), np.uint8), Level(WHOLE_IMAGE, target.outputs)
    for member in members:  # coarse planes first, so that the sum stays small as long as it can
        plane = nonzero[member].astype(np.uint8)
        plane += _repeat(total, source, layout[member], plane.shape)
        total, source = np.minimum(plane, COUNT_CAP), layout[member]
    return _repeat(total, source, target, shape)


def _repeat(plane: Counts, source: Level, target: Level, shape: tuple[int, int]) -> Counts:
    """`plane`, which is on the grid of `source`, repeated to the finer grid (rows, cols) of `target`."""
    if source.cell == target.cell:
        return plane
    if source.cell == WHOLE_IMAGE:
        return np.full(shape, plane[0, 0], np.uint8)
    factor = source.cell // target.cell
    rows, cols = shape
    return plane.repeat(factor, axis=0)[:rows].repeat(factor, axis=1)[:, :cols]


def _check_nonzero(nonzero: Sequence[Nonzero], level: int, layout: Layout, width: int, height: int, phase: int) -> None:
    if phase not in (ANCHOR, NON_ANCHOR):
        raise InvalidArgumentError(f"`phase` (={phase}) must be 0 or 1")
    if not 0 <= level < len(layout):
        raise InvalidArgumentError(f"`level` (={level}) must be 0..{len(layout) - 1}")
    if len(nonzero) < level + phase:
        raise InvalidArgumentError(
            f"`nonzero` has {len(nonzero)} planes; level {level}, phase {phase} needs {level + phase}"
        )
    for number in range(level + phase):
        expected = grid(layout[number], width, height)
        if nonzero[number].shape != expected:
            raise InvalidArgumentError(f"`nonzero[{number}]` has shape {nonzero[number].shape}, must be {expected}")
