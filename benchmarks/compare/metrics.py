"""Distortion and rate of one decoded picture.

Averages follow the usual Kodak convention: at each setting, the mean over pictures of the
per-picture value (of PSNR in dB, so not the PSNR of the mean error) against the mean over pictures
of bpp. All metrics see the same two 8-bit RGB pictures, after whatever the codec did inside.
"""

import importlib.metadata
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ddncodec import metrics

if TYPE_CHECKING:
    import torch

MS_SSIM_SIDE = 161
"""Shortest side in pixels for which five scales with an 11-pixel window are defined."""
SSIMULACRA2_SIDE = 256
"""Shortest side in pixels at which the package uses all six scales; below, it leaves out one more than the reference
implementation, and values are not comparable."""


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
    return metrics.psnr(np.asarray(reference), np.asarray(decoded))


def ms_ssim(reference: Image.Image, decoded: Image.Image) -> float | None:
    """Multi-scale structural similarity (Wang et al. 2003), the mean over R, G and B; by pytorch-msssim, as CompressAI.

    None without that package, and for pictures of less than MS_SSIM_SIDE pixels a side.
    """
    try:
        import pytorch_msssim  # type: ignore[import-untyped]
        import torch
    except ImportError:
        return None
    if min(reference.size) < MS_SSIM_SIDE:
        return None
    with torch.inference_mode():
        return float(pytorch_msssim.ms_ssim(_tensor(reference), _tensor(decoded), data_range=255))


def ssimulacra2(reference: Image.Image, decoded: Image.Image) -> float | None:
    """SSIMULACRA 2.1 (Sneyers 2023), 90 being visually lossless and 30 low quality; by the package `ssimulacra2`.

    The package pads at the edges in another way than libjxl's reference program; benchmarks/LOG.md has the differences.
    None without that package, and for pictures of less than SSIMULACRA2_SIDE pixels a side.
    """
    try:
        from ssimulacra2 import compute_ssimulacra2  # type: ignore[import-untyped]
    except ImportError:
        return None
    if min(reference.size) < SSIMULACRA2_SIDE:
        return None
    return float(compute_ssimulacra2(_file(reference), _file(decoded)))


def bits_per_pixel(size: int, width: int, height: int) -> float:
    """Rate of a file of `size` bytes, everything in it counted."""
    return 8 * size / (width * height)


def decibels(similarity: float) -> float:
    """A similarity of 0 to 1 as -10 log10(1 - similarity), in dB, as papers draw it; at most 100."""
    return -10 * math.log10(max(1e-10, 1 - similarity))


@dataclass(frozen=True)
class Metric:
    """A column of the rows that measures quality; greater is better."""

    name: str
    """Of the column."""
    title: str
    digits: int
    axis: Callable[[float], float] = float
    """From a value to the scale on which curves are drawn, interpolated and compared."""
    unit: str = ""


METRICS = (
    Metric("psnr", "PSNR", 2, unit=" dB"),
    Metric("ms_ssim", "MS-SSIM", 4, axis=decibels),
    Metric("ssimulacra2", "SSIMULACRA2", 1),
)
PSNR, MS_SSIM, SSIMULACRA2 = METRICS


def metric_versions() -> str:
    """The installed optional packages that measure, with versions; "none" if none is installed."""
    found = []
    for package in ("pytorch-msssim", "ssimulacra2"):
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found) or "none"


def _tensor(picture: Image.Image) -> "torch.Tensor":
    """(1, 3, H, W) float32 in 0 to 255."""
    import torch

    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()


def _file(picture: Image.Image) -> io.BytesIO:
    """The picture as a file in memory, which is what the package opens."""
    file = io.BytesIO()
    picture.save(file, "PPM")
    file.seek(0)
    return file
