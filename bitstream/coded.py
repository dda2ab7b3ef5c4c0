"""Coded passes: keep flags in two checkerboard phases, then values (FORMAT.md, section 5.2)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .context import EVEN, ODD, Flags, flag_scores, parity, present_scores
from .header import Header
from .layout import Layout
from .rangecoder import Decoder, Encoder
from .tables import LevelTables, lambda_bucket, score_bins


def encode_coded(
    planes: Sequence[NDArray[np.int32]],
    first: int,
    flags: list[Flags],
    layout: Layout,
    header: Header,
    tables: Sequence[LevelTables],
) -> bytes:
    """Return the coded payload of a pass over the levels from position `first` on.

    planes: of these levels only, (rows, cols) each.
    flags: `index != 0` of all levels before `first`; those of this pass are appended.
    layout, tables: of all levels.
    """
    coder = Encoder()
    for number, plane in enumerate(planes, start=first):
        table, nonzero = tables[number], plane != 0
        scores = _scores(table, flags, number, layout, header)
        odd = parity(nonzero.shape)
        coder.flags(nonzero[~odd], _odds(table, EVEN, scores[~odd]))
        scores += present_scores(table.weights, nonzero)
        coder.flags(nonzero[odd], _odds(table, ODD, scores[odd]))
        if table.outputs > 2:
            bucket = lambda_bucket(header.lambda_step)
            coder.values(plane[nonzero] - 1, table.values[bucket])
        flags.append(nonzero)
    return coder.payload()


def decode_coded(
    payload: bytes,
    levels: int,
    flags: list[Flags],
    layout: Layout,
    header: Header,
    tables: Sequence[LevelTables],
) -> list[NDArray[np.int32]]:
    """Return the next `levels` index planes, (rows, cols) int32; mirrors `encode_coded`.

    flags: `index != 0` of all levels before this pass; those of this pass are appended.

    Raises:
        CorruptionError: the payload is not the output of any encoder.
    """
    coder, planes = Decoder(payload), []
    for number in range(len(flags), len(flags) + levels):
        table = tables[number]
        scores = _scores(table, flags, number, layout, header)
        odd, nonzero = parity(scores.shape), np.zeros(scores.shape, np.bool_)
        nonzero[~odd] = coder.flags(_odds(table, EVEN, scores[~odd]))
        scores += present_scores(table.weights, nonzero)
        nonzero[odd] = coder.flags(_odds(table, ODD, scores[odd]))
        plane = nonzero.astype(np.int32)
        if table.outputs > 2:
            bucket = lambda_bucket(header.lambda_step)
            plane[nonzero] += coder.values(int(nonzero.sum()), table.values[bucket])
        flags.append(nonzero)
        planes.append(plane)
    return planes


def _scores(
    table: LevelTables, flags: Sequence[Flags], number: int, layout: Layout, header: Header
) -> NDArray[np.int32]:
    size = header.width, header.height
    return flag_scores(table.weights, flags, number, layout, *size, header.lambda_step)


def _odds(table: LevelTables, phase: int, scores: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.asarray(table.nonkeep[phase][score_bins(scores)])
