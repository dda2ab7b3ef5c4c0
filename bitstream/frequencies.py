"""Integer logits to integer frequencies that sum to 65536 (FORMAT.md, section 6.3).

Frequencies are whole numbers in float64, in which their sums and products are exact. Quotients are exact too once they
are rounded down: a quotient that is not whole is at least 2^-32 of itself away from the next whole number, and division
errs by 2^-53 at most.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from .tables import PROBABILITY_ONE

LOGITS_PER_OCTAVE = 16
"""Logits count in 1/16 octave: 16 more is twice as likely."""
_POWERS = np.array([isqrt(isqrt(isqrt(isqrt(1 << (256 - step))))) for step in range(256)], np.float64)
"""2^(16 - step / 16), rounded down: the 16th root of 2^(256 - step)."""


def frequencies(logits: NDArray[np.floating | np.integer]) -> NDArray[np.float64]:
    """Frequencies (n, m), each at least 1, rows summing to 65536, of `logits` (n, m) in 1/16 octave.

    logits: whole numbers within +-2^23; m is 2..32768. Only differences between the logits of a row matter; from 256
        below the row's largest on they count as 255.
    """
    rows, outputs = np.arange(len(logits)), logits.shape[1]
    room, ones = PROBABILITY_ONE - outputs, np.ones(outputs)
    largest = logits.argmax(axis=1)
    below = logits[rows, largest, None] - logits
    shares = (_POWERS * room).take(below.astype(np.int32), mode="clip")
    shares /= (shares @ ones / room)[:, None]
    np.floor(shares, out=shares)
    shares += 1
    shares[rows, largest] += PROBABILITY_ONE - shares @ ones
    return shares


_LIMIT = len(_POWERS) - 1
_RANGE = np.arange(-_LIMIT, _LIMIT + 1)
_NONZERO = frequencies(np.stack([np.zeros_like(_RANGE), _RANGE], axis=1))[:, 1]


def nonzero_frequency(logits: NDArray[np.floating | np.integer]) -> NDArray[np.float64]:
    """Frequency (n,), 1..65535, of index != 0, whose `logits` (n,) are relative to index = 0, in 1/16 octave."""
    return _NONZERO.take(logits.astype(np.intp) + _LIMIT, mode="clip")
