"""Distortion and rate of one decoded picture.

Averages follow the usual Kodak convention: at each setting, the mean over pictures of the
per-picture PSNR (in dB, so not the PSNR of the mean error) against the mean over pictures of bpp.
"""

import math

import numpy as np
from PIL import Image


def psnr(reference: Image.Image, decoded: Image.Image) -> float:
    """Peak signal-to-noise ratio in dB, one squared error over all 8-bit RGB samples.

    Identical pictures give `math.inf`.

    Raises:
        ValueError: the pictures differ in size, or one is not RGB.
    """
    for picture in (reference, decoded):
        if picture.mode != "RGB":
            raise ValueError(f"`picture.mode` (={picture.mode}) must be RGB")
    if reference.size != decoded.size:
        raise ValueError(f"`decoded.size` (={decoded.size}) must be {reference.size}")
    error = np.asarray(reference, np.float64) - np.asarray(decoded, np.float64)
    mean_square = float(np.mean(error**2))
    return 10 * math.log10(255**2 / mean_square) if mean_square else math.inf


def bits_per_pixel(size: int, width: int, height: int) -> float:
    """Rate of a file of `size` bytes, everything in it counted."""
    return 8 * size / (width * height)
