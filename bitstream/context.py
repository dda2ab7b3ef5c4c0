"""Integer features from which simple tables predict `nonzero`, which is `index != 0`.

All features are small integers computed by integer operations, so every
machine finds the same probabilities (FORMAT.md, section 6.1). Training fits the weights of
`LevelTables` to `nonzero_features`; coding uses the same planes through `nonzero_scores`.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidArgumentError
from .layout import WHOLE_IMAGE, Layout, Level, grid

FEATURES: Final = 10
COUNT_CAP: Final = 8  # features 6 and 7 saturate here
DEFAULT_LAMBDA_STEP: Final = 128  # stands for the lambda step of a stream that records none
ANCHOR, NON_ANCHOR = 0, 1  # the two phases: cells with (row + col) even are coded first

_PAST: Final = 7  # features 1..7 look at earlier planes, 8 and 9 at the current one, 10 at lambda

Nonzero: TypeAlias = NDArray[np.bool_]
Plane: TypeAlias = NDArray[np.uint8]
Integers: TypeAlias = NDArray[np.int32]


def nonzero_features(
    nonzero: Sequence[Nonzero],
    level: int,
    layout: Layout,
    width: int,
    height: int,
    lambda_step: int | None,
    phase: int,
) -> Integers:
    """Return the features of every cell of a level's plane, (FEATURES, rows, cols) int32.

    Earlier planes are brought to this level's grid by repetition; cells outside are 0.

    1 previous plane, same cell; 2 sum of its 4 neighbours; 3 sum of its 4 diagonal neighbours;
    4 plane before the previous, same cell; 5 sum of its 4 neighbours; 6 nonzero cells of all
    planes before that, at most 8; 7 nonzero cells of all earlier planes of the same cell size, at
    most 8; 8 sum of left and right neighbours, 9 of upper and lower ones, in the current plane
    (phase 1 only, else 0); 10 (lambda_step - 128) >> 2.

    nonzero: bool planes of levels 0..level-1, each on its own grid; for phase 1 also the plane of
        `level` itself, whose non-anchors are not used.
    level: position in `layout`, from 0.
    phase: ANCHOR (0) for the cells with (row + col) even, NON_ANCHOR (1) for the others. Cells of
        the other phase get features too, which mean nothing.

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
    weights: Integers,
    nonzero: Sequence[Nonzero],
    level: int,
    layout: Layout,
    width: int,
    height: int,
    lambda_step: int | None,
) -> Integers:
    """Return the phase 0 scores of a plane, (rows, cols) int32: weighted features plus bias.

    It is the product of `weights` (FEATURES + 1,) with `nonzero_features`, one plane at a time. Add
    `anchor_scores` for phase 1.
    """
    shape = grid(layout[level], width, height)
    constant = int(weights[FEATURES]) + int(weights[FEATURES - 1]) * lambda_feature(lambda_step)
    scores = np.full(shape, constant, np.int32)
    for weight, plane in zip(weights, _past_planes(nonzero, level, layout, shape), strict=False):
        scores += weight * plane.astype(np.int32)
    return scores


def anchor_scores(weights: Integers, current: Nonzero) -> Integers:
    """Return what features 8 and 9 add to the scores in phase 1, (rows, cols) int32."""
    sides, upright = _present_planes(current)
    return np.asarray(
        weights[_PAST] * sides.astype(np.int32) + weights[_PAST + 1] * upright.astype(np.int32),
        np.int32,
    )


def non_anchor_mask(shape: tuple[int, int]) -> Nonzero:
    """Return a (rows, cols) mask of the non-anchors, the cells with (row + col) odd."""
    rows, cols = shape
    return np.asarray((np.arange(rows)[:, None] + np.arange(cols)) % 2 == 1)


def lambda_feature(lambda_step: int | None) -> int:
    """Return feature 10, -32..31: quarters of the lambda step, 0 in the middle of its range."""
    return ((DEFAULT_LAMBDA_STEP if lambda_step is None else lambda_step) - 128) >> 2


def _past_planes(nonzero: Sequence[Nonzero], level: int, layout: Layout, shape: tuple[int, int]) -> Iterator[Plane]:
    """Yield features 1..7 of `nonzero_features`, each (rows, cols) uint8."""
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


def _present_planes(current: Nonzero) -> tuple[Plane, Plane]:
    """Return features 8 and 9: sums over the anchors left and right, and above and below, of each cell."""
    padded = np.pad(np.where(non_anchor_mask(current.shape), 0, current).astype(np.uint8), 1)
    sides = padded[1:-1, :-2] + padded[1:-1, 2:]
    upright = padded[:-2, 1:-1] + padded[2:, 1:-1]
    return sides, upright


def _count(
    nonzero: Sequence[Nonzero],
    members: Sequence[int],
    layout: Layout,
    target: Level,
    shape: tuple[int, int],
) -> Plane:
    """Return how many of the planes `members` are nonzero at each cell, at most COUNT_CAP."""
    total, source = np.zeros((1, 1), np.uint8), Level(WHOLE_IMAGE, target.outputs)
    for member in members:  # coarse ones first: the sum stays on their small grids
        plane = nonzero[member].astype(np.uint8)
        plane += _repeat(total, source, layout[member], plane.shape)
        total, source = np.minimum(plane, COUNT_CAP), layout[member]
    return _repeat(total, source, target, shape)


def _repeat(plane: Plane, source: Level, target: Level, shape: tuple[int, int]) -> Plane:
    """Return `plane`, on the grid of `source`, on the finer grid (rows, cols) of `target`."""
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
