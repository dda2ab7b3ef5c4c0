"""Cuts a stream inside of a pass, which takes its model: the kept indices are coded again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .elements import Chunk, Element, Pass
from .errors import InvalidArgumentError
from .layout import Layout
from .limits import DEFAULT_LIMITS, Limits
from .planes import decode_planes, encode_planes
from .reader import BytesLike
from .stream import read_stream, write_stream
from .walks import Probabilities


def cut_levels(
    data: BytesLike,
    layout: Layout,
    probabilities: Probabilities | None = None,
    *,
    levels: int | None = None,
    max_bytes: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> bytes:
    """A stream of the first levels of another, as many as meet every bound given; integers only, no pixels.

    Chunks before the first pass are kept; others, which follow the last one, are dropped, as by `truncate`.

    layout, probabilities: those of the model, as for `decode_planes`.
    levels: bound on the number of levels; max_bytes: bound on the size of the result.

    Raises:
        InvalidArgumentError: no bound is given, or not even the first level meets them.
        BitstreamError: as `read_stream` and `decode_planes`.
    """
    if levels is None and max_bytes is None:
        raise InvalidArgumentError("give `levels`, `max_bytes` or both")
    stream = read_stream(data, limits=limits)
    planes = decode_planes(stream, layout, probabilities, levels, limits=limits)
    header = replace(stream.header, compact=False)
    before = _chunks_before_passes(stream.elements)

    def coded(count: int) -> bytes:
        return write_stream(header, [*before, *encode_planes(planes[:count], layout, header, probabilities)])

    fitting, low, high = None, 1, len(planes)
    while low <= high:
        middle = high if max_bytes is None else (low + high) // 2
        tried = coded(middle)
        if max_bytes is None or len(tried) <= max_bytes:
            fitting, low = tried, middle + 1
        else:
            high = middle - 1
    if fitting is None:
        raise InvalidArgumentError(f"`max_bytes` (={max_bytes}): the first level exceeds it")
    return fitting


def _chunks_before_passes(elements: Sequence[Element]) -> list[Chunk]:
    found: list[Chunk] = []
    for element in elements:
        if isinstance(element, Pass):
            break
        found.append(element)
    return found
