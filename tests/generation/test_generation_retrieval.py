"""Paths are compared from their beginning; pictures of several cells have none."""

from __future__ import annotations

import numpy as np
import pytest

from ddncodec.errors import ArgumentError
from ddncodec.generation import retrieval
from ddncodec.generation.retrieval import paths_of, shared_prefix

PATHS = np.array([[1, 2, 3], [1, 2, 0], [1, 0, 3], [0, 2, 3]])


def test_prefixes_end_where_paths_part() -> None:
    assert shared_prefix(PATHS[:1], PATHS).tolist() == [[3, 2, 1, 0]]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = shared_prefix(PATHS, PATHS)
    monkeypatch.setattr(retrieval, "MAX_PAIRS", 4)
    assert np.array_equal(shared_prefix(PATHS, PATHS), whole)
    assert np.array_equal(whole, whole.T)


def test_planes_of_one_cell_are_paths() -> None:
    planes = [[np.full((1, 1), index, np.int32) for index in path] for path in PATHS]
    assert np.array_equal(paths_of(planes), PATHS)
    with pytest.raises(ArgumentError, match="level 2 has 1 x 3 cells"):
        paths_of([[np.zeros((1, 1), np.int32), np.zeros((1, 3), np.int32)]])
