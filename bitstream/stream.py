"""Streams: a header followed by passes and chunks (FORMAT.md, section 4)."""

from __future__ import annotations

import binascii
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .elements import ALL_LEVELS, PLACES, Chunk, Element, Pass
from .errors import CorruptionError, InsufficientDataError, InvalidArgumentError
from .header import MODEL_ID_BYTES, Header, parse_header, write_header
from .limits import DEFAULT_LIMITS, Limits
from .reader import MAX_VARINT, BytesLike, Reader, write_varint

CRC16_BYTES = 2
"""Length of the checksum of a compact stream."""
CRC32_BYTES = 4
"""Length of the checksum of an element."""
_MAX_TAG = MAX_VARINT >> 1
"""Largest type of a chunk, and largest number of levels of a pass."""


@dataclass(frozen=True)
class Stream:
    """A parsed stream.

    elements: passes and chunks in stream order.
    ends: for each element, the offset in bytes of the first byte after it and its checksum.
    torn_bytes: bytes of an unfinished last element, left out on request; 0 for a whole stream.
    """

    header: Header
    elements: tuple[Element, ...]
    ends: tuple[int, ...]
    torn_bytes: int = 0

    @property
    def passes(self) -> tuple[Pass, ...]:
        """The passes, in stream order."""
        return tuple(e for e in self.elements if isinstance(e, Pass))

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks, in stream order."""
        return tuple(e for e in self.elements if isinstance(e, Chunk))


def write_stream(header: Header, elements: Sequence[Element], *, inline: bool = False) -> bytes:
    """The bytes of a stream, framed or compact as `header.compact` says.

    inline: leave out the signature and the model id; both must be known out of band.

    Raises:
        InvalidArgumentError: the elements do not fit the mode, repeat a chunk type, or are out of range.
    """
    if inline and not header.compact:
        raise InvalidArgumentError("an inline stream must have `header.compact`")
    prefix = write_header(header, inline=inline)
    if header.compact:
        return _write_compact(prefix, elements, header.model_id if inline else b"")
    return _write_framed(prefix, elements)


def read_header(data: BytesLike, *, limits: Limits = DEFAULT_LIMITS, inline: bytes | None = None) -> Header:
    """Read the header of a stream and nothing else; arguments are those of `read_stream`.

    Raises:
        InsufficientDataError, CorruptionError, CompatibilityError, LimitError: as `read_stream`, of the header.
    """
    return parse_header(Reader(bytes(data)), limits, _check_inline(inline))


def read_stream(
    data: BytesLike,
    *,
    limits: Limits = DEFAULT_LIMITS,
    allow_partial: bool = False,
    inline: bytes | None = None,
) -> Stream:
    """Parse a stream and check every checksum in it.

    allow_partial: accept a framed stream that ends inside an element, and return the whole elements before that point.
        A compact stream is read whole or not at all.
    inline: the 8-byte model id, when the data is of the inline profile.

    Raises:
        InsufficientDataError: the data ends inside an element, or before the first whole pass.
        CorruptionError: a checksum or another rule of FORMAT.md does not hold.
        CompatibilityError: unknown version or reserved bit.
        LimitError: the picture or the number of elements exceeds `limits`.
    """
    reader = Reader(bytes(data))
    header = parse_header(reader, limits, _check_inline(inline))
    if header.compact:
        return _read_compact(reader, header, inline or b"")
    return _read_framed(reader, header, limits, allow_partial)


def _check_inline(inline: bytes | None) -> bytes | None:
    if inline is not None and len(inline) != MODEL_ID_BYTES:
        raise InvalidArgumentError(f"`inline` has {len(inline)} bytes, must be a model id of {MODEL_ID_BYTES}")
    return inline


def _write_compact(prefix: bytes, elements: Sequence[Element], unwritten: bytes) -> bytes:
    if len(elements) != 1 or not isinstance(elements[0], Pass):
        raise InvalidArgumentError("a compact stream must have exactly one pass and no chunk")
    body = prefix + elements[0].payload
    return body + _crc16(unwritten, body).to_bytes(CRC16_BYTES, "little")


def _read_compact(reader: Reader, header: Header, unwritten: bytes) -> Stream:
    payload = reader.take(reader.left - CRC16_BYTES, "payload") if reader.left > CRC16_BYTES else b""
    end = reader.position
    stored = int.from_bytes(reader.take(CRC16_BYTES, "CRC-16"), "little")
    actual = _crc16(unwritten, memoryview(reader.data)[:end])
    if stored != actual:
        raise CorruptionError(f"CRC-16 at byte {end} is {stored:#06x}, data has {actual:#06x}")
    return Stream(header, (Pass(ALL_LEVELS, payload),), (len(reader.data),))


def _crc16(unwritten: bytes, body: BytesLike) -> int:
    """CRC-16/XMODEM of `body`, preceded by the model id that an inline stream leaves out."""
    return binascii.crc_hqx(body, binascii.crc_hqx(unwritten, 0))


def _write_framed(prefix: bytes, elements: Sequence[Element]) -> bytes:
    if not any(isinstance(e, Pass) for e in elements):
        raise InvalidArgumentError("a stream must have at least one pass")
    _check_unique(elements, InvalidArgumentError)
    parts, crc = [prefix], zlib.crc32(prefix)
    for element in elements:
        head = write_varint(_tag(element)) + write_varint(len(element.payload))
        # The running checksum leaves out checksum fields: a CRC-32 that runs over its own value always ends in one and
        # the same state, and would no longer depend on anything before it.
        crc = zlib.crc32(element.payload, zlib.crc32(head, crc))
        parts += [head, element.payload, crc.to_bytes(CRC32_BYTES, "little")]
    return b"".join(parts)


def _read_framed(reader: Reader, header: Header, limits: Limits, allow_partial: bool) -> Stream:
    elements: list[Element] = []
    ends: list[int] = []
    torn = 0
    try:
        for element in _parse_elements(reader):
            limits.check_elements(len(elements) + 1)
            elements.append(element)
            ends.append(reader.position)
    except InsufficientDataError:
        if not allow_partial:
            raise
        torn = len(reader.data) - (ends[-1] if ends else 0)
    if not any(isinstance(e, Pass) for e in elements):
        raise InsufficientDataError(f"no whole pass in the first {len(reader.data)} bytes")
    _check_unique(elements, CorruptionError)
    return Stream(header, tuple(elements), tuple(ends), torn)


def _parse_elements(reader: Reader) -> Iterator[Element]:
    view = memoryview(reader.data)
    crc = zlib.crc32(view[: reader.position])
    while reader.left:
        start = reader.position
        tag = reader.varint("tag")
        if tag >> 1 == 0:
            raise CorruptionError(f"tag at byte {start} is {tag}, must be 2 or more")
        payload = reader.take(reader.varint("payload length"), "payload")
        crc = zlib.crc32(view[start : reader.position], crc)
        stored = int.from_bytes(reader.take(CRC32_BYTES, "CRC-32"), "little")
        if stored != crc:
            raise CorruptionError(f"CRC-32 of the element at byte {start} is {stored:#010x}, data has {crc:#010x}")
        yield Chunk(tag >> 1, payload) if tag & 1 else Pass(tag >> 1, payload)


def _tag(element: Element) -> int:
    kind, number = (1, element.type) if isinstance(element, Chunk) else (0, element.levels)
    name = "type" if kind else "levels"
    if not 1 <= number <= _MAX_TAG:
        raise InvalidArgumentError(f"`{name}` (={number}) must be 1..{_MAX_TAG}")
    if len(element.payload) > MAX_VARINT:
        raise InvalidArgumentError(f"payload has {len(element.payload)} bytes, limit {MAX_VARINT}")
    return number << 1 | kind


def _check_unique(elements: Sequence[Element], error: type[Exception]) -> None:
    seen: set[int] = set()
    for element in elements:
        if isinstance(element, Chunk) and element.type in PLACES:
            if element.type in seen:
                raise error(f"chunk type {element.type} occurs twice, must occur at most once")
            seen.add(element.type)
