"""What a conditional model is given of a picture, from the hands of a caller to the network (see `model.condition`)."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor

from ddncodec.errors import ArgumentError
from ddncodec.images.pixels import Picture, pixels_of
from ddncodec.model import NetworkConfig
from ddncodec.model.condition import edges_of, gray_of
from ddncodec.samples import to_samples

Condition: TypeAlias = int | Picture
"""A class, or a picture: the gray one, or the edges, bright on dark; of colours, their gray is taken."""


def to_condition(config: NetworkConfig, condition: Condition) -> Tensor:
    """What a network takes: a class (1,) int64 or a plane (1, 1, H, W) float32 in [-1, 1].

    Raises ArgumentError where the network takes nothing or something else, ImageError where a picture is no picture.
    """
    if config.condition == "none":
        raise ArgumentError("`condition` is for conditional models, and this model takes nothing but indices")
    if config.condition == "class":
        if not isinstance(condition, int) or not 0 <= condition < config.classes:
            raise ArgumentError(f"`condition` (={condition!r}) must be a class of 0..{config.classes - 1}")
        return torch.tensor([condition])
    if isinstance(condition, int):
        raise ArgumentError(f"`condition` (={condition}) must be a picture, {config.condition}")
    return gray_of(to_samples(pixels_of(condition).rgb[None]))[:, None].clamp(-1, 1)


def plane_of(kind: str, pictures: Tensor) -> Tensor:
    """The gray planes or edges of pictures, (B, 3, H, W) -> (B, 1, H, W), both in [-1, 1]."""
    return gray_of(pictures)[:, None] if kind == "gray" else 2 * edges_of(pictures / 2 + 0.5)[:, None] - 1
