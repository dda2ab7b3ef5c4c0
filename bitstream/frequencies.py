"""Integer logits to integer frequencies that sum to 65536 (FORMAT.md, section 6.3)."""

from math import isqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .tables import PROBABILITY_ONE

LOGITS_PER_OCTAVE: Final = 16
_POWERS: Final = np.array(
    [isqrt(isqrt(isqrt(isqrt(1 << (256 - step))))) for step in range(256)],
    np.uint32,
)  # 2^(16 - step / 16), rounded down: the 16th root of 2^(256 - step)


def frequencies(logits: NDArray[np.floating | np.integer]) -> NDArray[np.uint32]:
    """Return frequencies (n, m), each at least 1, rows summing to 65536, of `logits` (n, m) in 1/16 octave.

    logits: whole numbers within +-2^23; m: 2..32768. Only differences between the logits of a row matter; from 256 on
        below the row's largest they count as 255.
    """
    largest = logits.argmax(axis=1)
    below = np.take_along_axis(logits, largest[:, None], axis=1) - logits
    powers = _POWERS.take(below.astype(np.intp), mode="clip")
    total = powers.sum(axis=1, dtype=np.uint32)
    powers *= np.uint32(PROBABILITY_ONE - logits.shape[1])
    powers //= total[:, None]
    powers += np.uint32(1)
    powers[np.arange(len(powers)), largest] += PROBABILITY_ONE - powers.sum(axis=1, dtype=np.uint32)
    return powers


_LIMIT: Final = len(_POWERS) - 1
_RANGE: Final = np.arange(-_LIMIT, _LIMIT + 1)
_ODDS: Final = frequencies(np.stack([np.zeros_like(_RANGE), _RANGE], axis=1))[:, 1]


def odds(logits: NDArray[np.floating | np.integer]) -> NDArray[np.uint32]:
    """Return the frequencies of 1 of flags with `logits` (n,) against 0, in 1/16 octave."""
    return _ODDS.take(logits.astype(np.intp) + _LIMIT, mode="clip")
