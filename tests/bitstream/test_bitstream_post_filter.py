"""Weights of the post-filter (FORMAT.md, section 6.4): every payload is one set of weights or a typed error."""

from __future__ import annotations

import numpy as np
import pytest

from bitstream import CorruptionError, InvalidArgumentError, read_filter_weights, write_filter_weights
from bitstream.post_filter import ATOMS, MAX_FILTER_WEIGHT, filter_weight_bits


def drawn(components: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    weights = random.laplace(0, 3, (components, ATOMS)).round() * (random.random((components, ATOMS)) < 0.4)
    return weights.astype(np.int32)


@pytest.mark.parametrize("components", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_weights_come_back(components: int, seed: int) -> None:
    weights = drawn(components, seed)
    np.testing.assert_array_equal(read_filter_weights(write_filter_weights(weights), components), weights)


def test_extreme_weights_come_back() -> None:
    weights = np.resize([MAX_FILTER_WEIGHT, -MAX_FILTER_WEIGHT, 0, 1, -1], (3, ATOMS))
    np.testing.assert_array_equal(read_filter_weights(write_filter_weights(weights), 3), weights)


def test_codes_are_those_of_the_specification() -> None:
    weights = np.zeros((1, ATOMS), int)
    weights[0, :5] = 0, 1, -1, 2, -2
    bits = "10100110010000101" + "1" * (ATOMS - 5)
    assert write_filter_weights(weights) == int(bits.ljust(40, "0"), 2).to_bytes(5, "big")


@pytest.mark.parametrize("seed", range(5))
def test_bits_are_counted_as_they_are_written(seed: int) -> None:
    weights = drawn(3, seed)
    assert len(write_filter_weights(weights)) == -(-int(filter_weight_bits(weights).sum()) // 8)


@pytest.mark.parametrize("weights", [np.zeros(ATOMS, int), np.zeros((2, ATOMS), int), np.full((1, ATOMS), 1 << 15)])
def test_what_no_chunk_can_hold_is_refused(weights: np.ndarray) -> None:
    with pytest.raises(InvalidArgumentError, match="weights"):
        write_filter_weights(weights)


@pytest.mark.parametrize("cut", [0, 1, 5])
def test_a_payload_that_ends_early_is_an_error(cut: int) -> None:
    with pytest.raises(CorruptionError, match="ends within weight"):
        read_filter_weights(write_filter_weights(drawn(3, 0))[:cut], 3)


@pytest.mark.parametrize("more", [b"\0", b"\x80", bytes(1 << 20)])
def test_a_payload_that_ends_late_is_an_error(more: bytes) -> None:
    with pytest.raises(CorruptionError, match="post-filter has"):
        read_filter_weights(write_filter_weights(drawn(3, 0)) + more, 3)


def test_padding_is_zero() -> None:
    payload = bytearray(write_filter_weights(np.zeros((1, ATOMS), int)))
    assert ATOMS % 8
    payload[-1] |= 1
    with pytest.raises(CorruptionError, match="after its weights"):
        read_filter_weights(bytes(payload), 1)


def test_a_weight_beyond_the_limit_is_an_error() -> None:
    bits = f"{2 * MAX_FILTER_WEIGHT + 2:033b}"
    payload = int(bits.ljust(8 * 8, "1"), 2).to_bytes(8, "big")
    with pytest.raises(CorruptionError, match="weight 0 of the post-filter is beyond"):
        read_filter_weights(payload, 1)


def test_any_bytes_are_weights_or_a_typed_error() -> None:
    random, sound = np.random.default_rng(0), 0
    for _ in range(3000):
        payload = random.integers(0, 256, random.integers(0, 40), np.uint8).tobytes()
        try:
            weights = read_filter_weights(payload, 1)
        except CorruptionError:
            continue
        sound += 1
        assert write_filter_weights(weights) == payload
    assert sound > 0
