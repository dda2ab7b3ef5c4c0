"""Integer logits to integer frequencies that sum to 65536 (FORMAT.md, section 6.3)."""

from math import isqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .tables import PROBABILITY_ONE

STEPS: Final = 16  # logits per octave
_POWERS: Final = np.array(
    [isqrt(isqrt(isqrt(isqrt(1 << (STEPS * STEPS - step))))) for step in range(STEPS * STEPS)],
    np.uint32,
)  # 2^(16 - step / 16), rounded down: the 16th root of 2^(256 - step)


def frequencies(logits: NDArray[np.int32]) -> NDArray[np.uint32]:
    """Return frequencies (n, m), each at least 1, rows summing to 65536, of `logits` (n, m) in 1/16 octave.

    m: 2..32768. Only differences between the logits of a row matter; from 256 on below the row's largest they count as
    255.
    """
    below = logits.max(axis=1, keepdims=True) - logits
    powers = _POWERS[np.minimum(below, len(_POWERS) - 1)]
    room = np.uint32(PROBABILITY_ONE - logits.shape[1])
    total = powers.sum(axis=1, keepdims=True, dtype=np.uint32)
    shares: NDArray[np.uint32] = powers * room // total + np.uint32(1)
    rest = np.uint32(PROBABILITY_ONE) - shares.sum(axis=1, dtype=np.uint32)
    shares[np.arange(len(shares)), below.argmin(axis=1)] += rest
    return shares
