"""Version 1 always writes the same bytes for the same planes and tables.

Planes and tables come from integer formulas, not from a random generator, whose numbers may
change from one numpy to the next. A new hash here means a new format version.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from bitstream_cases import LAYOUT, MODEL, same

from bitstream import Header, LevelTables, decode_planes, encode_planes, grid, read_stream, write_stream
from bitstream.context import FEATURES
from bitstream.tables import LAMBDA_BUCKETS, PROBABILITY_ONE, SCORE_BINS

WIDTH, HEIGHT = 100, 76


def fixed_plane(number: int) -> np.ndarray:
    level = LAYOUT[number]
    rows, cols = np.indices(grid(level, WIDTH, HEIGHT))
    mixed = (rows * 7919 + cols * 104729 + number * 1299709) ** 2 // 65536
    return np.where(mixed % 5 < 3, 0, mixed % level.outputs)


def fixed_tables(number: int) -> LevelTables:
    count = LAYOUT[number].outputs - 1
    steps = np.arange(LAMBDA_BUCKETS)[:, None] * 31 + np.arange(count) * 17 + number
    values = steps**2 % 97 + 1
    values[:, 0] += PROBABILITY_ONE - values.sum(axis=1)
    return LevelTables(
        weights=(np.arange(FEATURES + 1, dtype=np.int32) * 37 + number * 11) % 101 - 50,
        p_nonzero=np.arange(2 * SCORE_BINS, dtype=np.int32).reshape(2, SCORE_BINS) * 40503 % 65535 + 1,
        values=values,
    )


@pytest.mark.parametrize(
    ("coded", "step", "digest"),
    [
        (False, None, "c2eb013ac1193b5c"),
        (True, None, "a092787ea87afdeb"),
        (True, 250, "657b09d1aa779a03"),
    ],
)
def test_streams_of_version_1_never_change(coded: bool, step: int | None, digest: str) -> None:
    header = Header(MODEL, WIDTH, HEIGHT, coded=coded, lambda_step=step)
    planes = [fixed_plane(number) for number in range(len(LAYOUT))]
    tables = [fixed_tables(number) for number in range(len(LAYOUT))]
    data = write_stream(header, encode_planes(planes, LAYOUT, header, tables, (2, 3)))
    assert same(decode_planes(read_stream(data), LAYOUT, tables), [p.astype(np.int32) for p in planes])
    assert hashlib.sha256(data).hexdigest()[:16] == digest
