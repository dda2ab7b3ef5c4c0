"""What a network may know of a picture in addition to its indices: its class, its gray picture or its edges.

Conditional training of Yang 2025, P(X|Y): encoder and decoder both know the condition Y. It enters once, as an addition
to the trunk before the first level. Where Y is the gray picture, the decoded picture also starts from it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddncodec.errors import ArgumentError
from ddncodec.model.config import NetworkConfig

LUMA = (0.299, 0.587, 0.114)
CLASS_DEVIATION = 0.1
"""Standard deviation of the class embeddings before training."""


class ClassCondition(nn.Module):
    """An embedding of each class, added to the trunk: one vector, or one per position of a cell with `principal`."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        first = config.stages[0]
        side = first.levels[0].cell // first.stride if first.principal else 1
        self.classes = nn.Parameter(torch.zeros(config.classes, first.channels, side, side))

    def forward(self, condition: Tensor, rows: int, cols: int) -> Tensor:
        """Classes (B,) int64 -> (B, C, rows, cols). Raises ArgumentError for another type, or no such class."""
        count, _, height, width = self.classes.shape
        classes_fit = condition.dtype == torch.int64 and condition.dim() == 1
        if not classes_fit or not 0 <= int(condition.min()) <= int(condition.max()) < count:
            raise ArgumentError(f"`condition` must be classes of 0..{count - 1}")
        return self.classes[condition].tile(1, 1, rows // height, cols // width)


class PlaneCondition(nn.Module):
    """A convolution over the samples under every trunk position."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.stride = config.stages[0].stride
        self.enter = nn.Conv2d(self.stride**2, config.stages[0].channels, 3, padding=1)

    def forward(self, condition: Tensor, rows: int, cols: int) -> Tensor:
        """Plane (B, 1, H, W) float32 in [-1, 1] -> (B, C, rows, cols). Raises ArgumentError for another shape."""
        wanted = (1, rows * self.stride, cols * self.stride)
        if condition.shape[1:] != wanted:
            raise ArgumentError(f"`condition` is of shape {tuple(condition.shape[1:])}, must be {wanted}")
        return self.enter(F.pixel_unshuffle(condition, self.stride))


def build_condition(config: NetworkConfig) -> ClassCondition | PlaneCondition | None:
    """The module that adds the condition named by `config.condition` to the trunk; None where there is none."""
    if config.condition == "none":
        return None
    return ClassCondition(config) if config.condition == "class" else PlaneCondition(config)


def gray_of(pictures: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, H, W), with the weights of Pillow's mode L."""
    return (pictures * pictures.new_tensor(LUMA)[:, None, None]).sum(dim=1)


def edges_of(pictures: Tensor) -> Tensor:
    """Strength of the edges of the gray picture, (B, 3, H, W) in [0, 1] -> (B, H, W) in [0, 1]: Sobel, at most 1."""
    gray = F.pad(gray_of(pictures)[:, None], (1, 1, 1, 1), mode="replicate")
    slope = gray.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4
    across, along = F.conv2d(gray, torch.stack([slope, slope.T])[:, None]).unbind(dim=1)
    return torch.hypot(across, along).clamp(max=1)
