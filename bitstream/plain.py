"""Plain coding: every index in ceil(log2 K) bits, nothing between them (FORMAT.md, section 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from bitarray import bitarray
from numpy.typing import NDArray

from .errors import CorruptionError
from .layout import Layout, Planes, grid

_WIDEST = 16
"""Bits of the largest index, at K = 65536."""


def encode_plain(planes: Sequence[NDArray[np.int32]], layout: Layout) -> bytes:
    """The plain payload of a pass whose levels are `layout`; `planes` are (rows, cols)."""
    bits, end = bitarray(endian="big"), 0
    pairs = zip(planes, layout, strict=True)
    for width, group in groupby(pairs, key=lambda pair: pair[1].index_bits):
        indices = np.concatenate([plane.ravel() for plane, _ in group])
        fields = np.unpackbits(indices.astype(">u2").view(np.uint8)).reshape(-1, _WIDEST)
        bits.frombytes(np.packbits(fields[:, _WIDEST - width :]).tobytes())
        end += indices.size * width
        del bits[end:]  # the padding that packbits adds
    return bits.tobytes()


def decode_plain(payload: bytes, layout: Layout, width: int, height: int) -> Planes:
    """The index planes, (rows, cols) int32, of a pass whose levels are `layout`, of a picture of width x height pixels.

    Raises:
        CorruptionError: the payload's length or padding is wrong, or an index is K or more.
    """
    grids = [grid(level, width, height) for level in layout]
    total = sum(r * c * lv.index_bits for (r, c), lv in zip(grids, layout, strict=True))
    if len(payload) != -(-total // 8):
        raise CorruptionError(f"plain payload has {len(payload)} bytes, its indices need {-(-total // 8)}")
    bits = bitarray(endian="big")
    bits.frombytes(payload)
    if bits.find(1, total) >= 0:
        raise CorruptionError(f"padding after bit {total} of a plain payload is not zero")
    planes, start = list[NDArray[np.int32]](), 0
    for index_bits, group in groupby(zip(grids, layout, strict=True), key=lambda pair: pair[1].index_bits):
        members = [(rows, cols, level) for (rows, cols), level in group]
        end = start + index_bits * sum(rows * cols for rows, cols, _ in members)
        indices, first = _indices(bits[start:end], index_bits), 0
        for rows, cols, level in members:
            plane = indices[first : first + rows * cols].reshape(rows, cols)
            if plane.max() >= level.outputs:
                raise CorruptionError(f"index {plane.max()} must be below {level.outputs} outputs")
            planes.append(plane)
            first += rows * cols
        start = end
    return planes


def _indices(bits: bitarray, width: int) -> NDArray[np.int32]:
    """The indices (n,) in `bits`, of `width` bits each."""
    unpacked = np.unpackbits(np.frombuffer(bits.tobytes(), np.uint8), count=len(bits)).reshape(-1, width)
    fields = np.zeros((len(unpacked), _WIDEST), np.uint8)
    fields[:, _WIDEST - width :] = unpacked
    return np.packbits(fields).view(">u2").astype(np.int32)
