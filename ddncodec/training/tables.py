"""Fitting the integer tables that code the indices to how a trained network is seen to use them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from bitstream import (
    BINS,
    BUCKETS,
    FEATURES,
    PROBABILITY_ONE,
    SHIFT,
    Header,
    Layout,
    LevelTables,
    flag_features,
    lambda_bucket,
    parity,
    score_bins,
)
from ddncodec.coding.engine import Planes

WEIGHT_UNIT = 256
"""Weights of the flag score are stored in 1/256 logit."""
CELLS_PER_PICTURE = 2048
"""At most this many cells of a plane are looked at to fit its flags."""
BUCKET_PRIOR = 4.0
"""Every lambda bucket starts as if it had seen each index this many times, shared out as over all buckets."""
PRIOR_CELLS = 16.0
"""Every bin of the flag tables starts as if it had seen this many cells at its nominal probability."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """Cells of one level over many pictures.

    `features` (n, FEATURES), `phases` (n,), `flags` (n,) bool of sampled cells; `values` (BUCKETS, K) counts of the
    indices of all cells by lambda bucket.
    """

    features: np.ndarray
    phases: np.ndarray
    flags: np.ndarray
    values: np.ndarray


def gather(
    planes: Sequence[Planes], headers: Sequence[Header], layout: Layout, random: np.random.Generator
) -> list[Sample]:
    """Collect, for every level of `layout`, what its tables depend on."""
    return [_gather_level(level, planes, headers, layout, random) for level in range(len(layout))]


def fit(sample: Sample) -> LevelTables:
    """Tables of one level: a logistic score and a probability for each of its bins, and value frequencies."""
    weights = np.round(_logistic(sample.features, sample.flags) * WEIGHT_UNIT).astype(np.int32)
    scores = sample.features @ weights[:-1] + weights[-1]
    bins = score_bins(scores.astype(np.int32))
    nominal = _nominal()
    nonkeep = np.empty((2, BINS), np.int32)
    for phase in (0, 1):
        mine = sample.phases == phase
        seen = np.bincount(bins[mine], minlength=BINS)
        taken = np.bincount(bins[mine & sample.flags], minlength=BINS)
        share = (taken + PRIOR_CELLS * nominal) / (seen + PRIOR_CELLS)
        nonkeep[phase] = np.clip(np.round(share * PROBABILITY_ONE), 1, PROBABILITY_ONE - 1)
    return LevelTables(weights, nonkeep, value_frequencies(sample.values[:, 1:]))


def value_frequencies(counts: np.ndarray) -> np.ndarray:
    """Integer frequencies (BUCKETS, K - 1), each row summing to 65536, from counts that may be sparse.

    A bucket's counts are smoothed by those of all buckets, which in turn are smoothed by equal shares.
    """
    outputs = counts.shape[1]
    overall = counts.sum(axis=0) + 0.5
    prior = overall / overall.sum() * outputs * BUCKET_PRIOR
    rows = [_apportion((row + prior) / (row + prior).sum()) for row in counts]
    return np.stack(rows)


def flag_guess(flags: np.ndarray, values: np.ndarray, steps: np.ndarray) -> LevelTables:
    """First tables, from training counts alone: flags (B, 2) kept or not at `steps` (B,), values (K - 1,)."""
    features = np.zeros((len(steps) * 2, FEATURES))
    features[:, FEATURES - 1] = np.repeat((steps - 128) // 4, 2)
    weights = _logistic(features, np.tile([False, True], len(steps)), flags.flatten())
    weights = np.round(weights * WEIGHT_UNIT).astype(np.int32)
    nominal = _nominal()
    nonkeep = np.clip(np.round(nominal * PROBABILITY_ONE), 1, PROBABILITY_ONE - 1).astype(np.int32)
    return LevelTables(weights, np.stack([nonkeep, nonkeep]), value_frequencies(np.tile(values, (BUCKETS, 1))))


def _gather_level(
    level: int, planes: Sequence[Planes], headers: Sequence[Header], layout: Layout, random: np.random.Generator
) -> Sample:
    features, phases, flags = [], [], []
    values = np.zeros((BUCKETS, layout[level].outputs), np.int64)
    for each, header in zip(planes, headers):
        seen = [plane != 0 for plane in each[: level + 1]]
        odd = parity(each[level].shape)
        rows = random.permutation(odd.size)[:CELLS_PER_PICTURE]
        both = [
            flag_features(seen, level, layout, header.width, header.height, header.lambda_step, phase).reshape(
                FEATURES, -1
            )[:, rows]
            for phase in (0, 1)
        ]
        phase_of = odd.flatten()[rows]
        features.append(np.where(phase_of, both[1], both[0]).T)
        phases.append(phase_of.astype(np.int64))
        flags.append(seen[level].flatten()[rows])
        values[lambda_bucket(header.lambda_step)] += np.bincount(each[level].flatten(), minlength=values.shape[1])
    return Sample(np.concatenate(features), np.concatenate(phases), np.concatenate(flags), values)


def _logistic(features: np.ndarray, flags: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Logistic regression by Newton's method with a light ridge: weights (FEATURES + 1,), the bias last."""
    inputs = np.concatenate([features, np.ones((len(features), 1))], axis=1).astype(np.float64)
    counts = np.ones(len(inputs)) if counts is None else counts
    ridge = 1e-3 * counts.sum() / len(inputs) + 1e-2
    weights = np.zeros(inputs.shape[1])
    for _ in range(20):
        chance = 1 / (1 + np.exp(-(inputs @ weights).clip(-30, 30)))
        slope = inputs.T @ (counts * (flags - chance)) - ridge * weights
        curvature = (inputs * (counts * chance * (1 - chance))[:, None]).T @ inputs
        step = np.linalg.solve(curvature + ridge * np.eye(len(weights)), slope)
        weights += step.clip(-2, 2)
        if np.abs(step).max() < 1e-5:
            break
    return weights


def _nominal() -> np.ndarray:
    """The probability in the middle of each score bin, (BINS,)."""
    return 1 / (1 + np.exp(-(np.arange(BINS) - BINS // 2 + 0.5) * (1 << SHIFT) / WEIGHT_UNIT))


def _apportion(shares: np.ndarray) -> np.ndarray:
    """Integers, each at least 1, that sum to 65536 and follow `shares`, which sum to 1."""
    room = PROBABILITY_ONE - len(shares)
    whole = np.floor(shares * room).astype(np.int64)
    rest = room - int(whole.sum())
    whole[np.argsort(whole - shares * room, kind="stable")[:rest]] += 1
    return (whole + 1).astype(np.int32)
