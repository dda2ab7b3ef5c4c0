"""What a picture file says in addition to its pixels; imports nothing, so that the command line starts fast."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Metadata:
    """Metadata of a picture, as bytes that other formats embed; None where the file has none.

    `icc` is the profile of the source; the pixels themselves are sRGB. `exif` has no prefix `Exif\\0\\0`, and says that
    the picture is upright, as it is.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None


NO_METADATA = Metadata()
"""That of a picture without any."""
METADATA_KINDS = tuple(field.name for field in dataclasses.fields(Metadata))
"""Kinds of metadata that a stream can keep; each is the lower-case name of a `bitstream.ChunkType`."""
