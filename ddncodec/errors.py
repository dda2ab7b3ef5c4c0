"""Errors of the library. Damaged or foreign streams raise `bitstream.BitstreamError` instead.

`CodecError` is the base of both.
"""

from bitstream import CodecError

LONGEST_REASON = 200
"""Characters of what another library says that an error repeats."""


def shortened(text: str) -> str:
    """A text as one line of at most LONGEST_REASON characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 3]}..."


class DdncError(CodecError):
    """Base of every error that `ddncodec` raises on purpose; its text is one line for a user."""


class ArgumentError(DdncError, ValueError):
    """An argument, option or configuration value is outside its limits."""


class ModelError(DdncError):
    """A model is unknown, damaged, or not the one that a stream was written with."""


class ImageError(DdncError):
    """A picture cannot be read, or is outside the codec's limits."""
