"""What follows a framed header: passes and chunks, and the order of chunks (FORMAT.md, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

ALL_LEVELS = 0
"""`Pass.levels` of a compact stream: as many as the model has."""


class ChunkPlace(IntEnum):
    """Where writers put a chunk; the smallest place comes first."""

    BEFORE_PASSES = 0
    """What every picture of the stream needs, previews included."""
    AFTER_PASSES = 1
    """What only the picture of all levels needs."""
    AT_END = 2
    """What no picture needs: metadata, and types that this version does not know."""


class ChunkType(IntEnum):
    """The chunk types of version 1: number and place.

    Each occurs at most once in a stream. Chunks of any other number are kept untouched.
    """

    ICC = 1, ChunkPlace.AT_END
    EXIF = 2, ChunkPlace.AT_END
    XMP = 3, ChunkPlace.AT_END
    ALPHA = 4, ChunkPlace.BEFORE_PASSES
    POST_FILTER = 5, ChunkPlace.AFTER_PASSES

    place: ChunkPlace

    def __new__(cls, number: int, place: ChunkPlace) -> ChunkType:
        member = int.__new__(cls, number)
        member._value_ = number
        member.place = place
        return member

    @property
    def belongs_to_picture(self) -> bool:
        """Whether the decoded picture depends on the chunk."""
        return self.place != ChunkPlace.AT_END


PLACES = {int(kind): kind.place for kind in ChunkType}
"""The place of each known type; those of others is AT_END."""


@dataclass(frozen=True)
class Pass:
    """The index planes of `levels` consecutive levels; the first pass starts at the first level."""

    levels: int
    payload: bytes


@dataclass(frozen=True)
class Chunk:
    """Data that no index plane depends on; `type` is a `ChunkType` or the number of an unknown one."""

    type: int
    payload: bytes

    @property
    def place(self) -> ChunkPlace:
        """Where writers put the chunk."""
        return PLACES.get(self.type, ChunkPlace.AT_END)


Element: TypeAlias = Pass | Chunk
"""A part of a framed stream with a checksum of its own."""


def in_order(passes: Sequence[Pass], chunks: Sequence[Chunk]) -> list[Element]:
    """Passes and chunks in the order of a stream; chunks of one place stay in the order given."""
    before = [chunk for chunk in chunks if chunk.place == ChunkPlace.BEFORE_PASSES]
    after = [chunk for chunk in chunks if chunk.place != ChunkPlace.BEFORE_PASSES]
    return [*before, *passes, *sorted(after, key=lambda chunk: chunk.place)]


def may_end_after(element: Element) -> bool:
    """Whether a stream may be cut after `element` without losing a part of the picture that its passes make."""
    return isinstance(element, Pass) or element.place == ChunkPlace.AFTER_PASSES
