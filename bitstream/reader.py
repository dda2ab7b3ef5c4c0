"""Bytes and varints, read with a position and typed errors; varints are written here too."""

from typing import Final, TypeAlias

from .errors import CorruptionError, InsufficientDataError

BytesLike: TypeAlias = bytes | bytearray | memoryview

MAX_VARINT_BYTES: Final = 5
MAX_VARINT: Final = (1 << 32) - 1


def write_varint(value: int) -> bytes:
    """Return `value` (0..2^32-1) as canonical LEB128, least significant 7 bits first.

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
    """A position in a byte string; every method names the field it reads in its errors."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self.data) - self.position

    def take(self, count: int, field: str) -> bytes:
        """Return the next `count` bytes.

        Raises:
            InsufficientDataError: fewer are left.
        """
        if count > self.left:
            raise InsufficientDataError(f"{field} at byte {self.position} needs {count} bytes, {self.left} are left")
        start = self.position
        self.position += count
        return self.data[start : self.position]

    def byte(self, field: str) -> int:
        """Return the next byte."""
        return self.take(1, field)[0]

    def varint(self, field: str) -> int:
        """Return the next varint, 0..2^32-1 (FORMAT.md, section 2).

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
