"""Features are those of FORMAT.md, section 6.1, cell by cell; scores are their weighted sums."""

from __future__ import annotations

import numpy as np
import pytest
from bitstream_cases import LAYOUT, random_layout, random_planes
from hypothesis import given, settings
from hypothesis import strategies as st

from bitstream import InvalidArgumentError, Layout, grid
from bitstream.context import FEATURES, Nonzero, anchor_scores, non_anchor_mask, nonzero_features, nonzero_scores


def slow_features(
    nonzero: list[Nonzero],
    level: int,
    layout: Layout,
    size: tuple[int, int],
    step: int | None,
    phase: int,
) -> np.ndarray:
    """The table of section 6.1, one cell at a time."""
    rows, cols = grid(layout[level], *size)
    cell = layout[level].cell

    def at(plane: int, row: int, col: int) -> int:
        if plane < 0 or not (0 <= row < rows and 0 <= col < cols):
            return 0
        if layout[plane].cell == 0:
            return int(nonzero[plane][0, 0])
        coarse = layout[plane].cell // cell
        return int(nonzero[plane][row // coarse, col // coarse])

    def neighbours(plane: int, row: int, col: int) -> int:
        steps = ((-1, 0), (1, 0), (0, -1), (0, 1))
        return sum(at(plane, row + y, col + x) for y, x in steps)

    out = np.zeros((FEATURES, rows, cols), np.int32)
    for row in range(rows):
        for col in range(cols):
            f = out[:, row, col]
            f[0] = at(level - 1, row, col)
            f[1] = neighbours(level - 1, row, col)
            f[2] = sum(at(level - 1, row + y, col + x) for y in (-1, 1) for x in (-1, 1))
            f[3] = at(level - 2, row, col)
            f[4] = neighbours(level - 2, row, col)
            f[5] = min(8, sum(at(p, row, col) for p in range(level - 2)))
            same = [p for p in range(level) if layout[p].cell == cell]
            f[6] = min(8, sum(at(p, row, col) for p in same))
            if phase == 1 and (row + col) % 2:
                f[7] = at(level, row, col - 1) + at(level, row, col + 1)
                f[8] = at(level, row - 1, col) + at(level, row + 1, col)
            f[9] = ((128 if step is None else step) - 128) // 4
    return out


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    levels=st.integers(1, 14),
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    step=st.none() | st.integers(0, 255),
    phase=st.integers(0, 1),
)
def test_features_agree_with_a_slow_reading_of_the_format(
    seed: int, levels: int, width: int, height: int, step: int | None, phase: int
) -> None:
    rng = np.random.default_rng(seed)
    layout = random_layout(rng, levels)
    nonzero = [plane != 0 for plane in random_planes(rng, layout, width, height, keep=0.3)]
    level = int(rng.integers(0, levels))
    found = nonzero_features(nonzero, level, layout, width, height, step, phase)
    expected = slow_features(nonzero, level, layout, (width, height), step, phase)
    assert found.dtype == np.int32
    mask = non_anchor_mask(expected.shape[1:]) == bool(phase)
    assert np.array_equal(found[:, mask], expected[:, mask])

    weights = rng.integers(-(1 << 20), 1 << 20, FEATURES + 1, dtype=np.int32)
    scores = nonzero_scores(weights, nonzero, level, layout, width, height, step)
    if phase:
        scores += anchor_scores(weights, nonzero[level])
    product = np.tensordot(weights[:-1].astype(np.int64), found, 1) + int(weights[-1])
    assert np.array_equal(scores, product)


def test_odd_cells_of_the_current_plane_are_not_looked_at() -> None:
    rng = np.random.default_rng(0)
    nonzero = [plane != 0 for plane in random_planes(rng, LAYOUT, 40, 24)]
    seen = nonzero_features(nonzero, 4, LAYOUT, 40, 24, 0, 1)
    nonzero[4] = nonzero[4] & ~non_anchor_mask(nonzero[4].shape)
    assert np.array_equal(seen, nonzero_features(nonzero, 4, LAYOUT, 40, 24, 0, 1))


def test_arguments_that_do_not_fit_are_refused() -> None:
    nonzero = [plane != 0 for plane in random_planes(np.random.default_rng(0), LAYOUT, 40, 24)]
    with pytest.raises(InvalidArgumentError, match="`phase`"):
        nonzero_features(nonzero, 1, LAYOUT, 40, 24, 0, 2)
    with pytest.raises(InvalidArgumentError, match="`level`"):
        nonzero_features(nonzero, 5, LAYOUT, 40, 24, 0, 0)
    with pytest.raises(InvalidArgumentError, match="needs 2"):
        nonzero_features(nonzero[:1], 1, LAYOUT, 40, 24, 0, 1)
    with pytest.raises(InvalidArgumentError, match=r"nonzero\[1\].* must be \(2, 3\)"):
        nonzero_features([nonzero[0], nonzero[2]], 2, LAYOUT, 40, 24, 0, 0)
