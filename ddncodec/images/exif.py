"""EXIF data and the directories of TIFF files, as their bytes say it: nothing is interpreted that is not needed.

EXIF is a TIFF file without pixels (Exif 2.32, section 4.6; TIFF 6.0, section 2): directories of entries of a tag, a
type, a count, and the value or its place. Kept EXIF is changed in place, so that every type and every offset stays.
"""

from __future__ import annotations

import dataclasses
import re
import struct
from collections.abc import Iterator, Mapping
from typing import TypeAlias, Union

ORIENTATION, UPRIGHT = 0x0112, 1
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
PIXEL_WIDTH, PIXEL_HEIGHT = 0xA002, 0xA003
PREFIX = b"Exif\x00\x00"
_RESOLUTION, _RESOLUTION_UNIT = (282, 283), 296
_RATIONAL, _SHORT, _LONG = 5, 3, 4
_LARGE_DATA = frozenset({700, 34377, 34675, 37724})
"""XMP and ICC, which are kept on their own, and data of Photoshop."""
_COLOR_OF_PIXELS = frozenset({301, 318, 319, 529, 530, 531, 532})
"""EXIF may say them of a JPEG; in a TIFF file they say what the samples are."""
STRUCTURE = frozenset({
    *range(254, 260), *range(262, 269), 273, *range(277, 282), 284, *range(288, 294), 297, 300, 317, *range(320, 326),
    *range(326, 329), 330, *range(332, 348), 351, *range(400, 406), *range(512, 522), 559, 32781, *range(32995, 32999),
    *range(33300, 33306), 33421, 33422, *range(34016, 34037), 34232, *range(34908, 34912), 37439, *range(48129, 48326),
    50706, 50707, *range(65000, 65536),
}) | _LARGE_DATA  # fmt: skip
"""Tags by which a TIFF file says where its samples are and what they mean, which is not true of another file."""
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBER_BYTES = {5: 4, 10: 4}
"""Rationals are two numbers of 4 bytes; other types are numbers of their size."""
_INTEGERS = {1: "B", 3: "H", 4: "I", 8: "h", 9: "i", 13: "I", 16: "Q", 18: "Q"}
_MAX_BYTES = 1 << 24


class ExifError(ValueError):
    """Data are no EXIF, or damaged where it matters."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A value of a directory: its type, number of elements, and bytes, little-endian."""

    kind: int
    count: int
    value: bytes

    @property
    def integer(self) -> int | None:
        """The value where it is one integer."""
        if self.kind not in _INTEGERS or self.count != 1:
            return None
        return int(struct.unpack("<" + _INTEGERS[self.kind], self.value)[0])


Directory: TypeAlias = "dict[int, Union[Entry, Directory]]"  # noqa: UP007 -- | cannot join a name that is a string


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where an entry of a directory is, and where its value is."""

    at: int
    tag: int
    kind: int
    count: int
    value_at: int


class _Tiff:
    """The directories in TIFF or BigTIFF data, whatever of them is there. Raises ExifError if the data are neither."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        order = {b"II": "<", b"MM": ">"}.get(data[:2])
        if order is None or len(data) < 8:
            raise ExifError("neither II nor MM at the beginning")
        self.order = order
        magic = self.number("H", 2)
        if magic not in (42, 43):
            raise ExifError(f"42 is {magic}")
        self.big = magic == 43
        self.entry_bytes, self.head, self.offset, self.inline = (20, 8, "Q", 8) if self.big else (12, 2, "I", 4)
        self.first = self.number(self.offset, 8 if self.big else 4)

    def number(self, kind: str, at: int) -> int:
        try:
            return int(struct.unpack_from(self.order + kind, self.data, at)[0])
        except (struct.error, OverflowError) as error:
            raise ExifError(f"ends before byte {at}") from error

    def count(self, start: int) -> int:
        """How many whole entries a directory has; fewer than it says where the data end."""
        claimed = self.number("Q" if self.big else "H", start)
        return min(claimed, max(0, (len(self.data) - start - self.head) // self.entry_bytes))

    def places(self, start: int) -> Iterator[_Place]:
        """The entries of the directory at a byte whose values are within the data and of known types."""
        for index in range(self.count(start)):
            at = start + self.head + index * self.entry_bytes
            tag, kind = self.number("H", at), self.number("H", at + 2)
            count, value_at = self.number(self.offset, at + 4), at + self.entry_bytes - self.inline
            size = count * TYPE_BYTES.get(kind, 1)
            if size > self.inline:
                value_at = self.number(self.offset, value_at)
            if kind not in TYPE_BYTES or value_at + size > len(self.data):
                count = 0  # such that it is there, and can be removed
            yield _Place(at, tag, kind, count, value_at)

    def entry(self, place: _Place) -> Entry:
        value = self.data[place.value_at : place.value_at + place.count * TYPE_BYTES[place.kind]]
        return Entry(place.kind, place.count, value if self.order == "<" else _swapped(value, place.kind))

    def directory(self, start: int, below: Mapping[int, Mapping[int, object]]) -> Directory:
        """The entries of a directory; `below` are the tags that point to directories, and those in these."""
        found: Directory = {}
        for place in self.places(start):
            if place.tag in found or not place.count:
                continue
            entry = self.entry(place)
            if place.tag not in below:
                found[place.tag] = entry
            elif entry.integer is not None and 0 < entry.integer < len(self.data) - self.head:
                found[place.tag] = self.directory(entry.integer, below[place.tag])  # type: ignore[arg-type]
        return found


_BELOW: Mapping[int, Mapping[int, object]] = {EXIF_IFD: {INTEROP_IFD: {}}, GPS_IFD: {}}


def without_prefix(exif: bytes) -> bytes:
    """EXIF data without `Exif\\0\\0`, which some writers put twice."""
    return re.sub(rb"^(?:Exif\x00\x00)+", b"", exif)


def read_directory(exif: bytes) -> Directory:
    """The first directory of EXIF data or of a TIFF file, with those that EXIF puts below. Raises ExifError."""
    tiff = _Tiff(exif)
    return tiff.directory(tiff.first, _BELOW)


def orientation_of(exif: bytes) -> int | None:
    """The orientation, 1 to 8, that EXIF data say; None where they say none that is valid, or are damaged."""
    try:
        tiff = _Tiff(exif)
        for place in tiff.places(tiff.first):
            if place.tag == ORIENTATION:
                value = tiff.entry(place).integer if place.count else None
                return value if value in range(1, 9) else None
    except ExifError:
        pass
    return None


def kept(exif: bytes, width: int, height: int) -> bytes:
    """EXIF data as they are kept of a picture that is upright and `width` x `height` pixels large.

    Kept as they were, except what is not true of every file of the picture: orientation and size are set, tags of
    the structure of another file are removed, and so is a thumbnail that lies on its side. Raises ExifError.
    """
    exif = without_prefix(exif)
    tiff = _Tiff(exif)
    if tiff.big:
        return to_bytes(described(read_directory(exif)))
    turned = orientation_of(exif) not in (None, UPRIGHT)
    changed = _edited(exif, tiff.first, {ORIENTATION: UPRIGHT}, STRUCTURE, unlink=turned)
    for place in _Tiff(changed).places(tiff.first):
        if place.tag == EXIF_IFD and place.count and place.kind in (_LONG, 13):
            below = tiff.number("I", place.value_at)
            if below < len(exif):
                changed = _edited(changed, below, {PIXEL_WIDTH: width, PIXEL_HEIGHT: height}, frozenset())
    if orientation_of(changed) not in (None, UPRIGHT):
        raise ExifError("directories that overlap")
    return changed


def _edited(exif: bytes, start: int, values: Mapping[int, int], drop: frozenset[int], unlink: bool = False) -> bytes:
    """EXIF data in whose directory at `start` tags are set, where they are there and integers, and others removed.

    `unlink`: the next directory, that of the thumbnail, is no longer referred to.
    """
    tiff, out, stay = _Tiff(exif), bytearray(exif), []
    for place in tiff.places(start):
        if place.tag in values:
            if place.kind not in (_SHORT, _LONG) or place.count != 1:
                continue
            packed = struct.pack(tiff.order + _INTEGERS[place.kind], values[place.tag])
            out[place.value_at : place.value_at + len(packed)] = packed
        if place.tag not in drop:
            stay.append(bytes(out[place.at : place.at + 12]))
    count = tiff.count(start)
    end = start + 2 + 12 * count
    following = bytes(4) if unlink else bytes(out[end : end + 4]).ljust(4, b"\0")
    entries = struct.pack(tiff.order + "H", len(stay)) + b"".join(stay) + following
    out[start : end + 4] = entries.ljust(end + 4 - start, b"\0")
    return bytes(out)


def without_tags(data: bytes, tags: frozenset[int]) -> bytes:
    """A TIFF file whose first directory no longer has some tags. Raises ExifError for BigTIFF and for no TIFF."""
    tiff = _Tiff(data)
    if tiff.big:
        raise ExifError("BigTIFF")
    return _edited(data, tiff.first, {}, tags)


def described(directory: Directory) -> Directory:
    """What a directory says of a picture, without the structure of the file that it is from."""
    return {tag: value for tag, value in directory.items() if tag not in STRUCTURE and tag != ORIENTATION}


def of_tiff(data: bytes) -> bytes | None:
    """The EXIF data of a TIFF file, without its structure; None where it says nothing else. Raises ExifError."""
    directory = {
        tag: value for tag, value in described(read_directory(data)).items()
        if tag not in _COLOR_OF_PIXELS and (isinstance(value, dict) or len(value.value) <= _MAX_BYTES)
    }  # fmt: skip
    return to_bytes(directory) if any(tag not in (*_RESOLUTION, _RESOLUTION_UNIT) for tag in directory) else None


def into_tiff(data: bytes, exif: bytes, xmp: bytes | None = None) -> bytes:
    """A little-endian TIFF file that also says what EXIF data and XMP say, after what it says already.

    A new first directory is put at its end, so that nothing else moves. Raises ExifError.
    """
    tiff = _Tiff(data)
    own = read_directory(data)
    new = {} if not exif else {
        tag: value for tag, value in described(read_directory(without_prefix(exif))).items()
        if tag not in _COLOR_OF_PIXELS and _fits_tiff(tag, value)
    }  # fmt: skip
    if xmp:
        new[700] = Entry(1, len(xmp), xmp)
    assert tiff.order == "<" and not tiff.big, "Pillow writes these"
    data += bytes(len(data) % 2)
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + _packed({**new, **own}, len(data))


def _fits_tiff(tag: int, value: Entry | Directory) -> bool:
    """Whether readers of TIFF files, which refuse a resolution of another type, take a value."""
    if tag in _RESOLUTION:
        return isinstance(value, Entry) and (value.kind, value.count) == (_RATIONAL, 1) and any(value.value[4:])
    return tag != _RESOLUTION_UNIT or (isinstance(value, Entry) and (value.kind, value.count) == (_SHORT, 1))


def to_bytes(directory: Directory) -> bytes:
    """A directory as EXIF data, little-endian, without prefix."""
    return b"II*\0" + struct.pack("<I", 8) + _packed(directory, 8)


def _packed(directory: Directory, start: int) -> bytes:
    """A little-endian directory, and what its entries refer to, from byte `start`."""
    entries, beyond = b"", b""
    beyond_at = start + 2 + 12 * len(directory) + 4
    for tag, value in sorted(directory.items()):
        if isinstance(value, Entry):
            field, kind, count = value.value, value.kind, value.count
        else:
            place, kind, count = beyond_at + len(beyond), _LONG, 1
            beyond += _packed(value, place)
            field = struct.pack("<I", place)
        if len(field) > 4:
            place = beyond_at + len(beyond)
            beyond += field + bytes(len(field) % 2)
            field = struct.pack("<I", place)
        entries += struct.pack("<HHI", tag, kind, count) + field.ljust(4, b"\0")
    return struct.pack("<H", len(directory)) + entries + bytes(4) + beyond


def _swapped(value: bytes, kind: int) -> bytes:
    """Numbers of a type in the other byte order."""
    size = _NUMBER_BYTES.get(kind, TYPE_BYTES[kind])
    return b"".join(value[at : at + size][::-1] for at in range(0, len(value), size))
