"""Pictures as the network sees them, samples in [-1, 1], and as files hold them, 8-bit levels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

SAMPLE_SCALE = 127.5
"""8-bit levels per unit of a network sample: a squared error in samples times its square is in squared levels."""


def to_samples(pixels: np.ndarray, device: torch.device | None = None) -> Tensor:
    """(B, H, W, C) uint8 -> (B, C, H, W) float32 in [-1, 1] on the device, channels last in memory."""
    levels = torch.from_numpy(np.array(pixels, order="C")).to(device)
    return levels.permute(0, 3, 1, 2).float().div_(SAMPLE_SCALE).sub_(1)


def to_pixels(samples: Tensor) -> np.ndarray:
    """(B, C, H, W) float32 nominally in [-1, 1] -> (B, H, W, C) uint8, rounded and clipped, on the CPU."""
    levels = (samples + 1).mul_(SAMPLE_SCALE).round_().clamp_(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
