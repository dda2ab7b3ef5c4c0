"""The index prior computes what FORMAT.md says, exactly, and codes every plane there is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import chain

import numpy as np
import pytest
from bitstream_cases import LAYOUT, MODEL, random_layout, random_planes, random_prior, same
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitstream import (
    BitstreamError,
    Header,
    IndexPrior,
    InvalidArgumentError,
    Level,
    LevelPrior,
    decode_planes,
    encode_planes,
    grid,
    read_stream,
    write_stream,
)
from bitstream.frequencies import frequencies
from bitstream.prior import MAX_BIAS, MAX_CHANNELS, MAX_LAMBDA_WEIGHT, PriorState
from bitstream.walks import checkerboard

Vector = list[int]


class Reference:
    """Section 6.3 of FORMAT.md, cell by cell, in Python's integers."""

    def __init__(self, prior: IndexPrior, layout: Sequence[Level], width: int, height: int, step: int) -> None:
        self.prior, self.layout, self.size, self.step = prior, layout, (width, height), step
        rows, cols = grid(layout[0], width, height)
        self.states = {(r, c): prior.start.tolist() for r in range(rows) for c in range(cols)}
        self.cell = layout[0].cell

    def logits(self, number: int, plane: NDArray[np.int32]) -> tuple[dict[tuple[int, int], Vector], ...]:
        """Logits of the cells of both phases of a level whose indices are `plane`."""
        w, level, zeros = self.prior.levels[number], self.layout[number], [0] * self.prior.start.size
        rows, cols = grid(level, *self.size)
        places = [(r, c) for r in range(rows) for c in range(cols)]
        factor = self.cell // level.cell if self.cell else max(rows, cols)
        coarse = {(r, c): self.states[r // factor, c // factor] for r, c in places}
        bias = [int(b) + self.step * int(s) for b, s in zip(w.spatial_bias, w.lambda_weight, strict=True)]
        fine = {}
        for r, c in places:
            around = [coarse.get((r + dr, c + dc), zeros) for dr in (-1, 0, 1) for dc in (-1, 0, 1)]
            hidden = [clip(x >> 6, 0) for x in product([*chain(*around)], w.spatial, bias)]
            change = product(hidden, w.pointwise, w.pointwise_bias)
            fine[r, c] = [clip(s + (x >> 6), -127) for s, x in zip(coarse[r, c], change, strict=True)]
        seen = {}
        for r, c in places:
            four = [(r - 1, c), (r, c - 1), (r, c + 1), (r + 1, c)]
            known = [
                w.anchor_embedding[plane[at]].tolist() if at in fine and sum(at) % 2 == 0 else zeros for at in four
            ]
            sums = product([*chain(*known)], w.neighbours, w.neighbours_bias)
            hidden = [clip((x + 64 * s) >> 6, 0) for s, x in zip(fine[r, c], sums, strict=True)]
            change = product(hidden, w.neighbours_pointwise, w.neighbours_pointwise_bias)
            seen[r, c] = [clip(s + (x >> 6), -127) for s, x in zip(fine[r, c], change, strict=True)]
        anchors, non_anchors = (
            {at: [x >> 7 for x in product(s, w.head, w.head_bias)] for at, s in states.items() if sum(at) % 2 == phase}
            for phase, states in enumerate((fine, seen))
        )
        self.cell = level.cell
        self.states = {
            at: [clip(s + int(x), -127) for s, x in zip(state, w.index_embedding[plane[at]], strict=True)]
            for at, state in fine.items()
        }
        return anchors, non_anchors


def clip(value: int, low: int) -> int:
    return max(low, min(127, value))


def product(vector: Vector, matrix: NDArray[np.int8], bias: Sequence[int]) -> Vector:
    columns = zip(bias, matrix.T.tolist(), strict=True)
    return [int(b) + sum(v * m for v, m in zip(vector, column, strict=True)) for b, column in columns]


@pytest.mark.parametrize(("seed", "width", "height", "top"), [(0, 70, 41, 30), (1, 5, 90, 127), (2, 33, 16, 8)])
def test_logits_are_those_of_the_format(seed: int, width: int, height: int, top: int) -> None:
    rng = np.random.default_rng(seed)
    layout = (Level(0, 4), Level(32, 5), Level(32, 2), Level(16, 9), Level(4, 6))
    prior, planes = random_prior(rng, layout, top=top), random_planes(rng, layout, width, height)
    reference = Reference(prior, layout, width, height, (77 - 128) >> 2)
    prior_state = PriorState(prior, layout, width, height, 77)
    for number, plane in enumerate(planes):
        prior_state.start_level()
        expected = reference.logits(number, plane)
        for phase, cells in enumerate(checkerboard(plane.shape)):
            if phase:
                prior_state.condition_on_anchors(plane)
            found = np.concatenate(
                [prior_state.nonzero_logits(cells)[:, None], prior_state.value_logits(cells)], axis=1
            )
            assert found.tolist() == list(expected[phase].values())
        prior_state.finish_level(plane)


def test_sums_are_exact_at_the_limits() -> None:
    """All weights and states as large as they may be: the largest sum is just below 2^24."""
    c = MAX_CHANNELS
    layout = (Level(8, 3),)
    prior = random_prior(np.random.default_rng(0), layout, channels=c)
    full = {f.name: np.full_like(getattr(prior.levels[0], f.name), 127) for f in dataclasses.fields(LevelPrior)}
    full |= {"spatial_bias": np.full(c, MAX_BIAS, np.int32), "lambda_weight": np.full(c, MAX_LAMBDA_WEIGHT, np.int32)}
    full |= {"pointwise": -full["pointwise"], "pointwise_bias": np.full(c, c * 127 * 127 - 64 * 127 + 63, np.int32)}
    prior = IndexPrior(np.full(c, 127, np.int8), (LevelPrior(**full),))
    prior_state = PriorState(prior, layout, 24, 24, 255)
    prior_state.start_level()
    assert 9 * c * 127 * 127 + MAX_BIAS + 31 * MAX_LAMBDA_WEIGHT < 1 << 24
    states = {(127 * 64 - c * 127 * 127 + int(full["pointwise_bias"][0])) >> 6}
    assert set(prior_state.nonzero_logits(np.arange(9)).tolist()) == {(c * 127 * states.pop() + 127) >> 7}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    levels=st.integers(1, 5),
    width=st.integers(1, 130),
    height=st.integers(1, 130),
    step=st.none() | st.integers(0, 255),
    keep=st.sampled_from([0.0, 0.6, 1.0]),
)
def test_planes_survive(seed: int, levels: int, width: int, height: int, step: int | None, keep: float) -> None:
    rng = np.random.default_rng(seed)
    layout = random_layout(rng, levels)
    planes, prior = random_planes(rng, layout, width, height, keep), random_prior(rng, layout)
    header = Header(MODEL, width, height, coded=True, lambda_step=step)
    stream = read_stream(write_stream(header, encode_planes(planes, layout, header, prior, (1,) * levels)))
    assert same(decode_planes(stream, layout, prior), planes)
    count = int(rng.integers(0, levels + 1))
    assert same(decode_planes(stream, layout, prior, count), planes[:count])


def test_large_planes_are_cut_without_a_trace() -> None:
    """More cells than are looked at together, in the grid and among the nonzero ones."""
    rng = np.random.default_rng(3)
    layout = (Level(8, 3), Level(4, 20))
    planes, prior = random_planes(rng, layout, 840, 640, 0.3), random_prior(rng, layout, top=20)
    header = Header(MODEL, 840, 640, coded=True)
    stream = read_stream(write_stream(header, encode_planes(planes, layout, header, prior)))
    assert same(decode_planes(stream, layout, prior), planes)


def test_what_is_likely_is_cheap() -> None:
    """A head that always expects index 1 codes planes of it in next to nothing."""
    layout = (Level(4, 40),)
    prior = random_prior(np.random.default_rng(0), layout)
    bias = np.full(40, -(1 << 15), np.int32)
    bias[:2] = 1 << 15
    sure = dataclasses.replace(prior.levels[0], head=np.zeros_like(prior.levels[0].head), head_bias=bias)
    header = Header(MODEL, 256, 256, coded=True)
    (only,) = encode_planes([np.ones((64, 64), np.int32)], layout, header, IndexPrior(prior.start, (sure,)))
    assert len(only.payload) < 64 * 64 * 0.002


@given(seed=st.integers(0, 2**32), outputs=st.sampled_from([2, 3, 255, 4096]), spread=st.sampled_from([0, 5, 300]))
@settings(max_examples=60, deadline=None)
def test_frequencies_are_those_of_the_format(seed: int, outputs: int, spread: int) -> None:
    logits = np.random.default_rng(seed).integers(-spread, spread + 1, (3, outputs), dtype=np.int32)
    for row, found in zip(logits.tolist(), frequencies(logits).tolist(), strict=True):
        # The largest n with n^16 <= 2^(256 - d) is 2^(16 - d / 16), rounded down.
        powers = [root(256 - min(max(row) - z, 255)) for z in row]
        shares = [1 + e * (65536 - outputs) // sum(powers) for e in powers]
        shares[row.index(max(row))] += 65536 - sum(shares)
        assert found == shares
        assert sum(found) == 65536 and min(found) >= 1


def root(exponent: int) -> int:
    """The 16th root of 2^exponent, rounded down, by bisection."""
    low, high = 0, 1 << 17
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**16 <= 1 << exponent else (low, middle)
    return low


@pytest.mark.parametrize(
    ("field", "array", "match"),
    [
        ("index_embedding", np.zeros((1, 3), np.int8), "`index_embedding` has shape"),
        ("index_embedding", np.zeros((5, 65), np.int8), "C 1..64"),
        ("spatial", np.zeros((9, 3), np.int8), "must be int8"),
        ("pointwise", np.zeros((3, 3), np.int32), "must be int8"),
        ("head", np.full((3, 5), -128, np.int8), "within"),
        ("head_bias", np.zeros(4, np.int32), "must be int32"),
        ("pointwise_bias", np.full(3, MAX_BIAS + 1, np.int32), "within"),
        ("lambda_weight", np.full(3, -MAX_LAMBDA_WEIGHT - 1, np.int32), "within"),
    ],
)
def test_weights_out_of_range_are_refused(field: str, array: np.ndarray, match: str) -> None:
    level = random_prior(np.random.default_rng(0), (Level(8, 5),)).levels[0]
    with pytest.raises(InvalidArgumentError, match=match):
        dataclasses.replace(level, **{field: array})


def test_priors_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(0)
    prior, header = random_prior(rng, LAYOUT), Header(MODEL, 40, 24, coded=True)
    planes = random_planes(rng, LAYOUT, 40, 24)
    with pytest.raises(InvalidArgumentError, match="probabilities"):
        encode_planes(planes, LAYOUT, header, IndexPrior(prior.start, prior.levels[:-1]))
    with pytest.raises(InvalidArgumentError, match="start"):
        IndexPrior(np.zeros(4, np.int8), prior.levels)
    with pytest.raises(InvalidArgumentError, match="start"):
        IndexPrior(prior.start, ())


def test_damaged_payloads_end_in_a_typed_error_or_in_planes() -> None:
    rng = np.random.default_rng(1)
    prior, header = random_prior(rng, LAYOUT, top=40), Header(MODEL, 40, 24, coded=True)
    passes = encode_planes(random_planes(rng, LAYOUT, 40, 24), LAYOUT, header, prior, (2, 3))
    for _ in range(200):
        broken = bytearray(passes[1].payload)
        broken[rng.integers(len(broken))] ^= int(rng.integers(1, 256))
        elements = [passes[0], dataclasses.replace(passes[1], payload=bytes(broken))]
        try:
            planes = decode_planes(read_stream(write_stream(header, elements)), LAYOUT, prior)
        except BitstreamError:
            continue
        assert all(plane.max() < level.outputs for plane, level in zip(planes, LAYOUT, strict=True))
