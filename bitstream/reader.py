"""Bytes and varints, read at a position with typed errors; varints are written here too (FORMAT.md, section 2)."""

from __future__ import annotations

from typing import TypeAlias

from .errors import CorruptionError, InsufficientDataError

BytesLike: TypeAlias = bytes | bytearray | memoryview
"""What readers accept as a stream."""

MAX_VARINT_BYTES = 5
"""Longest encoding of a varint."""
MAX_VARINT = (1 << 32) - 1
"""Largest value of a varint."""


def write_varint(value: int) -> bytes:
    """`value` (0..2^32-1) as canonical LEB128, least significant 7 bits first.

    >>> write_varint(300).hex(' ')
    'ac 02'
    """
    assert 0 <= value <= MAX_VARINT, value
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Reader:
    """A position in a byte string; errors of every method name the field that was read."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self.data) - self.position

    def take(self, count: int, field: str) -> bytes:
        """The next `count` bytes.

        Raises:
            InsufficientDataError: fewer are left.
        """
        if count > self.left:
            raise InsufficientDataError(f"{field} at byte {self.position} needs {count} bytes, {self.left} are left")
        start = self.position
        self.position += count
        return self.data[start : self.position]

    def byte(self, field: str) -> int:
        """The next byte, 0..255.

        Raises:
            InsufficientDataError: none is left.
        """
        return self.take(1, field)[0]

    def varint(self, field: str) -> int:
        """The next varint, 0..2^32-1.

        Raises:
            InsufficientDataError: the data ends inside it.
            CorruptionError: it is overlong or exceeds 32 bits.
        """
        start, value = self.position, 0
        for shift in range(0, 7 * MAX_VARINT_BYTES, 7):
            byte = self.byte(field)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and shift:
                    raise CorruptionError(f"{field} at byte {start}: overlong varint")
                if value > MAX_VARINT:
                    break
                return value
        raise CorruptionError(f"{field} at byte {start}: varint exceeds {MAX_VARINT}")
