"""The range coder is the one of FORMAT.md, section 5.2: exact, split-invariant, and shortest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from bitstream_cases import random_frequencies
from hypothesis import given, settings
from hypothesis import strategies as st

from bitstream import CorruptionError
from bitstream.rangecoder import RangeDecoder, RangeEncoder

Call = tuple[str, np.ndarray, np.ndarray]

WORD, STATE = 1 << 32, 1 << 64


class Reference:
    """The decoder of FORMAT.md, one symbol at a time, in Python integers."""

    def __init__(self, payload: bytes) -> None:
        self.words = self._words(payload)
        self.low, self.range = 0, STATE - 1
        self.point = next(self.words) << 32 | next(self.words)

    @staticmethod
    def _words(payload: bytes) -> Iterator[int]:
        while True:
            word, payload = payload[:4], payload[4:]
            yield int.from_bytes(word.ljust(4, b"\0"), "big")

    def symbol(self, frequencies: list[int]) -> int:
        unit = self.range >> 24
        q = ((self.point - self.low) % STATE) // unit
        assert q < 1 << 24
        before = 0
        for s, frequency in enumerate(frequencies):  # noqa: B007
            if before <= q >> 8 < before + frequency:
                break
            before += frequency
        self.low = (self.low + unit * 256 * before) % STATE
        self.range = unit * 256 * frequency
        if self.range < WORD:
            self.low = self.low * WORD % STATE
            self.range = self.range * WORD % STATE
            self.point = self.point * WORD % STATE | next(self.words)
        return s


def coded(seed: int, count: int, extreme: bool) -> tuple[bytes, list[Call]]:
    """A payload and the (kind, symbols, probabilities) calls that made it."""
    rng = np.random.default_rng(seed)
    coder, calls = RangeEncoder(), list[Call]()
    for _ in range(4):
        frequency = rng.choice([1, 2, 65534, 65535], count) if extreme else rng.integers(1, 65536, count)
        symbols = rng.random(count) * 65536 < frequency
        coder.binary(symbols, frequency)
        calls.append(("binary", symbols, frequency))
        frequencies = random_frequencies(rng, int(rng.integers(2, 300)))
        values = rng.choice(len(frequencies), count, p=frequencies / 65536)
        coder.values(values, frequencies)
        calls.append(("values", values, frequencies))
    return coder.payload(), calls


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 60), extreme=st.booleans())
def test_payloads_decode_by_the_letter_of_the_format(seed: int, count: int, extreme: bool) -> None:
    payload, calls = coded(seed, count, extreme)
    library, reference = RangeDecoder(payload), Reference(payload)
    for kind, symbols, table in calls:
        if kind == "binary":
            assert np.array_equal(library.binary(table), symbols)
            found = [reference.symbol([65536 - int(p), int(p)]) for p in table]
        else:
            assert np.array_equal(library.values(len(symbols), table), symbols)
            found = [reference.symbol(table.tolist()) for _ in symbols]
        assert found == symbols.tolist()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 40))
def test_splitting_calls_changes_nothing(seed: int, count: int) -> None:
    payload, calls = coded(seed, count, extreme=False)
    coder, decoder = RangeEncoder(), RangeDecoder(payload)
    cut = seed % (count + 1)
    for kind, symbols, table in calls:
        for part in (slice(0, cut), slice(cut, None)):
            if kind == "binary":
                coder.binary(symbols[part], table[part])
                assert np.array_equal(decoder.binary(table[part]), symbols[part])
            else:
                coder.values(symbols[part], table)
                found = decoder.values(len(symbols[part]), table)
                assert np.array_equal(found, symbols[part])
    assert coder.payload() == payload


@pytest.mark.parametrize("frequencies", [[1, 65535], [65535, 1], [3, 5, 65528], [1] * 300 + [65236]])
def test_probabilities_are_exactly_the_frequencies(frequencies: list[int]) -> None:
    """After one symbol the library's interval is unit * 256 * (F, f), to the last bit."""
    unit, before = (STATE - 1) >> 24, 0
    for symbol, frequency in enumerate(frequencies):
        coders = [RangeEncoder()]
        coders[0].values(np.array([symbol]), np.array(frequencies))
        if len(frequencies) == 2:
            coders.append(RangeEncoder())
            coders[1].binary(np.array([symbol == 1]), np.array([frequencies[1]]))
        for coder in coders:
            words, low, size = coder.interval()
            assert size == unit * 256 * frequency << 32 * words
            assert low == (unit * 256 * before << 32 * words) % STATE
        before += frequency


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 30), extreme=st.booleans())
def test_no_shorter_payload_decodes(seed: int, count: int, extreme: bool) -> None:
    """Trailing zero bytes are gone, and no number with one byte less lies in the interval."""
    payload, calls = coded(seed, count, extreme)
    assert not payload.endswith(b"\0")
    if not payload:
        return
    number = int.from_bytes(payload[:-1], "big")
    for shorter in (number, number + 1):
        if shorter >> 8 * (len(payload) - 1):
            continue
        candidate = shorter.to_bytes(len(payload) - 1, "big")
        decoder = RangeDecoder(candidate)
        try:
            equal = [
                np.array_equal(decoder.binary(t) if kind == "binary" else decoder.values(len(s), t), s)
                for kind, s, t in calls
            ]
        except CorruptionError:
            continue
        assert not all(equal)


def test_stripped_zeros_come_back() -> None:
    """A coder that ends in zero bytes: the most likely symbols of the first interval."""
    coder = RangeEncoder()
    symbols, frequency = np.zeros(1000, np.bool_), np.full(1000, 20)
    coder.binary(symbols, frequency)
    assert coder.payload() == b""
    assert np.array_equal(RangeDecoder(b"").binary(frequency), symbols)
    assert np.array_equal(RangeDecoder(bytes(9)).binary(frequency), symbols)


def test_size_is_within_two_bytes_of_the_entropy() -> None:
    rng = np.random.default_rng(1)
    frequency = rng.integers(1, 65536, 20000)
    symbols = rng.random(20000) * 65536 < frequency
    coder = RangeEncoder()
    coder.binary(symbols, frequency)
    chance = np.where(symbols, frequency, 65536 - frequency) / 65536
    assert len(coder.payload()) <= -np.log2(chance).sum() / 8 + 2


def test_numbers_that_no_encoder_writes_are_corrupt() -> None:
    with pytest.raises(CorruptionError, match="not a range-coded stream"):
        RangeDecoder(b"\xff" * 12).binary(np.full(9, 32768))
    with pytest.raises(CorruptionError, match="not a range-coded stream"):
        RangeDecoder(b"\xff" * 12).values(9, np.full(2, 32768))


@pytest.mark.parametrize("table", [[32767, 2, 32767], [1, 65534, 1], [30000, 30000, 5536]])
@pytest.mark.parametrize("target", [b"\x80", b"\x7f" + b"\xff" * 40, b"\x12\x34" + b"\0" * 30 + b"\1"])
def test_carries_reach_back_over_any_number_of_words(table: list[int], target: bytes) -> None:
    """Symbols read off a number at a word boundary keep the coder undecided for many words."""
    frequencies = np.array(table)
    for count in (0, 1, 2, 3, 5, 8, 20, 60):
        symbols = RangeDecoder(target).values(count, frequencies)
        for last in range(3):
            coder, message = RangeEncoder(), np.append(symbols, last)
            coder.values(message, frequencies)
            payload = coder.payload()
            assert np.array_equal(RangeDecoder(payload).values(count + 1, frequencies), message)
            assert not payload.endswith(b"\0")
