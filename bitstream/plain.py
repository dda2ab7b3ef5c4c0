"""Plain coding: every index in ceil(log2 K) bits, nothing between them (FORMAT.md, section 5.1)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .errors import CorruptionError
from .layout import Layout, grid

_WIDEST = 16  # bits of the largest index, K = 65536


def encode_plain(planes: Sequence[NDArray[np.int32]], layout: Layout) -> bytes:
    """Return the plain payload of a pass whose levels are `layout`; planes are (rows, cols)."""
    bits = [
        np.unpackbits(plane.reshape(-1, 1).astype(">u2").view(np.uint8), axis=1)[
            :, _WIDEST - level.index_bits :
        ].reshape(-1)
        for plane, level in zip(planes, layout, strict=True)
    ]
    return np.packbits(np.concatenate(bits)).tobytes()


def decode_plain(payload: bytes, layout: Layout, width: int, height: int) -> list[NDArray[np.int32]]:
    """Return the index planes, (rows, cols) int32, of a pass whose levels are `layout`.

    Raises:
        CorruptionError: the payload's length or padding is wrong, or an index is K or more.
    """
    grids = [grid(level, width, height) for level in layout]
    total = sum(r * c * lv.index_bits for (r, c), lv in zip(grids, layout, strict=True))
    if len(payload) != -(-total // 8):
        raise CorruptionError(f"plain payload has {len(payload)} bytes, its indices need {-(-total // 8)}")
    bits = np.unpackbits(np.frombuffer(payload, np.uint8))
    if bits[total:].any():
        raise CorruptionError(f"padding behind bit {total} of a plain payload is not zero")
    planes, position = [], 0
    for (rows, cols), level in zip(grids, layout, strict=True):
        end = position + rows * cols * level.index_bits
        field = np.zeros((rows * cols, _WIDEST), np.uint8)
        field[:, _WIDEST - level.index_bits :] = bits[position:end].reshape(rows * cols, -1)
        plane = np.packbits(field, axis=1).view(">u2").astype(np.int32).reshape(rows, cols)
        if plane.max() >= level.outputs:
            raise CorruptionError(f"index {plane.max()} must be below {level.outputs} outputs")
        planes.append(plane)
        position = end
    return planes
