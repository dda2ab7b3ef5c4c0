"""What `ddnc guide` knows to ask for: each condition is a scorer of pixels, made from a picture (see `guidance`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ddncodec.errors import ArgumentError
from ddncodec.generation.guidance import Scorer
from ddncodec.model.condition import edges_of, gray_of

MAX_FACTOR = 16


@dataclasses.dataclass(frozen=True)
class GuidanceTask:
    """A scorer, and the size in pixels of the pictures that it judges."""

    scorer: Scorer
    height: int
    width: int

    def error(self, pixels: np.ndarray) -> float:
        """Root mean square by which a picture (H, W, 3) uint8 misses the condition, in samples of 0..1."""
        return float(self.scorer(_samples(Image.fromarray(pixels))).mean().sqrt())


def super_resolution(picture: Image.Image, factor: int) -> GuidanceTask:
    """`factor` times as large, and as given when reduced to area averages."""
    if not 2 <= factor <= MAX_FACTOR:
        raise ArgumentError(f"`factor` (={factor}) must be 2..{MAX_FACTOR}")
    wanted = _samples(picture.convert("RGB"))

    def score(candidates: Tensor) -> Tensor:
        error = (F.avg_pool2d(candidates, factor) - wanted.to(candidates)).square().mean(dim=1)
        return error.repeat_interleave(factor, dim=1).repeat_interleave(factor, dim=2)

    return GuidanceTask(score, factor * picture.height, factor * picture.width)


def colorize(picture: Image.Image, factor: int) -> GuidanceTask:
    """In colour, and as given when turned to gray."""
    wanted = _samples(picture.convert("L"))[:, 0]
    return GuidanceTask(lambda candidates: (gray_of(candidates) - wanted.to(candidates)).square(), *picture.size[::-1])


def inpaint(picture: Image.Image, factor: int) -> GuidanceTask:
    """As given where the picture is opaque. Raises ArgumentError unless some of it is transparent and some is not."""
    if not picture.has_transparency_data:
        raise ArgumentError("the picture to inpaint has no transparency; what is missing must be transparent")
    rgba = picture.convert("RGBA")
    wanted, known = _samples(rgba.convert("RGB")), _samples(rgba.getchannel("A"))[:, 0]
    if not 0 < float(known.mean()) < 1:
        raise ArgumentError("the picture to inpaint must be transparent in part, it is so in whole or not at all")
    return GuidanceTask(
        lambda candidates: known.to(candidates) * (candidates - wanted.to(candidates)).square().mean(dim=1),
        *picture.size[::-1],
    )


def edges(picture: Image.Image, factor: int) -> GuidanceTask:
    """With edges (Sobel, bright on dark) as given."""
    wanted = _samples(picture.convert("L"))[:, 0]
    return GuidanceTask(lambda candidates: (edges_of(candidates) - wanted.to(candidates)).square(), *picture.size[::-1])


TASKS: MappingProxyType[str, Callable[[Image.Image, int], GuidanceTask]] = MappingProxyType(
    {"super-resolution": super_resolution, "colorize": colorize, "inpaint": inpaint, "edges": edges}
)


def _samples(picture: Image.Image) -> Tensor:
    """A picture of mode RGB or L as (1, 3 or 1, H, W) float32 in [0, 1]."""
    array = np.asarray(picture, np.float32) / 255
    return torch.from_numpy(array.reshape(picture.height, picture.width, -1)).permute(2, 0, 1)[None]
