"""Bytes to index planes and back: the stream format of `ddncodec`, without the network.

FORMAT.md is the normative text. This package imports only the standard library, numpy, bitarray and constriction, never
torch, PIL or ddncodec. Its modules in the order in which they import each other:

    errors, limits, layout, reader       what all others use
    header, elements, stream             framing: signature, passes, chunks, checksums
    context, tables                      integer probabilities from simple tables
    prior, frequencies                   integer probabilities from the index prior
    walks                                the order of symbols
    plain, rangecoder, coded, planes     index planes to payloads
    post_filter                          weights of the post-filter to a payload
    recoding                             kept indices of a stream coded again
    tools                                truncate, verify, describe

What a user of streams needs is exported here. Probabilities, their training and the choice of indices use the modules
`context`, `tables`, `prior`, `frequencies`, `walks` and `post_filter` themselves.
"""

from __future__ import annotations

from .elements import ALL_LEVELS, Chunk, ChunkPlace, ChunkType, Element, Pass, in_order
from .errors import (
    BitstreamError,
    CodecError,
    CompatibilityError,
    CorruptionError,
    InsufficientDataError,
    InvalidArgumentError,
    LimitError,
)
from .header import MAX_SIDE, MODEL_ID_BYTES, SIGNATURE, VERSION, Header
from .layout import Layout, Level, Planes, check_layout, count_cells, grid
from .limits import DEFAULT_LIMITS, Limits
from .planes import decode_planes, encode_planes, group_levels
from .post_filter import read_filter_weights, write_filter_weights
from .prior import IndexPrior, LevelPrior
from .recoding import cut_levels
from .stream import Stream, read_header, read_stream, write_stream
from .tables import LevelTables
from .tools import ChunkInfo, Description, PassInfo, describe, truncate, verify
from .walks import Probabilities

__all__ = [
    "ALL_LEVELS",
    "DEFAULT_LIMITS",
    "MAX_SIDE",
    "MODEL_ID_BYTES",
    "SIGNATURE",
    "VERSION",
    "BitstreamError",
    "Chunk",
    "ChunkInfo",
    "ChunkPlace",
    "ChunkType",
    "CodecError",
    "CompatibilityError",
    "CorruptionError",
    "Description",
    "Element",
    "Header",
    "IndexPrior",
    "InsufficientDataError",
    "InvalidArgumentError",
    "Layout",
    "Level",
    "LevelPrior",
    "LevelTables",
    "LimitError",
    "Limits",
    "Pass",
    "PassInfo",
    "Planes",
    "Probabilities",
    "Stream",
    "check_layout",
    "count_cells",
    "cut_levels",
    "decode_planes",
    "describe",
    "encode_planes",
    "grid",
    "group_levels",
    "in_order",
    "read_filter_weights",
    "read_header",
    "read_stream",
    "truncate",
    "verify",
    "write_filter_weights",
    "write_stream",
]
