"""Picture files, and EXIF data, byte by byte, where Pillow would not write them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

Field: TypeAlias = "tuple[int, int, int, bytes]"
"""A tag, its type, a count, and the value."""
SHORT, LONG, RATIONAL, ASCII, UNDEFINED = 3, 4, 5, 2, 7


def short(tag: int, value: int, order: str = "<") -> Field:
    return tag, SHORT, 1, struct.pack(order + "H", value)


def long(tag: int, value: int, order: str = "<") -> Field:
    return tag, LONG, 1, struct.pack(order + "I", value)


def text(tag: int, value: str) -> Field:
    data = value.encode() + b"\0"
    return tag, ASCII, len(data), data


def directory(fields: Sequence[Field], start: int, order: str = "<", following: int = 0) -> bytes:
    """A directory at a byte, the values that do not fit in it after it."""
    entries, values = struct.pack(order + "H", len(fields)), b""
    after = start + 2 + 12 * len(fields) + 4
    for tag, kind, count, value in fields:
        if len(value) > 4:
            entries += struct.pack(order + "HHII", tag, kind, count, after + len(values))
            values += value + bytes(len(value) % 2)
        else:
            entries += struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")
    return entries + struct.pack(order + "I", following) + values


def exif_bytes(
    first: Sequence[Field],
    below: Mapping[int, Sequence[Field]] | None = None,
    order: str = "<",
    thumbnail: bool = False,
) -> bytes:
    """EXIF data without prefix: a directory, those that its tags `below` point to, and one of a thumbnail."""
    below = below or {}
    pointers = [long(tag, 0, order) for tag in below]
    place = 8 + len(directory([*first, *pointers], 8, order))
    parts, pointers = b"", []
    for tag, fields in below.items():
        pointers.append(long(tag, place + len(parts), order))
        parts += directory(fields, place + len(parts), order)
    following = place + len(parts) if thumbnail else 0
    if thumbnail:
        parts += directory([short(259, 6, order)], following, order)
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8)
    return head + directory([*first, *pointers], 8, order, following) + parts


def tiff_bytes(samples: np.ndarray, fields: Sequence[Field] = (), white_is_zero: bool = False) -> bytes:
    """A gray TIFF file (H, W) of whatever type the samples have, and further fields."""
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    raw = np.ascontiguousarray(samples).astype(samples.dtype.newbyteorder("<")).tobytes()
    height, width = samples.shape
    own = [
        long(256, width), long(257, height), short(258, 8 * samples.dtype.itemsize), short(259, 1),
        short(262, 0 if white_is_zero else 1), long(273, 8), short(277, 1), long(278, height), long(279, len(raw)),
        short(339, kind),
    ]  # fmt: skip
    tags = {field[0] for field in fields}
    every = sorted([*(field for field in own if field[0] not in tags), *fields])
    raw += bytes(len(raw) % 2)
    return b"II*\0" + struct.pack("<I", 8 + len(raw)) + raw + directory(every, 8 + len(raw))


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_bytes(samples: np.ndarray, color_type: int, bits: int = 8, chunks: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """A PNG file of samples (H, W) or (H, W, C) of at most 16 bits, with chunks before the pixels."""
    rows = samples.reshape(samples.shape[0], -1)
    if bits == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    else:
        planes = ((rows[:, :, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8).reshape(len(rows), -1)
        packed = [np.packbits(row).tobytes() for row in planes]
    head = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], bits, color_type, 0, 0, 0)
    parts = [png_chunk(b"IHDR", head), *(png_chunk(*chunk) for chunk in chunks)]
    parts.append(png_chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in packed))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + png_chunk(b"IEND", b"")
