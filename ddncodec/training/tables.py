"""Fitting the integer tables of `bitstream.LevelTables` to the indices that a trained network uses."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from bitstream import Header, Layout, LevelTables, Planes
from bitstream.context import FEATURES, lambda_feature, non_anchor_mask, nonzero_features
from bitstream.tables import LAMBDA_BUCKETS, PROBABILITY_ONE, SCORE_BINS, SCORE_SHIFT, lambda_bucket, score_bins

WEIGHT_UNIT = 256
"""Weights of the score of index != 0 are stored in 1/256 logit."""
CELLS_PER_PICTURE = 2048
"""At most this many cells of a plane are sampled to fit `p_nonzero`."""
BUCKET_SMOOTHING = 4.0
"""Pseudo-count of each index in every lambda bucket, distributed as the counts of all buckets together."""
SMOOTHING_INDEX = 0.5
"""Pseudo-count of each index in the counts of all buckets together."""
SMOOTHING_CELLS = 16.0
"""Pseudo-count of cells in every bin of `p_nonzero`, at the bin's nominal probability."""
RIDGE_BASE, RIDGE_PER_COUNT = 1e-2, 1e-3
"""Ridge of the logistic regression, and what it grows by with the mean count of a row."""
NEWTON_STEPS, LARGEST_STEP, SMALLEST_STEP = 20, 2.0, 1e-5
"""Most steps of Newton's method, the largest change of a weight in one, and the change below which it has converged."""
LARGEST_LOGIT = 30.0
"""Logits are clipped to this, where exp is still finite."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """Statistics of one level over many pictures.

    features: (n, FEATURES), of a random sample of cells.
    phases: (n,), ANCHOR or NON_ANCHOR, of the same cells.
    nonzero: (n,) bool, whether their indices are not 0.
    values: (LAMBDA_BUCKETS, K), counts of the indices of all cells by lambda bucket.
    """

    features: np.ndarray
    phases: np.ndarray
    nonzero: np.ndarray
    values: np.ndarray


def sample_levels(
    planes: Sequence[Planes], headers: Sequence[Header], layout: Layout, random: np.random.Generator
) -> list[Sample]:
    """The statistics of every level of `layout` that its tables are fitted to."""
    return [_gather_level(level, planes, headers, layout, random) for level in range(len(layout))]


def fit_tables(sample: Sample) -> LevelTables:
    """Tables of one level: weights by logistic regression, a probability for each score bin, and value frequencies."""
    weights = np.round(_logistic(sample.features, sample.nonzero) * WEIGHT_UNIT).astype(np.int32)
    scores = sample.features @ weights[:-1] + weights[-1]
    bins = score_bins(scores.astype(np.int32))
    nominal = _nominal()
    p_nonzero = np.empty((2, SCORE_BINS), np.int32)
    for phase in (0, 1):
        in_phase = sample.phases == phase
        seen = np.bincount(bins[in_phase], minlength=SCORE_BINS)
        nonzero = np.bincount(bins[in_phase & sample.nonzero], minlength=SCORE_BINS)
        share = (nonzero + SMOOTHING_CELLS * nominal) / (seen + SMOOTHING_CELLS)
        p_nonzero[phase] = np.clip(np.round(share * PROBABILITY_ONE), 1, PROBABILITY_ONE - 1)
    return LevelTables(weights, p_nonzero, value_frequencies(sample.values[:, 1:]))


def value_frequencies(counts: np.ndarray) -> np.ndarray:
    """Integer frequencies (LAMBDA_BUCKETS, K - 1), each row summing to 65536, from sparse counts of the same shape.

    The counts of a bucket are smoothed by those of all buckets, and these by equal shares.
    """
    outputs = counts.shape[1]
    overall = counts.sum(axis=0) + SMOOTHING_INDEX
    smoothing = overall / overall.sum() * outputs * BUCKET_SMOOTHING
    rows = [_apportion((row + smoothing) / (row + smoothing).sum()) for row in counts]
    return np.stack(rows)


def initial_tables(kept_or_not: np.ndarray, values: np.ndarray, steps: np.ndarray) -> LevelTables:
    """First tables, from counts in training: `kept_or_not` (B, 2) at lambda `steps` (B,), `values` (K - 1,)."""
    features = np.zeros((len(steps) * 2, FEATURES))
    features[:, FEATURES - 1] = np.repeat([lambda_feature(int(step)) for step in steps], 2)
    weights = _logistic(features, np.tile([False, True], len(steps)), kept_or_not.flatten())
    weights = np.round(weights * WEIGHT_UNIT).astype(np.int32)
    nominal = _nominal()
    p_nonzero = np.clip(np.round(nominal * PROBABILITY_ONE), 1, PROBABILITY_ONE - 1).astype(np.int32)
    return LevelTables(
        weights, np.stack([p_nonzero, p_nonzero]), value_frequencies(np.tile(values, (LAMBDA_BUCKETS, 1)))
    )


def _gather_level(
    level: int, planes: Sequence[Planes], headers: Sequence[Header], layout: Layout, random: np.random.Generator
) -> Sample:
    features, phases, nonzero = [], [], []
    values = np.zeros((LAMBDA_BUCKETS, layout[level].outputs), np.int64)
    for each, header in zip(planes, headers):
        known = [plane != 0 for plane in each[: level + 1]]
        non_anchor = non_anchor_mask(each[level].shape)
        rows = random.permutation(non_anchor.size)[:CELLS_PER_PICTURE]
        both = [
            nonzero_features(known, level, layout, header.width, header.height, header.lambda_step, phase).reshape(
                FEATURES, -1
            )[:, rows]
            for phase in (0, 1)
        ]
        phase_of = non_anchor.flatten()[rows]
        features.append(np.where(phase_of, both[1], both[0]).T)
        phases.append(phase_of.astype(np.int64))
        nonzero.append(known[level].flatten()[rows])
        values[lambda_bucket(header.lambda_step)] += np.bincount(each[level].flatten(), minlength=values.shape[1])
    return Sample(np.concatenate(features), np.concatenate(phases), np.concatenate(nonzero), values)


def _logistic(features: np.ndarray, nonzero: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Logistic regression by Newton's method with a light ridge: weights (FEATURES + 1,), the bias last."""
    inputs = np.concatenate([features, np.ones((len(features), 1))], axis=1).astype(np.float64)
    counts = np.ones(len(inputs)) if counts is None else counts
    ridge = RIDGE_BASE + RIDGE_PER_COUNT * counts.sum() / len(inputs)
    weights = np.zeros(inputs.shape[1])
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-(inputs @ weights).clip(-LARGEST_LOGIT, LARGEST_LOGIT)))
        slope = inputs.T @ (counts * (nonzero - p)) - ridge * weights
        curvature = (inputs * (counts * p * (1 - p))[:, None]).T @ inputs
        change = np.linalg.solve(curvature + ridge * np.eye(len(weights)), slope)
        weights += change.clip(-LARGEST_STEP, LARGEST_STEP)
        if np.abs(change).max() < SMALLEST_STEP:
            break
    return weights


def _nominal() -> np.ndarray:
    """The probability in the middle of each score bin, (SCORE_BINS,)."""
    return 1 / (1 + np.exp(-(np.arange(SCORE_BINS) - SCORE_BINS // 2 + 0.5) * (1 << SCORE_SHIFT) / WEIGHT_UNIT))


def _apportion(shares: np.ndarray) -> np.ndarray:
    """Integers, each at least 1, that sum to 65536 and follow `shares`, which sum to 1."""
    room = PROBABILITY_ONE - len(shares)
    whole = np.floor(shares * room).astype(np.int64)
    rest = room - int(whole.sum())
    whole[np.argsort(whole - shares * room, kind="stable")[:rest]] += 1
    return (whole + 1).astype(np.int32)
