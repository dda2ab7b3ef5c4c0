"""A range coder with probabilities of exactly n / 65536, made with the library `constriction` (FORMAT.md, section 5.2).

`constriction` takes floating-point weights w_s of n symbols, scales them to the sum 2^24 - n and adds 1 to each. Given
w_s = 256 f_s - 1 for integers f_s that sum to 65536, their sum is 2^24 - n already, the scale factor is exactly 1.0,
and all sums are of integers below 2^24. So symbol s gets the probability 256 f_s / 2^24, without any rounding. This
holds for `perfect=False` models only; the others search with logarithms. `constriction` must be >= 0.4, < 0.6.
tests/bitstream/test_bitstream_rangecoder.py compares the result with a coder written from FORMAT.md.
"""

from __future__ import annotations

from typing import TypeAlias

import constriction  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from .errors import CorruptionError

Frequencies: TypeAlias = NDArray[np.integer | np.floating]
"""Whole numbers, of either type."""

model, queue = constriction.stream.model, constriction.stream.queue

_WORD_BITS = 32
_STATE_BITS = 64
_SCALE = 256
"""2^24, the library's unit of probability, over 2^16, the unit here."""


class RangeEncoder:
    """Encoder of arrays of symbols, one after the other, into one payload."""

    def __init__(self) -> None:
        self._coder = queue.RangeEncoder()
        self._family = model.Categorical(perfect=False)

    def binary(self, symbols: NDArray[np.bool_], frequency: Frequencies) -> None:
        """Append `symbols` (n,), each 1 with probability frequency / 65536, `frequency` (n,) in 1..65535."""
        self._coder.encode(symbols.astype(np.int32), self._family, _pairs(frequency))

    def values(self, values: NDArray[np.integer], frequencies: Frequencies) -> None:
        """Append `values` (n,) in [0, m), m >= 2; `frequencies` >= 1 sum to 65536, (m,) for all or (n, m)."""
        if frequencies.ndim == 1:
            self._coder.encode(values.astype(np.int32), _static(frequencies))
        else:
            self._coder.encode(values.astype(np.int32), self._family, _weights(frequencies))

    def interval(self) -> tuple[int, int, int]:
        """Number of 32-bit words written, and start and width of the interval in the 64-bit window after them."""
        position: int
        lower: int
        width: int
        position, (lower, width) = self._coder.pos()
        return position, lower, width

    def payload(self) -> bytes:
        """The shortest byte string that decodes to all symbols so far."""
        words: NDArray[np.uint32] = self._coder.get_compressed()
        position, lower, width = self.interval()
        # Any number in the coder's final interval [low, low + width) decodes to all symbols; the library's words are
        # one such number. Numbers here have all bits from the start of the payload to the end of the 64-bit window
        # that begins at word `position`; `lower` is the start of the interval within that window.
        number = int.from_bytes(words.astype(">u4").tobytes(), "big")
        number <<= _STATE_BITS + _WORD_BITS * (position - len(words))
        low = number - ((number - lower) & ((1 << _STATE_BITS) - 1))
        assert low <= number < low + width, (low, number, width)
        for zeros in range(_STATE_BITS, -1, -8):  # as many low bits as can be left out
            head = -(-low >> zeros)
            if head << zeros < low + width:
                break
        size = (_WORD_BITS * position + _STATE_BITS - zeros) // 8
        return head.to_bytes(size, "big").rstrip(b"\0")


class RangeDecoder:
    """Decoder of what a `RangeEncoder` wrote, in the same order."""

    def __init__(self, payload: bytes) -> None:
        padded = payload + bytes(-len(payload) % (_WORD_BITS // 8))
        self._coder = queue.RangeDecoder(np.frombuffer(padded, ">u4").astype(np.uint32))
        self._family = model.Categorical(perfect=False)

    def binary(self, frequency: Frequencies) -> NDArray[np.bool_]:
        """The next n symbols; arguments as of `RangeEncoder.binary`.

        Raises:
            CorruptionError: the payload is not the output of any encoder.
        """
        return self._decode(self._family, _pairs(frequency)).astype(np.bool_)

    def values(self, count: int, frequencies: Frequencies) -> NDArray[np.int32]:
        """The next `count` values; arguments as of `RangeEncoder.values`.

        Raises:
            CorruptionError: the payload is not the output of any encoder.
        """
        if frequencies.ndim == 1:
            return self._decode(_static(frequencies), count)
        return self._decode(self._family, _weights(frequencies))

    def _decode(self, *arguments: object) -> NDArray[np.int32]:
        try:
            return np.asarray(self._coder.decode(*arguments), np.int32)
        except AssertionError as error:  # what the library raises for a number outside the interval
            raise CorruptionError("payload is not a range-coded stream") from error


def _pairs(frequency: Frequencies) -> NDArray[np.float64]:
    ones = frequency.astype(np.float64) * _SCALE
    return np.stack([(1 << 24) - ones - 1, ones - 1], axis=1)


def _static(frequencies: Frequencies) -> object:
    return model.Categorical(_weights(frequencies), perfect=False, lazy=False)


def _weights(frequencies: Frequencies) -> NDArray[np.float64]:
    return frequencies.astype(np.float64) * _SCALE - 1
