"""How far a decoded picture is from its original."""

from __future__ import annotations

import math

import numpy as np

PEAK = 255
"""The largest 8-bit level."""
PSNR_OF_A_COPY = 100.0
"""What an exact copy counts as, in dB, in means and searches, which cannot work with infinity."""


def psnr(original: np.ndarray, decoded: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, one mean squared error over all 8-bit samples of two arrays of equal shape.

    An exact copy gives `math.inf`; where that is of no use, take `finite_psnr`.
    """
    return psnr_of_error(float(np.mean((np.asarray(decoded, np.float64) - original) ** 2)), PEAK)


def psnr_of_error(error: float, peak: float) -> float:
    """PSNR in dB of a mean squared error over samples with a range of `peak`."""
    return 10 * math.log10(peak**2 / error) if error else math.inf


def finite_psnr(original: np.ndarray, decoded: np.ndarray) -> float:
    """`psnr`, but at most PSNR_OF_A_COPY."""
    return min(psnr(original, decoded), PSNR_OF_A_COPY)
