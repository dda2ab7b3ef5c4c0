"""The header: signature, flags, model id, picture size, lambda step (FORMAT.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

from bitarray import bitarray
from bitarray.util import ba2int, int2ba

from .errors import CompatibilityError, CorruptionError, InsufficientDataError, InvalidArgumentError
from .limits import Limits
from .reader import Reader, write_varint

SIGNATURE = b"\xdd\r\n"
"""The first bytes of a stream, except in the inline profile."""
VERSION = 1
"""The format version that this package writes, and the only one it reads."""
MODEL_ID_BYTES = 8
"""Length of a model id."""
MAX_SIDE = 65535
"""Largest width and height in pixels."""
LAMBDA_STEPS = 256
"""Lambda steps are 0..255."""

_RESERVED, _COMPACT, _LAMBDA, _GRAY, _CODED = range(5)
"""Positions in the flags byte, from its most significant bit on; the version follows."""
_VERSION_BITS = 3


@dataclass(frozen=True)
class Header:
    """What a reader must know before the first pass.

    model_id: first 8 bytes of the SHA-256 of the weights file; any 8 bytes as far as this package knows.
    width, height: of the picture in pixels, 1..65535.
    coded: index planes are range coded; otherwise plain.
    gray: the picture has one component instead of three.
    lambda_step: 0..255, or None when not recorded; lambda = 2^(step / 16) squared 8-bit sample levels per bit. The
        probabilities of a coded stream depend on it.
    compact: one unframed pass with a 16-bit checksum, instead of framed passes.
    version: of the format.

    Raises:
        InvalidArgumentError: a field is out of range.
    """

    model_id: bytes
    width: int
    height: int
    coded: bool = False
    gray: bool = False
    lambda_step: int | None = None
    compact: bool = False
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise InvalidArgumentError(f"`version` (={self.version}) must be {VERSION}")
        if len(self.model_id) != MODEL_ID_BYTES:
            raise InvalidArgumentError(f"`model_id` has {len(self.model_id)} bytes, must have {MODEL_ID_BYTES}")
        for name, side in (("width", self.width), ("height", self.height)):
            if not 1 <= side <= MAX_SIDE:
                raise InvalidArgumentError(f"`{name}` (={side}) must be 1..{MAX_SIDE}")
        if self.lambda_step is not None and not 0 <= self.lambda_step < LAMBDA_STEPS:
            raise InvalidArgumentError(f"`lambda_step` (={self.lambda_step}) must be 0..{LAMBDA_STEPS - 1} or None")

    @property
    def rate_lambda(self) -> float | None:
        """Lambda in squared 8-bit sample levels per bit, or None when not recorded."""
        return None if self.lambda_step is None else float(2 ** (self.lambda_step / 16))

    def require_model(self, model_id: bytes) -> None:
        """Raise `CompatibilityError` unless the stream was written by the model `model_id`."""
        if self.model_id != model_id:
            raise CompatibilityError(f"stream was written by model {self.model_id.hex()}, this is {model_id.hex()}")


def write_header(header: Header, *, inline: bool = False) -> bytes:
    """The header's bytes; the inline profile leaves out the signature and the model id."""
    bits = int2ba(header.version, 8, "big")
    bits[_COMPACT], bits[_LAMBDA] = header.compact, header.lambda_step is not None
    bits[_GRAY], bits[_CODED] = header.gray, header.coded
    flags = bits.tobytes()
    sides = write_varint(header.width) + write_varint(header.height)
    step = b"" if header.lambda_step is None else bytes([header.lambda_step])
    if inline:
        return flags + sides + step
    return SIGNATURE + flags + header.model_id + sides + step


def parse_header(reader: Reader, limits: Limits, inline: bytes | None) -> Header:
    """Read a header, and move the reader to the first byte after it.

    inline: the model id, known out of band, when the data is of the inline profile; else None.

    Raises:
        InsufficientDataError: the data ends inside the header.
        CorruptionError: the signature or a side is wrong, or an inline stream is not compact.
        CompatibilityError: unknown version or reserved bit.
        LimitError: the picture has more pixels than `limits` allow.
    """
    if inline is None:
        _parse_signature(reader)
    flags = _parse_flags(reader)
    if inline is not None and not flags[_COMPACT]:
        raise CorruptionError(f"flags (={ba2int(flags):#04x}): an inline stream must be compact")
    model_id = reader.take(MODEL_ID_BYTES, "model id") if inline is None else inline
    width, height = _parse_side(reader, "width"), _parse_side(reader, "height")
    limits.check_pixels(width, height)
    return Header(
        model_id=model_id,
        width=width,
        height=height,
        coded=bool(flags[_CODED]),
        gray=bool(flags[_GRAY]),
        lambda_step=reader.byte("lambda step") if flags[_LAMBDA] else None,
        compact=bool(flags[_COMPACT]),
    )


def _parse_signature(reader: Reader) -> None:
    found = reader.data[reader.position : reader.position + len(SIGNATURE)]
    if found == SIGNATURE:
        reader.position += len(SIGNATURE)
        return
    if SIGNATURE.startswith(found):
        raise InsufficientDataError(f"signature needs {len(SIGNATURE)} bytes, {len(found)} are left")
    if found in (b"\xdd\n" + found[2:], b"\xdd\r\r"):
        raise CorruptionError(f"signature is {found.hex(' ')}: line endings were converted")
    raise CorruptionError(f"signature is {found.hex(' ')}, must be {SIGNATURE.hex(' ')}")


def _parse_flags(reader: Reader) -> bitarray:
    flags = bitarray(endian="big")
    flags.frombytes(reader.take(1, "flags"))
    version = ba2int(flags[-_VERSION_BITS:])
    if version != VERSION:
        raise CompatibilityError(f"version is {version}, this reader knows {VERSION} only")
    if flags[_RESERVED]:
        raise CompatibilityError(f"flags (={ba2int(flags):#04x}): reserved bit 7 is set")
    return flags


def _parse_side(reader: Reader, field: str) -> int:
    side = reader.varint(field)
    if not 1 <= side <= MAX_SIDE:
        raise CorruptionError(f"{field} is {side}, must be 1..{MAX_SIDE}")
    return side
