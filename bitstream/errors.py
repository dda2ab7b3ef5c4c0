"""The error types of the package.

Every message names the field, the value found and the value or limit expected.
"""

from __future__ import annotations


class CodecError(Exception):
    """Base of all errors that this package and `ddncodec` raise on purpose; their text is one line for a user."""


class BitstreamError(CodecError, ValueError):
    """Base of everything this package raises on bad data or bad arguments."""


class CompatibilityError(BitstreamError):
    """The stream may be valid, but not for this reader: version, reserved bit or model."""


class CorruptionError(BitstreamError):
    """The stream breaks a rule of FORMAT.md: a checksum, a range or a length is wrong."""


class InsufficientDataError(BitstreamError):
    """The stream ends too early; more bytes may make it valid."""


class LimitError(BitstreamError):
    """The stream is valid but asks for more than the caller's `Limits` allow."""


class InvalidArgumentError(BitstreamError):
    """The caller passed something that no stream can express, or that does not fit the stream."""
