"""Tables hold integers that no arithmetic of the coder can overflow or starve."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bitstream import InvalidArgumentError, LevelTables
from bitstream.context import FEATURES
from bitstream.tables import LAMBDA_BUCKETS, SCORE_BINS, lambda_bucket, score_bins


@pytest.mark.parametrize("outputs", [2, 3, 256, 65536])
def test_flat_tables_are_valid_and_read_only(outputs: int) -> None:
    tables = LevelTables.flat(outputs)
    assert tables.outputs == outputs
    assert tables.values.shape == (LAMBDA_BUCKETS, outputs - 1)
    with pytest.raises(ValueError, match="read-only"):
        tables.values[0, 0] = 7


@pytest.mark.parametrize(
    ("field", "array", "match"),
    [
        ("weights", np.zeros(FEATURES, np.int32), "shape"),
        ("weights", np.zeros(FEATURES + 1), "dtype float64"),
        ("weights", np.full(FEATURES + 1, (1 << 20) + 1), "within"),
        ("p_nonzero", np.zeros((2, SCORE_BINS), np.int32), "spans 0..0"),
        ("p_nonzero", np.full((2, SCORE_BINS), 65536), "within 1..65535"),
        ("p_nonzero", np.ones((SCORE_BINS, 2), np.int32), "shape"),
        ("values", np.ones(65536, np.int32), "shape"),
        ("values", np.ones((LAMBDA_BUCKETS, 0), np.int32), "shape"),
        ("values", np.ones((LAMBDA_BUCKETS, 4), np.int32), "sum to"),
        ("values", np.tile(np.array([65536, 0]), (LAMBDA_BUCKETS, 1)), "spans 0"),
    ],
)
def test_tables_out_of_range_are_refused(field: str, array: np.ndarray, match: str) -> None:
    with pytest.raises(InvalidArgumentError, match=match):
        dataclasses.replace(LevelTables.flat(3), **{field: array})


def test_bins_are_eighths_of_a_logit_around_the_middle() -> None:
    scores = np.array([-(1 << 30), -2048, -33, -32, -1, 0, 31, 32, 2047, 1 << 30], np.int32)
    assert score_bins(scores).tolist() == [0, 0, 62, 63, 63, 64, 64, 65, 127, 127]


def test_buckets_split_the_lambda_steps_evenly() -> None:
    assert np.bincount([lambda_bucket(step) for step in range(256)]).tolist() == [32] * LAMBDA_BUCKETS
    assert lambda_bucket(None) == lambda_bucket(128)
