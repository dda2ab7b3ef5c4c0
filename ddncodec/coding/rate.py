"""Lambda of a quality, and what an index will cost, read from the integer tables that will code it.

For the encoder's choices only.
"""

from __future__ import annotations

import math
from numbers import Real

import numpy as np
import torch
from torch import Tensor

from bitstream import LevelTables
from bitstream.tables import PROBABILITY_ONE, lambda_bucket, score_bins
from ddncodec.errors import ArgumentError

LAMBDA_STEPS_PER_OCTAVE = 16


def step_of_lambda(value: float) -> int:
    """The nearest lambda step, 0..255, of a lambda in squared 8-bit sample levels per bit."""
    return max(0, min(255, round(LAMBDA_STEPS_PER_OCTAVE * math.log2(value))))


def lambda_of_step(step: float) -> float:
    """Lambda in squared 8-bit sample levels per bit: 2^(step / 16). A header has whole steps only."""
    return 2.0 ** (step / LAMBDA_STEPS_PER_OCTAVE)


def step_of_quality(quality: float, smallest_lambda: float, largest_lambda: float) -> int:
    """The lambda step of a quality from 0, at the largest lambda, to 100; even steps of log lambda.

    Raises: ArgumentError.
    """
    if not (isinstance(quality, Real) and 0 <= quality <= 100):
        raise ArgumentError(f"`quality` (={quality!r}) must be a number 0..100")
    best, worst = step_of_lambda(smallest_lambda), step_of_lambda(largest_lambda)
    return round(worst + (best - worst) * quality / 100)


def value_bits(tables: LevelTables, step: int) -> Tensor:
    """Bits of every index of a level, given that it is not 0, (K,) float32; entry 0 is 0."""
    frequencies = tables.values[lambda_bucket(step)].astype(np.float32)
    return torch.from_numpy(np.concatenate([[0.0], np.log2(PROBABILITY_ONE / frequencies)]).astype(np.float32))


def nonzero_bits(tables: LevelTables, scores: np.ndarray, phase: int) -> np.ndarray:
    """Extra bits of not keeping over keeping, (rows, cols) float32, at the scores of one checkerboard phase."""
    taken = tables.p_nonzero[phase][score_bins(scores)].astype(np.float32) / PROBABILITY_ONE
    return np.log2((1 - taken) / taken)
