"""Errors of the library. Damaged or foreign streams raise `bitstream.BitstreamError` instead."""


class DdncError(Exception):
    """Base of every error that `ddncodec` raises on purpose; its text is one line for a user."""


class ArgumentError(DdncError, ValueError):
    """An argument, option or configuration value is outside its limits."""


class ModelError(DdncError):
    """A model is unknown, damaged, or not the one that a stream was written with."""


class ImageError(DdncError):
    """A picture cannot be read, or is outside the codec's limits."""
