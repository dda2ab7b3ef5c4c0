"""Bytes to index planes and back: the stream format of `ddncodec`, without the network.

FORMAT.md is the normative text. This package imports the standard library, numpy and constriction
only, never torch, PIL or ddncodec; its modules import each other downwards:

    errors, limits, layout, reader     what everything stands on
    header, stream                     framing: signature, passes, chunks, checksums
    context, tables                    integer probabilities
    plain, rangecoder, coded, planes   index planes to payloads
    tools                              truncate, verify, describe
"""

from .context import COUNT_CAP, FEATURES, flag_features, flag_scores, parity, present_scores
from .errors import (
    BitstreamError,
    CompatibilityError,
    CorruptionError,
    InsufficientDataError,
    InvalidArgumentError,
    LimitError,
)
from .header import MAX_SIDE, MODEL_ID_BYTES, SIGNATURE, VERSION, Header
from .layout import Layout, Level, check_layout, count_cells, grid
from .limits import DEFAULT_LIMITS, Limits
from .planes import decode_planes, encode_planes, group_levels
from .stream import (
    ALL_LEVELS,
    Chunk,
    ChunkType,
    Element,
    Pass,
    Stream,
    read_header,
    read_stream,
    write_stream,
)
from .tables import (
    BINS,
    BUCKETS,
    PROBABILITY_ONE,
    SHIFT,
    LevelTables,
    lambda_bucket,
    score_bins,
)
from .tools import ChunkInfo, Description, PassInfo, describe, truncate, verify

__all__ = [
    "ALL_LEVELS",
    "BINS",
    "BUCKETS",
    "COUNT_CAP",
    "DEFAULT_LIMITS",
    "FEATURES",
    "MAX_SIDE",
    "MODEL_ID_BYTES",
    "PROBABILITY_ONE",
    "SHIFT",
    "SIGNATURE",
    "VERSION",
    "BitstreamError",
    "Chunk",
    "ChunkInfo",
    "ChunkType",
    "CompatibilityError",
    "CorruptionError",
    "Description",
    "Element",
    "Header",
    "InsufficientDataError",
    "InvalidArgumentError",
    "Layout",
    "Level",
    "LevelTables",
    "LimitError",
    "Limits",
    "Pass",
    "PassInfo",
    "Stream",
    "check_layout",
    "count_cells",
    "decode_planes",
    "describe",
    "encode_planes",
    "flag_features",
    "flag_scores",
    "grid",
    "group_levels",
    "lambda_bucket",
    "parity",
    "present_scores",
    "read_header",
    "read_stream",
    "score_bins",
    "truncate",
    "verify",
    "write_stream",
]
