"""What a conditional model is given of a picture, from the hands of a caller to the network (see `model.given`)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from ddncodec.errors import ArgumentError
from ddncodec.images.pixels import Picture, to_pixels
from ddncodec.model import NetworkConfig
from ddncodec.model.condition import edges_of, gray_of

Given: TypeAlias = "int | Picture"
"""A class, or a picture: the gray one, or the edges, bright on dark; of colours, their gray is taken."""


def to_given(config: NetworkConfig, given: Given) -> Tensor:
    """What a network takes: a class (1,) int64 or a plane (1, 1, H, W) float32 in [-1, 1].

    Raises ArgumentError where the network takes nothing or something else, ImageError where a picture is no picture.
    """
    if config.given == "none":
        raise ArgumentError("`given` is for conditional models, and this model takes nothing but indices")
    if config.given == "class":
        if not isinstance(given, int) or not 0 <= given < config.classes:
            raise ArgumentError(f"`given` (={given!r}) must be a class of 0..{config.classes - 1}")
        return torch.tensor([given])
    if isinstance(given, int):
        raise ArgumentError(f"`given` (={given}) must be a picture, {config.given}")
    samples = torch.from_numpy(np.array(to_pixels(given).rgb)).permute(2, 0, 1)[None]
    return gray_of(samples.float() / 127.5 - 1)[:, None].clamp(-1, 1)


def plane_of(kind: str, pictures: Tensor) -> Tensor:
    """The gray planes or edges of pictures, (B, 3, H, W) -> (B, 1, H, W), both in [-1, 1]."""
    return gray_of(pictures)[:, None] if kind == "gray" else 2 * edges_of(pictures / 2 + 0.5)[:, None] - 1
