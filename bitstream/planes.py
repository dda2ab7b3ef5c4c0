"""Index planes to passes and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .coded import decode_coded, encode_coded
from .elements import Pass
from .errors import CorruptionError, InvalidArgumentError
from .header import Header
from .layout import Layout, Planes, check_layout, count_cells, grid
from .limits import DEFAULT_LIMITS, Limits
from .plain import decode_plain, encode_plain
from .stream import Stream
from .walks import Probabilities, Walk, walk

MIN_PASS_BYTES = 1400
"""Smallest pass that is framed on its own; framing costs 7 bytes a pass, 0.5 %."""
PASS_GROWTH = 8
"""A pass adds at least an eighth to what came before it."""
_NONZERO_BITS = 2
"""About what a nonzero cell costs in addition to its value."""


def encode_planes(
    planes: Sequence[NDArray[np.integer]],
    layout: Layout,
    header: Header,
    probabilities: Probabilities | None = None,
    passes: Sequence[int] | None = None,
) -> list[Pass]:
    """Code index planes as passes for `write_stream`.

    planes: (rows, cols) integers in [0, K) for the first levels of `layout`; for all levels when `header.compact`.
    probabilities: those of the model, for all levels of `layout`; needed when `header.coded`, otherwise ignored.
    passes: number of levels of each pass, by default those of `group_levels`; one pass when `header.compact`.

    Raises:
        InvalidArgumentError: an argument does not fit the others.
    """
    check_layout(layout)
    checked = _check_planes(planes, layout, header)
    if header.compact:
        passes = (len(layout),) if passes is None else passes
        if len(checked) != len(layout) or len(passes) != 1:
            raise InvalidArgumentError(
                f"a compact stream has one pass of all {len(layout)} levels, "
                f"got {len(checked)} planes in {len(passes)} passes"
            )
    if passes is None:
        passes = group_levels(checked, layout, coded=header.coded)
    if min(passes, default=0) < 1 or sum(passes) != len(checked):
        raise InvalidArgumentError(f"`passes` (={tuple(passes)}) must sum to {len(checked)} planes")
    path = _walk(probabilities, layout, header)
    out, first = [], 0
    for levels in passes:
        last = first + levels
        if path is not None:
            payload = encode_coded(checked[first:last], path)
        else:
            payload = encode_plain(checked[first:last], layout[first:last])
        out.append(Pass(levels, payload))
        first = last
    return out


def decode_planes(
    stream: Stream,
    layout: Layout,
    probabilities: Probabilities | None = None,
    levels: int | None = None,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Planes:
    """The index planes of the passes of `stream`, (rows, cols) int32 each.

    There may be fewer planes than `layout` has levels. A stream of only the first passes gives the same first planes.

    levels: the largest number of planes to return, all by default; further passes are not decoded.

    Raises:
        CorruptionError: a payload does not hold the planes its pass announces.
        LimitError: the planes have more cells than `limits` allow.
        InvalidArgumentError: an argument does not fit the others.
    """
    check_layout(layout)
    if levels is not None and levels < 0:
        raise InvalidArgumentError(f"`levels` (={levels}) must be 0 or more")
    header = stream.header
    counts = (len(layout),) if header.compact else tuple(p.levels for p in stream.passes)
    if sum(counts) > len(layout):
        raise CorruptionError(f"stream has {sum(counts)} levels, its model has {len(layout)}")
    wanted = sum(counts) if levels is None else min(levels, sum(counts))
    limits.check_cells(count_cells(layout[:wanted], header.width, header.height))
    path = _walk(probabilities, layout, header)
    planes: Planes = []
    for count, element in zip(counts, stream.passes, strict=True):
        first = len(planes)
        if first >= wanted:
            break
        if path is not None:
            # The rest of a coded pass is not decoded; a plain pass is cheap, and is decoded and checked whole.
            planes += decode_coded(element.payload, min(count, wanted - first), path)
        else:
            part = layout[first : first + count]
            limits.check_cells(count_cells(layout[: first + count], header.width, header.height))
            planes += decode_plain(element.payload, part, header.width, header.height)
    return planes[:wanted]


def group_levels(planes: Sequence[NDArray[np.integer]], layout: Layout, *, coded: bool = True) -> tuple[int, ...]:
    """A number of levels for each pass, such that framing costs about 0.5 % at most.

    A pass takes levels until its estimated size is 1400 bytes and an eighth of all passes before it. Levels that remain
    at the end join the last pass. So the first, small levels share a pass, each of the last, large ones has its own,
    and a picture under 2.8 kB has one pass.

    coded: whether to estimate a coded stream, by its nonzero cells, or a plain one.
    """
    sizes = [
        int(np.count_nonzero(plane)) * (level.index_bits + _NONZERO_BITS) if coded else plane.size * level.index_bits
        for plane, level in zip(planes, layout, strict=False)
    ]
    left, before = sum(sizes), 0
    groups, levels, size = list[int](), 0, 0
    for bits in sizes:
        levels, size, left = levels + 1, size + bits, left - bits
        enough = max(8 * MIN_PASS_BYTES, before // PASS_GROWTH)
        if size >= enough and left >= enough:
            groups.append(levels)
            levels, size, before = 0, 0, before + size
    return (*groups, levels) if levels else tuple(groups)


def _check_planes(planes: Sequence[NDArray[np.integer]], layout: Layout, header: Header) -> Planes:
    if not 1 <= len(planes) <= len(layout):
        raise InvalidArgumentError(f"got {len(planes)} planes, layout has {len(layout)} levels")
    checked = []
    for number, (plane, level) in enumerate(zip(planes, layout, strict=False)):
        shape = grid(level, header.width, header.height)
        if plane.shape != shape or not np.issubdtype(plane.dtype, np.integer):
            raise InvalidArgumentError(f"`planes[{number}]` is {plane.dtype} {plane.shape}, must be integer {shape}")
        if plane.min() < 0 or plane.max() >= level.outputs:
            raise InvalidArgumentError(
                f"`planes[{number}]` spans {plane.min()}..{plane.max()}, must be within 0..{level.outputs - 1}"
            )
        checked.append(plane.astype(np.int32))
    return checked


def _walk(probabilities: Probabilities | None, layout: Layout, header: Header) -> Walk | None:
    """The walk through a coded stream; None for a plain one."""
    if not header.coded:
        return None
    if probabilities is None:
        raise InvalidArgumentError("a coded stream needs `probabilities`")
    return walk(probabilities, layout, header)
