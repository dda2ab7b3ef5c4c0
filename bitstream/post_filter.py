"""Weights of the post-filter: small integers, most of them zero (FORMAT.md, section 6.4)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .errors import CorruptionError, InvalidArgumentError

ATOMS: Final = 28
MAX_FILTER_WEIGHT: Final = (1 << 15) - 1
_LONGEST: Final = 2 * (2 * MAX_FILTER_WEIGHT).bit_length() + 1  # bits of a weight


def weight_bits(weights: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return how many bits each weight takes: 1 for 0, 3 for 1 and -1, 5 for 2 and 3, ...

    >>> weight_bits(np.array([0, -1, 3, 40])).tolist()
    [1, 3, 5, 13]
    """
    magnitudes = np.abs(weights)
    return np.where(magnitudes == 0, 1, 2 * np.frexp(magnitudes)[1] + 1)


def write_weights(weights: NDArray[np.integer]) -> bytes:
    """Return the payload of a POST_FILTER chunk.

    weights: (components, 28) integers within +-32767; 1 component if gray, else 3.

    Raises:
        InvalidArgumentError: another shape, or a weight out of range.
    """
    if weights.ndim != 2 or weights.shape[0] not in (1, 3) or weights.shape[1] != ATOMS:
        raise InvalidArgumentError(f"`weights` has shape {weights.shape}, must be (1 or 3, {ATOMS})")
    if np.abs(weights).max() > MAX_FILTER_WEIGHT:
        raise InvalidArgumentError(f"`weights` must be within +-{MAX_FILTER_WEIGHT}")
    bits = "".join(_code(int(weight)) for weight in weights.reshape(-1))
    return np.packbits(np.frombuffer(bits.encode(), np.uint8) - ord("0")).tobytes()


def read_weights(payload: bytes, components: int) -> NDArray[np.int32]:
    """Return the weights, (components, 28) int32, in the payload of a POST_FILTER chunk.

    Raises:
        CorruptionError: the payload ends too early or too late, or a weight is out of range.
    """
    count = components * ATOMS
    if 8 * len(payload) > count * _LONGEST + 7:
        raise CorruptionError(f"post-filter has {len(payload)} bytes, more than {count} weights can take")
    bits = "".join(f"{byte:08b}" for byte in payload)
    weights, position = np.empty(count, np.int32), 0
    for number in range(count):
        digits = bits.find("1", position) - position + 1
        end = position + 2 * digits - 1
        if digits < 1 or end > len(bits):
            raise CorruptionError(f"post-filter ends within weight {number} of {count}")
        code = int(bits[position:end], 2)
        if code > 2 * MAX_FILTER_WEIGHT + 1:
            raise CorruptionError(f"weight {number} of the post-filter is beyond +-{MAX_FILTER_WEIGHT}")
        weights[number] = -(code >> 1) if code & 1 else code >> 1
        position = end
    if len(bits) - position > 7 or "1" in bits[position:]:
        raise CorruptionError(f"post-filter has {len(bits) - position} bits behind its weights")
    return weights.reshape(components, ATOMS)


def _code(weight: int) -> str:
    """Return the Exp-Golomb code of a weight: 0, 1, -1, 2, -2, ... are numbered from 1 on."""
    number = 2 * weight if weight > 0 else 1 - 2 * weight
    return f"{number:0{2 * number.bit_length() - 1}b}"
