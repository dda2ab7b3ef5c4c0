"""Weights of the post-filter: small integers, most of them zero, in signed Exp-Golomb code (FORMAT.md, section 6.4)."""

from __future__ import annotations

import numpy as np
from bitarray import bitarray
from bitarray.util import ba2int, int2ba
from numpy.typing import NDArray

from .errors import CorruptionError, InvalidArgumentError

ATOMS = 28
"""Weights of each component."""
MAX_FILTER_WEIGHT = (1 << 15) - 1
"""Largest magnitude of a weight."""
_LONGEST = 2 * (2 * MAX_FILTER_WEIGHT).bit_length() + 1
"""Bits of the longest code."""


def filter_weight_bits(weights: NDArray[np.integer]) -> NDArray[np.integer]:
    """How many bits each weight takes: 1 for 0, 3 for 1 and -1, 5 for 2, -2, 3 and -3, ...

    >>> filter_weight_bits(np.array([0, -1, 3, 40])).tolist()
    [1, 3, 5, 13]
    """
    magnitudes = np.abs(weights)
    return np.where(magnitudes == 0, 1, 2 * np.frexp(magnitudes)[1] + 1)


def write_filter_weights(weights: NDArray[np.integer]) -> bytes:
    """The payload of a POST_FILTER chunk.

    weights: (components, 28) integers within +-32767; 1 component if gray, else 3.

    Raises:
        InvalidArgumentError: another shape, or a weight out of range.
    """
    if weights.ndim != 2 or weights.shape[0] not in (1, 3) or weights.shape[1] != ATOMS:
        raise InvalidArgumentError(f"`weights` has shape {weights.shape}, must be (1 or 3, {ATOMS})")
    if np.abs(weights).max() > MAX_FILTER_WEIGHT:
        raise InvalidArgumentError(f"`weights` must be within +-{MAX_FILTER_WEIGHT}")
    values = weights.ravel().tolist()
    bits = bitarray(endian="big")
    bits.encode({value: _code(value) for value in set(values)}, values)
    return bits.tobytes()


def read_filter_weights(payload: bytes, components: int) -> NDArray[np.int32]:
    """The weights, (components, 28) int32, in the payload of a POST_FILTER chunk.

    Raises:
        CorruptionError: the payload ends too early or too late, or a weight is out of range.
    """
    count = components * ATOMS
    if 8 * len(payload) > count * _LONGEST + 7:
        raise CorruptionError(f"post-filter has {len(payload)} bytes, more than {count} weights can take")
    bits = bitarray(endian="big")
    bits.frombytes(payload)
    weights, start = np.zeros(count, np.int32), 0
    for position in range(count):
        one = bits.find(1, start)
        end = 2 * one - start + 1
        if one < 0 or end > len(bits):
            raise CorruptionError(f"post-filter ends within weight {position} of {count}")
        if one > start:  # else the code is a single 1, and the weight is 0
            weights[position] = _weight(ba2int(bits[one:end]), position)
        start = end
    if len(bits) - start > 7 or bits.find(1, start) >= 0:
        raise CorruptionError(f"post-filter has {len(bits) - start} bits after its weights")
    return weights.reshape(components, ATOMS)


def _code(weight: int) -> bitarray:
    """The signed Exp-Golomb code of a weight, se(v) of ITU-T H.264: number 1, 2, 3, 4, 5 ... of 0, 1, -1, 2, -2, ..."""
    number = 2 * weight if weight > 0 else 1 - 2 * weight
    return int2ba(number, 2 * number.bit_length() - 1, "big")


def _weight(number: int, position: int) -> int:
    """The weight whose code has this number; `position` is for the error."""
    magnitude, negative = divmod(number, 2)
    if magnitude > MAX_FILTER_WEIGHT:
        raise CorruptionError(f"weight {position} of the post-filter is beyond +-{MAX_FILTER_WEIGHT}")
    return -magnitude if negative else magnitude
