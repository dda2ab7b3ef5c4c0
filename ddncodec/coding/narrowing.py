"""How far around a part of a picture each level must be computed for that part to come out as in the whole.

A trunk block sees one position of its stage further. So what has to be computed around a part shrinks from level to
level, and at the finest stage, where nearly all the work is, it is a tenth of what the first level needs.
"""

from __future__ import annotations

import dataclasses
import math

from torch import Tensor

from ddncodec.coding.post_filter import REACH
from ddncodec.model import NetworkConfig, State
from ddncodec.model.config import PATCH

RENDERING = 4
"""Positions of the last picture that a rendered pixel depends on, to either side: bicubic enlarging, and detail."""
WORTH = 0.9
"""A state is cut where that leaves at most this share of its area: cutting copies it."""


@dataclasses.dataclass(frozen=True)
class Window:
    """Rows and columns of pixels, of a picture that the network computes in part."""

    rows: slice
    cols: slice

    @property
    def area(self) -> int:
        return (self.rows.stop - self.rows.start) * (self.cols.stop - self.cols.start)

    def grown(self, reach: int, unit: int, within: Window) -> Window:
        """With `reach` pixels more on all sides, then to multiples of `unit`, but not beyond another window."""
        return Window(_grown(self.rows, reach, unit, within.rows), _grown(self.cols, reach, unit, within.cols))

    def clipped(self, height: int, width: int) -> Window:
        """Without what is beyond a picture of this size."""
        rows, cols = (slice(each.start, min(each.stop, n)) for each, n in ((self.rows, height), (self.cols, width)))
        return Window(rows, cols)

    def of(self, values: Tensor, scale: int, origin: Window) -> Tensor:
        """The part of values (B, C, h, w) or (B, h, w), each of `scale` pixels square, that begin at `origin`."""
        rows = slice((self.rows.start - origin.rows.start) // scale, (self.rows.stop - origin.rows.start) // scale)
        cols = slice((self.cols.start - origin.cols.start) // scale, (self.cols.stop - origin.cols.start) // scale)
        return values[..., rows, cols]


def reaches(config: NetworkConfig, levels: int) -> list[int]:
    """For each of the first `levels` levels, how many pixels around a part the state before it must cover.

    A post-filter is allowed for.
    """
    strides = [stage.stride for stage in config.stages for _ in stage.levels][:levels]
    blocks = [level.block for level in config.levels][:levels]
    reach, out = REACH + RENDERING * strides[-1] // PATCH, []
    for level in reversed(range(levels)):
        reach += strides[level] * blocks[level]
        if level and strides[level - 1] != strides[level]:
            reach += strides[level - 1]  # enlarging is bilinear
        out.append(reach)
    return out[::-1]


def stride_before(config: NetworkConfig, level: int) -> int:
    """The stride of the state that `level` finds."""
    strides = [stage.stride for stage in config.stages for _ in stage.levels]
    return strides[max(0, level - 1)]


def unit_of(config: NetworkConfig, level: int) -> int:
    """What the edges of a window must be multiples of, for the state before `level` and its cells to be cut there."""
    return math.lcm(config.levels[level].cell, stride_before(config, level))


def narrowed(state: State, window: Window, origin: Window, stride: int) -> State:
    """The part of a state, which begins at `origin`, that covers `window`."""
    hidden, image = (_contiguous(window.of(values, stride, origin)) for values in (state.hidden, state.image))
    return dataclasses.replace(state, hidden=hidden, image=image)


def _contiguous(values: Tensor) -> Tensor:
    return values.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)


def _grown(part: slice, reach: int, unit: int, within: slice) -> slice:
    start, stop = (part.start - reach) // unit * unit, -(-(part.stop + reach) // unit) * unit
    return slice(max(start, within.start), min(stop, within.stop))
