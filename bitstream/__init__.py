"""Bytes to index planes and back: the stream format of `ddncodec`, without the network.

FORMAT.md is the normative text. This package imports the standard library, numpy and constriction
only, never torch, PIL or ddncodec; its modules import each other downwards:

    errors, limits, layout, reader     what everything stands on
    header, stream                     framing: signature, passes, chunks, checksums
    context, tables                    integer probabilities from simple tables
    frequencies, prior                 integer probabilities from the index prior
    walks                              the order of symbols
    plain, rangecoder, coded, planes   index planes to payloads
    post_filter                        weights of the post-filter to a payload
    tools                              truncate, verify, describe
"""

from .context import (
    ANCHOR,
    COUNT_CAP,
    FEATURES,
    NON_ANCHOR,
    anchor_scores,
    lambda_feature,
    non_anchor_mask,
    nonzero_features,
    nonzero_scores,
)
from .errors import (
    BitstreamError,
    CompatibilityError,
    CorruptionError,
    InsufficientDataError,
    InvalidArgumentError,
    LimitError,
)
from .frequencies import LOGITS_PER_OCTAVE, frequencies
from .header import MAX_SIDE, MODEL_ID_BYTES, SIGNATURE, VERSION, Header
from .layout import Layout, Level, Planes, check_layout, count_cells, grid
from .limits import DEFAULT_LIMITS, Limits
from .planes import decode_planes, encode_planes, group_levels
from .post_filter import ATOMS, MAX_FILTER_WEIGHT, read_weights, weight_bits, write_weights
from .prior import IndexPrior, LevelPrior, PriorState
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
    LAMBDA_BUCKETS,
    PROBABILITY_ONE,
    SCORE_BINS,
    SCORE_SHIFT,
    LevelTables,
    lambda_bucket,
    score_bins,
)
from .tools import ChunkInfo, Description, PassInfo, describe, truncate, verify
from .walks import Probabilities, Symbols, checkerboard, walk

__all__ = [
    "ALL_LEVELS",
    "ANCHOR",
    "ATOMS",
    "COUNT_CAP",
    "DEFAULT_LIMITS",
    "FEATURES",
    "LAMBDA_BUCKETS",
    "LOGITS_PER_OCTAVE",
    "MAX_FILTER_WEIGHT",
    "MAX_SIDE",
    "MODEL_ID_BYTES",
    "NON_ANCHOR",
    "PROBABILITY_ONE",
    "SCORE_BINS",
    "SCORE_SHIFT",
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
    "PriorState",
    "Probabilities",
    "Stream",
    "Symbols",
    "anchor_scores",
    "check_layout",
    "checkerboard",
    "count_cells",
    "decode_planes",
    "describe",
    "encode_planes",
    "frequencies",
    "grid",
    "group_levels",
    "lambda_bucket",
    "lambda_feature",
    "non_anchor_mask",
    "nonzero_features",
    "nonzero_scores",
    "read_header",
    "read_stream",
    "read_weights",
    "score_bins",
    "truncate",
    "verify",
    "walk",
    "weight_bits",
    "write_stream",
    "write_weights",
]
