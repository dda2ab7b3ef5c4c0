"""How much work the encoder does for better indices. A decoder need not know."""

from __future__ import annotations

import dataclasses
from numbers import Integral

from ddncodec.errors import ArgumentError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Effort:
    """What `encoder.encode` does for each cell.

    `tries` is how many candidates of a cell are looked at at levels that emit at full size, at half of it, and at a
    quarter or less; 1 means greedy: the best index without look-ahead. Each other candidate is followed for `depth`
    further levels, greedily, before it is judged. Candidates of all cells are tried at once, or, with `groups` = 2,
    those of one half of a checkerboard after those of the other, which disturbs each estimate less. `beam` is the width
    of the beam search that pictures of one cell get instead. `caution` is the margin in bits by which a candidate must
    beat the greedy one: all cells are tried at once, so each estimate is noisy.
    """

    tries: tuple[int, int, int]
    depth: int
    groups: int
    beam: int
    caution: float = 4.0

    def tries_at(self, scale: int) -> int:
        """How many indices are tried at levels that emit at 1/scale of full size, scale a power of 2."""
        return self.tries[min(scale.bit_length(), len(self.tries)) - 1]


EFFORTS = (
    Effort(tries=(1, 1, 1), depth=0, groups=1, beam=1),
    Effort(tries=(1, 2, 4), depth=1, groups=1, beam=2),
    Effort(tries=(2, 4, 4), depth=1, groups=1, beam=4),
    Effort(tries=(3, 4, 4), depth=1, groups=1, beam=8),
    Effort(tries=(2, 4, 4), depth=2, groups=1, beam=12),
    Effort(tries=(3, 4, 4), depth=2, groups=1, beam=16),
    Effort(tries=(3, 4, 4), depth=2, groups=2, beam=32),
    Effort(tries=(4, 4, 4), depth=2, groups=2, beam=48),
    Effort(tries=(8, 8, 8), depth=2, groups=2, beam=64),
)
"""Efforts 1, greedy, to 9."""
DEFAULT_EFFORT = 2


def effort_of(number: int) -> Effort:
    """The effort of a number from 1 to 9. Raises ArgumentError."""
    if not (isinstance(number, Integral) and 1 <= number <= len(EFFORTS)):
        raise ArgumentError(f"`effort` (={number!r}) must be an integer 1..{len(EFFORTS)}")
    return EFFORTS[int(number) - 1]
