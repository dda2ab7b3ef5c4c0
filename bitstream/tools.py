"""What can be done to a stream without its model: cut it, check it, describe it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from .elements import ChunkType, Pass, may_end_after
from .errors import InvalidArgumentError
from .limits import DEFAULT_LIMITS, Limits
from .reader import BytesLike
from .stream import Stream, read_stream

_NAMES = {int(kind): kind.name for kind in ChunkType}


@dataclass(frozen=True)
class PassInfo:
    """One pass: the levels it brings, bytes of its payload, and the stream's size in bytes up to its end."""

    levels: int
    payload_bytes: int
    end: int


@dataclass(frozen=True)
class ChunkInfo:
    """One chunk: type, its name ("unknown" for types outside version 1), bytes of its payload."""

    type: int
    name: str
    payload_bytes: int


@dataclass(frozen=True)
class Description:
    """A stream in numbers, all of them JSON types; sizes in bytes.

    model_id: hexadecimal.
    rate_lambda: squared 8-bit sample levels per bit, or None when not recorded.
    overhead_bytes: everything but payloads and torn bytes.
    bits_per_pixel: of the whole data, with header and chunks.
    torn_bytes: those of an unfinished element at the end.
    """

    version: int
    model_id: str
    width: int
    height: int
    coded: bool
    gray: bool
    compact: bool
    lambda_step: int | None
    rate_lambda: float | None
    total_bytes: int
    overhead_bytes: int
    torn_bytes: int
    bits_per_pixel: float
    passes: tuple[PassInfo, ...]
    chunks: tuple[ChunkInfo, ...]

    def as_dict(self) -> dict[str, object]:
        """The fields as nested dictionaries, for `json.dumps`."""
        return asdict(self)


def truncate(
    data: BytesLike,
    *,
    levels: int | None = None,
    max_bytes: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> bytes:
    """The longest prefix that ends after a whole pass, or after the post-filter, and meets every bound given.

    Chunks before the cut are kept. A stream that meets the bounds is returned as it is.

    levels: bound on the number of levels; max_bytes: bound on the size of the result.

    Raises:
        InvalidArgumentError: no bound is given, or not even the first pass meets them.
        BitstreamError: as `read_stream`.
    """
    if levels is None and max_bytes is None:
        raise InvalidArgumentError("give `levels`, `max_bytes` or both")
    stream = read_stream(data, limits=limits)
    if stream.header.compact and levels is not None:
        raise InvalidArgumentError("a compact stream has one pass; its levels cannot be cut")
    best, total = 0, 0
    for position, (element, end) in enumerate(zip(stream.elements, stream.ends, strict=True)):
        total += element.levels if isinstance(element, Pass) else 0
        fits = (levels is None or total <= levels) and (max_bytes is None or end <= max_bytes)
        if fits and (may_end_after(element) or position == len(stream.ends) - 1):
            best = end
    if best == 0:
        raise InvalidArgumentError(f"`levels` (={levels}), `max_bytes` (={max_bytes}): the first pass exceeds them")
    return bytes(data[:best])


def verify(data: BytesLike, *, limits: Limits = DEFAULT_LIMITS, inline: bytes | None = None) -> None:
    """Check the framing and all checksums of a stream; payloads are not decoded, since that takes the model's layout.

    Raises:
        BitstreamError: as `read_stream`.
    """
    read_stream(data, limits=limits, inline=inline)


def describe(data: BytesLike, *, limits: Limits = DEFAULT_LIMITS, inline: bytes | None = None) -> Description:
    """Describe a stream, also one that is cut anywhere after its first pass.

    Raises:
        BitstreamError: as `read_stream`.
    """
    stream = read_stream(data, limits=limits, allow_partial=True, inline=inline)
    header, payloads = stream.header, sum(len(e.payload) for e in stream.elements)
    return Description(
        version=header.version,
        model_id=header.model_id.hex(),
        width=header.width,
        height=header.height,
        coded=header.coded,
        gray=header.gray,
        compact=header.compact,
        lambda_step=header.lambda_step,
        rate_lambda=header.rate_lambda,
        total_bytes=len(data),
        overhead_bytes=len(data) - payloads - stream.torn_bytes,
        torn_bytes=stream.torn_bytes,
        bits_per_pixel=8 * len(data) / (header.width * header.height),
        passes=_pass_infos(stream),
        chunks=tuple(ChunkInfo(c.type, _NAMES.get(c.type, "unknown"), len(c.payload)) for c in stream.chunks),
    )


def _pass_infos(stream: Stream) -> tuple[PassInfo, ...]:
    return tuple(
        PassInfo(element.levels, len(element.payload), end)
        for element, end in zip(stream.elements, stream.ends, strict=True)
        if isinstance(element, Pass)
    )
