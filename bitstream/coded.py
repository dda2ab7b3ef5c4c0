"""Coded passes: the symbols of a walk, written into or read from a range-coded payload (FORMAT.md, section 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .layout import Planes
from .rangecoder import Frequencies, RangeDecoder, RangeEncoder
from .walks import Cells, Walk


def encode_coded(planes: Sequence[NDArray[np.int32]], walk: Walk) -> bytes:
    """The coded payload of a pass of the next levels of `walk`, whose index planes (rows, cols) are `planes`."""
    coder = RangeEncoder()
    for plane in planes:
        walk.plane(_Written(plane.ravel(), coder))
    return coder.payload()


def decode_coded(payload: bytes, levels: int, walk: Walk) -> Planes:
    """The index planes of the next `levels` levels of `walk`, (rows, cols) int32; the inverse of `encode_coded`.

    Raises:
        CorruptionError: the payload is not the output of any encoder.
    """
    symbols = _Read(RangeDecoder(payload))
    return [walk.plane(symbols) for _ in range(levels)]


class _Written:
    """Symbols of a known plane, written into a payload as the walk asks for them."""

    def __init__(self, plane: NDArray[np.int32], coder: RangeEncoder) -> None:
        self._plane, self._coder = plane, coder

    def nonzero(self, cells: Cells, frequency: Frequencies) -> NDArray[np.bool_]:
        nonzero = self._plane[cells] != 0
        self._coder.binary(nonzero, frequency)
        return nonzero

    def values(self, cells: Cells, frequencies: Frequencies) -> NDArray[np.int32]:
        values = self._plane[cells] - 1
        self._coder.values(values, frequencies)
        return values


class _Read:
    """Symbols read from a payload as the walk asks for them."""

    def __init__(self, coder: RangeDecoder) -> None:
        self._coder = coder

    def nonzero(self, cells: Cells, frequency: Frequencies) -> NDArray[np.bool_]:
        return self._coder.binary(frequency)

    def values(self, cells: Cells, frequencies: Frequencies) -> NDArray[np.int32]:
        return self._coder.values(len(cells), frequencies)
