"""Nearest neighbours by the indices they share: a picture of one cell is a path in a tree (Yang 2025)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bitstream import Planes
from ddncodec.errors import ArgumentError

MAX_PAIRS = 1 << 22
"""Paths are compared in blocks of at most this many pairs."""


def paths_of(planes: Sequence[Planes]) -> np.ndarray:
    """Index planes of n pictures of one cell as paths, (n, L) int32. Raises ArgumentError where one has more cells."""
    for each in planes:
        for level, plane in enumerate(each, start=1):
            if plane.shape != (1, 1):
                raise ArgumentError(f"level {level} has {plane.shape[0]} x {plane.shape[1]} cells, a path needs one")
    return np.array([[plane[0, 0] for plane in each] for each in planes], np.int32)


def shared_prefix(queries: np.ndarray, stored: np.ndarray) -> np.ndarray:
    """How many levels two paths go together, for paths (q, L) and (n, L): (q, n) uint16."""
    rows = max(1, MAX_PAIRS // max(1, stored.shape[0]))
    blocks = [_shared(queries[start : start + rows], stored) for start in range(0, len(queries), rows)]
    return np.concatenate(blocks) if blocks else np.zeros((0, len(stored)), np.uint16)


def _shared(queries: np.ndarray, stored: np.ndarray) -> np.ndarray:
    together = np.ones((len(queries), len(stored)), bool)
    length = np.zeros(together.shape, np.uint16)
    for level in range(queries.shape[1]):
        together &= queries[:, level, None] == stored[None, :, level]
        length += together
    return length
