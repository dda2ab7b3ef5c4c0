"""Index planes to passes and back."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .coded import decode_coded, encode_coded
from .errors import CorruptionError, InvalidArgumentError
from .header import Header
from .layout import Layout, Planes, check_layout, count_cells, grid
from .limits import DEFAULT_LIMITS, Limits
from .plain import decode_plain, encode_plain
from .stream import Pass, Stream
from .walks import Probabilities, Walk, walk

MIN_PASS_BYTES: Final = 1400  # framing costs 7 bytes a pass: 0.5 %
PASS_GROWTH: Final = 8  # a pass adds at least an eighth to what came before it
_FLAG_BITS: Final = 2  # what telling a nonzero cell from a zero one costs, about


def encode_planes(
    planes: Sequence[NDArray[np.integer]],
    layout: Layout,
    header: Header,
    probabilities: Probabilities | None = None,
    passes: Sequence[int] | None = None,
) -> list[Pass]:
    """Code index planes as passes for `write_stream`.

    planes: (rows, cols) integers in [0, K) for the first levels of `layout`; for all of them when
        `header.compact`.
    probabilities: the model's, for all levels of `layout`; needed when `header.coded`, else not looked at.
    passes: number of levels of each pass, default `group_levels`; one pass when `header.compact`.

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
    """Return the index planes of the whole passes of `stream`, (rows, cols) int32 each.

    There may be fewer than `layout` has levels. A prefix of the passes gives the first of the
    planes that all passes give.

    levels: return at most so many planes; passes behind them are not decoded.

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
            # A coded pass may be left early; a plain one is checked whole, it is cheap.
            planes += decode_coded(element.payload, min(count, wanted - first), path)
        else:
            part = layout[first : first + count]
            limits.check_cells(count_cells(layout[: first + count], header.width, header.height))
            planes += decode_plain(element.payload, part, header.width, header.height)
    return planes[:wanted]


def group_levels(planes: Sequence[NDArray[np.integer]], layout: Layout, *, coded: bool = True) -> tuple[int, ...]:
    """Return a number of levels for each pass, such that framing costs about 0.5 % at most.

    A pass takes levels until it is estimated to hold 1400 bytes and an eighth of all before it; what
    remains at the end joins the last pass. So the first, small levels share a pass, the large last
    ones stand alone, and a picture under 2.8 kB has one pass.

    coded: estimate a coded stream: index and flag bits of the nonzero cells; otherwise plain.
    """
    sizes = [
        int(np.count_nonzero(plane)) * (level.index_bits + _FLAG_BITS) if coded else plane.size * level.index_bits
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
    """Return what a coded stream is coded along; None for a plain one."""
    if not header.coded:
        return None
    if probabilities is None:
        raise InvalidArgumentError("a coded stream needs `probabilities`")
    return walk(probabilities, layout, header)
