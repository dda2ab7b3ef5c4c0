"""How hard the encoder tries. The decoder does not know."""

from __future__ import annotations

import dataclasses

from ddncodec.errors import ArgumentError


@dataclasses.dataclass(frozen=True)
class Effort:
    """What `encoder.encode` may spend.

    `tries` is how many of the best indices of a cell are tried at levels that emit at full size, at half of it, and at
    a quarter or less; 1 takes the best one unseen. A try goes on greedily for `depth` levels before it is judged; it is
    made in all cells at once, or in `groups` = 2 checkerboard halves one after the other, which disturbs less.
    `beam` is how many ways are followed at once instead, in pictures of one cell.
    """

    tries: tuple[int, int, int]
    depth: int
    groups: int
    beam: int

    def tries_at(self, scale: int) -> int:
        """How many indices are tried at levels that emit at 1/scale of full size, scale a power of 2."""
        return self.tries[min(scale.bit_length(), len(self.tries)) - 1]


EFFORTS = (
    Effort((1, 1, 1), 0, 1, 1),
    Effort((1, 2, 4), 1, 1, 2),
    Effort((2, 4, 4), 1, 1, 4),
    Effort((3, 4, 4), 1, 1, 8),
    Effort((2, 4, 4), 2, 1, 12),
    Effort((3, 4, 4), 2, 1, 16),
    Effort((3, 4, 4), 2, 2, 32),
    Effort((4, 4, 4), 2, 2, 48),
    Effort((8, 8, 8), 2, 2, 64),
)
"""From 1, greedy, to 9."""
DEFAULT_EFFORT = 2


def effort_of(number: int) -> Effort:
    """The effort of a number from 1 to 9. Raises ArgumentError."""
    if not 1 <= number <= len(EFFORTS):
        raise ArgumentError(f"`effort` (={number}) must be 1..{len(EFFORTS)}")
    return EFFORTS[number - 1]
