"""Layouts, planes, tables and streams that the tests of `bitstream` share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitstream import (
    Chunk,
    Header,
    IndexPrior,
    Layout,
    Level,
    LevelPrior,
    LevelTables,
    encode_planes,
    grid,
    write_stream,
)
from bitstream.context import FEATURES
from bitstream.tables import LAMBDA_BUCKETS, PROBABILITY_ONE, SCORE_BINS

MODEL = bytes.fromhex("0123456789abcdef")
LAYOUT: Layout = (Level(0, 5), Level(16, 8), Level(8, 7), Level(8, 2), Level(4, 300))

Plane = NDArray[np.int32]


def random_layout(rng: np.random.Generator, levels: int) -> Layout:
    """Cells 0, 32, 16, 8 and 4 in that order, with repetitions; K of all sizes."""
    cells = sorted(rng.choice([64, 32, 16, 8, 4], size=levels).tolist(), reverse=True)
    cells = [0 if cell == 64 else cell for cell in cells]
    return tuple(Level(cell, int(rng.choice([2, 3, 4, 7, 64, 200, 512]))) for cell in cells)


def random_planes(rng: np.random.Generator, layout: Layout, width: int, height: int, keep: float = 0.6) -> list[Plane]:
    """Uniform indices, each replaced by 0 with probability `keep`."""
    planes = []
    for level in layout:
        shape = grid(level, width, height)
        plane = rng.integers(0, level.outputs, shape, dtype=np.int32)
        planes.append(np.where(rng.random(shape) < keep, 0, plane).astype(np.int32))
    return planes


def random_tables(rng: np.random.Generator, layout: Layout) -> list[LevelTables]:
    """Tables with nothing regular about them."""
    return [
        LevelTables(
            weights=rng.integers(-300, 300, FEATURES + 1, dtype=np.int32),
            p_nonzero=rng.integers(1, PROBABILITY_ONE, (2, SCORE_BINS), dtype=np.int32),
            values=np.stack([random_frequencies(rng, level.outputs - 1) for _ in range(LAMBDA_BUCKETS)]),
        )
        for level in layout
    ]


def random_prior(rng: np.random.Generator, layout: Layout, channels: int = 3, top: int = 127) -> IndexPrior:
    """A prior with weights of up to `top`, which makes most of its logits extreme."""
    c = channels

    def small(*shape: int) -> NDArray[np.int8]:
        return rng.integers(-top, top + 1, shape, dtype=np.int8)

    def large(size: int, limit: int) -> NDArray[np.int32]:
        return rng.integers(-limit, limit + 1, size, dtype=np.int32)

    levels = tuple(
        LevelPrior(
            spatial=small(9 * c, c), spatial_bias=large(c, 1 << 12), lambda_weight=large(c, 1 << 7),
            pointwise=small(c, c), pointwise_bias=large(c, 1 << 12), anchor_embedding=small(level.outputs, c),
            neighbours=small(4 * c, c), neighbours_bias=large(c, 1 << 12),
            neighbours_pointwise=small(c, c), neighbours_pointwise_bias=large(c, 1 << 12),
            head=small(c, level.outputs), head_bias=large(level.outputs, 1 << 10),
            index_embedding=small(level.outputs, c),
        )
        for level in layout
    )  # fmt: skip
    return IndexPrior(small(c), levels)


def random_frequencies(rng: np.random.Generator, count: int) -> NDArray[np.int32]:
    """`count` integers of at least 1 that sum to 65536, very unequal."""
    cuts = rng.choice(np.arange(1, PROBABILITY_ONE), count - 1, replace=False)
    return np.diff(np.sort(np.concatenate([[0], cuts, [PROBABILITY_ONE]]))).astype(np.int32)


def small_stream(coded: bool) -> tuple[bytes, Header, list[Plane], list[LevelTables]]:
    """A framed stream of a 40 x 24 picture in three passes, with two chunks."""
    rng = np.random.default_rng(7)
    header = Header(MODEL, 40, 24, coded=coded, lambda_step=200)
    planes, tables = random_planes(rng, LAYOUT, 40, 24), random_tables(rng, LAYOUT)
    first, *rest = encode_planes(planes, LAYOUT, header, tables, (2, 2, 1))
    data = write_stream(header, [Chunk(1, b"profile"), first, Chunk(99, b"new"), *rest])
    return data, header, planes, tables


def same(found: Sequence[Plane], expected: Sequence[Plane]) -> bool:
    """Whether two lists of planes are equal."""
    return len(found) == len(expected) and all(
        f.dtype == np.int32 and np.array_equal(f, e) for f, e in zip(found, expected, strict=True)
    )
