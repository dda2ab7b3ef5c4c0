"""The integer tables that a model gives the range coder for one level (FORMAT.md, section 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .context import DEFAULT_LAMBDA_STEP, FEATURES
from .errors import InvalidArgumentError

SCORE_BINS = 128
"""Bins of scores, each with a probability of its own."""
SCORE_SHIFT = 5
"""A bin is 2^5 units of a score wide. Weights are in 1/256 logit, so a bin is 1/8 logit and all bins span +-8."""
LAMBDA_BUCKETS = 8
"""Groups of lambda steps, each with value frequencies of its own."""
BUCKET_SHIFT = 5
"""A bucket holds 2^5 lambda steps."""
PROBABILITY_ONE = 1 << 16
"""The sum of all frequencies of a symbol."""
MAX_SCORE_WEIGHT = 1 << 20
"""Largest magnitude of a weight. No feature exceeds 32 and their sum 66, so scores stay below 2^27."""


@dataclass(frozen=True, eq=False)
class LevelTables:
    """Probabilities of one level's indices; integers only.

    weights: (FEATURES + 1,) int32 in 1/256 logit, the bias last; each within +-2^20.
    p_nonzero: (2, SCORE_BINS) int32, P(index != 0) * 65536 in 1..65535, by phase and score bin.
    values: (LAMBDA_BUCKETS, K - 1) int32, frequencies of indices 1..K-1 given index != 0, by lambda bucket; each at
        least 1, each row summing to 65536.

    The arrays are copied and made read-only.

    Raises:
        InvalidArgumentError: a dtype, shape, range or sum is wrong.
    """

    weights: NDArray[np.int32]
    p_nonzero: NDArray[np.int32]
    values: NDArray[np.int32]

    def __post_init__(self) -> None:
        weights = self._freeze("weights", (FEATURES + 1,), -MAX_SCORE_WEIGHT, MAX_SCORE_WEIGHT)
        p_nonzero = self._freeze("p_nonzero", (2, SCORE_BINS), 1, PROBABILITY_ONE - 1)
        columns = self.values.shape[1] if self.values.ndim == 2 else 0
        if columns < 1:
            raise InvalidArgumentError(
                f"`values` has shape {self.values.shape}, must be ({LAMBDA_BUCKETS}, K - 1), K 2 or more"
            )
        values = self._freeze("values", (LAMBDA_BUCKETS, columns), 1, PROBABILITY_ONE)
        sums = values.sum(axis=1, dtype=np.int64)
        if not np.all(sums == PROBABILITY_ONE):
            raise InvalidArgumentError(f"`values` rows sum to {sums.tolist()}, must sum to {PROBABILITY_ONE}")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "p_nonzero", p_nonzero)
        object.__setattr__(self, "values", values)

    @classmethod
    def flat(cls, outputs: int) -> LevelTables:
        """Tables of a level of K = `outputs`: index != 0 has probability 1/2, and all values are equally likely."""
        low, rest = divmod(PROBABILITY_ONE, outputs - 1)
        row = np.full(outputs - 1, low, np.int32)
        row[:rest] += 1
        return cls(
            weights=np.zeros(FEATURES + 1, np.int32),
            p_nonzero=np.full((2, SCORE_BINS), PROBABILITY_ONE // 2, np.int32),
            values=np.tile(row, (LAMBDA_BUCKETS, 1)),
        )

    @property
    def outputs(self) -> int:
        """K, the number of outputs of the level."""
        return int(self.values.shape[1]) + 1

    def _freeze(self, name: str, shape: tuple[int, ...], low: int, high: int) -> NDArray[np.int32]:
        array: NDArray[np.int32] = getattr(self, name)
        if not np.issubdtype(array.dtype, np.integer):
            raise InvalidArgumentError(f"`{name}` has dtype {array.dtype}, must be an integer type")
        if array.shape != shape:
            raise InvalidArgumentError(f"`{name}` has shape {array.shape}, must be {shape}")
        if array.min() < low or array.max() > high:
            raise InvalidArgumentError(f"`{name}` spans {array.min()}..{array.max()}, must be within {low}..{high}")
        frozen = array.astype(np.int32)
        frozen.setflags(write=False)
        return frozen


def score_bins(scores: NDArray[np.int32]) -> NDArray[np.int32]:
    """The bin, 0..SCORE_BINS-1, of each score; score 0 is the low end of bin SCORE_BINS / 2."""
    return np.asarray(np.clip((scores >> SCORE_SHIFT) + SCORE_BINS // 2, 0, SCORE_BINS - 1), np.int32)


def lambda_bucket(lambda_step: int | None) -> int:
    """The row of `LevelTables.values` of a lambda step, 0..LAMBDA_BUCKETS-1."""
    return (DEFAULT_LAMBDA_STEP if lambda_step is None else lambda_step) >> BUCKET_SHIFT
