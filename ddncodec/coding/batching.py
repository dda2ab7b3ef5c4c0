"""Batches of pictures: which go through the network together, and what becomes of those that fail."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bitstream import CodecError, Header
from ddncodec.errors import ArgumentError

BATCH_PIXELS = 1 << 22
"""Equally large pictures share a batch of at most this many pixels."""
ON_ERROR = ("raise", "return")


def check_on_error(on_error: str, items: object) -> None:
    """Raise ArgumentError unless these are arguments of a batch."""
    if on_error not in ON_ERROR:
        raise ArgumentError(f"`on_error` (={on_error!r}) must be one of {', '.join(ON_ERROR)}")
    if isinstance(items, (str, bytes)) or not isinstance(items, Collection):
        raise ArgumentError(f"a batch is a {type(items).__name__}, must be a list")


@contextmanager
def failing(i: int, count: int, on_error: str, out: dict[int, Any]) -> Iterator[None]:
    """Put the error of item i of a batch into its place, or raise it with that place in its text."""
    try:
        yield
    except CodecError as error:
        if count > 1:
            error.args = (f"item {i} of the batch: {error}", *error.args[1:])
        out[i] = error
        if on_error == "raise":
            raise


def batches(headers: Mapping[int, Header], levels: Mapping[int, int] | None = None) -> Iterator[list[int]]:
    """Keys of pictures that can share a batch: equal sizes and levels, at most BATCH_PIXELS."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for i, header in headers.items():
        key = (header.width, header.height, levels[i] if levels else 0)
        groups.setdefault(key, []).append(i)
    for (width, height, _), members in groups.items():
        size = max(1, BATCH_PIXELS // (width * height))
        for start in range(0, len(members), size):
            yield members[start : start + size]
