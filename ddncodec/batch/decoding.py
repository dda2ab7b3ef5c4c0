"""Decodes groups of stream files, in whatever process."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from PIL import Image

import bitstream
from bitstream import DEFAULT_LIMITS, Limits
from ddncodec.batch.encoding import DEFAULT_MODEL
from ddncodec.batch.outcomes import FileJob, Outcome, Product, failing_alone
from ddncodec.files import read_file
from ddncodec.images.files import Writing, write_picture
from ddncodec.zoo import registry

if TYPE_CHECKING:
    from ddncodec.codec import Codec


@dataclasses.dataclass(frozen=True)
class DecodeOptions:
    """How streams become picture files; `levels`, `region` and `allow_partial` as for `Codec.decode`.

    `max_side`: larger pictures are reduced to it. `model` None: that of each stream. `inline`, `as_text`: the form
    of the streams (FORMAT.md, section 4.2), base64.
    """

    writing: Writing
    model: str | None = None
    device: str = "cpu"
    limits: Limits = DEFAULT_LIMITS
    levels: int | None = None
    region: tuple[int, int, int, int] | None = None
    allow_partial: bool = False
    max_side: int | None = None
    inline: bool = False
    as_text: bool = False
    precision: str = "auto"
    threads: int | None = None

    def codec(self, model: str) -> Codec:
        """The codec of this process for a model, loaded once. Raises ModelError, ArgumentError."""
        from ddncodec.codec import shared_codec

        return shared_codec(model, self.device, self.limits, self.precision, self.threads)


def decode_group(jobs: Sequence[FileJob], options: DecodeOptions) -> list[Outcome]:
    """Read and decode the streams of a group; returns an outcome for each job."""
    outcomes: dict[FileJob, Outcome] = {}
    for job in jobs:
        with failing_alone(job, outcomes):
            began, stored = time.monotonic(), read_file(job.source)
            data, codec = _stream_and_codec(stored, options)
            image = codec.decode(data, options.levels, region=options.region, allow_partial=options.allow_partial)
            if options.max_side is not None:
                image.thumbnail((options.max_side, options.max_side))
            out, notices = write_picture(image, options.writing)
            product = Product(out, image.width, image.height, len(stored), notices, time.monotonic() - began)
            outcomes[job] = Outcome(job, product)
    return [outcomes[job] for job in jobs]


def decode_levels(stored: bytes, options: DecodeOptions) -> Iterator[Image.Image]:
    """The picture after each level, as far and as much of it as is asked for, of the bytes of a file."""
    from ddncodec.coding.tiling import Region

    data, codec = _stream_and_codec(stored, options)
    header = bitstream.read_stream(data, limits=options.limits, allow_partial=options.allow_partial).header
    x, y, width, height = options.region or (0, 0, header.width, header.height)
    Region(x, y, width, height).check(header.width, header.height)
    for picture in islice(codec.decode_progressive(data), options.levels):
        yield picture.crop((x, y, x + width, y + height))


def from_base64(text: bytes) -> bytes:
    """What a text stands for; blanks in it do not matter. Raises bitstream.CorruptionError where it is no base64."""
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error as error:
        raise bitstream.CorruptionError(f"text is no base64: {error}") from error


def _stream_and_codec(stored: bytes, options: DecodeOptions) -> tuple[bytes, Codec]:
    """An ordinary stream of what is stored in some form, and the codec for it."""
    data = from_base64(stored) if options.as_text else stored
    if options.inline:
        from ddncodec.placeholder import from_inline

        codec = options.codec(options.model or DEFAULT_MODEL)
        return from_inline(codec, data), codec
    header = bitstream.read_header(data, limits=options.limits)
    model = options.model or str(registry.find_identity(header.model_id).path)
    return data, options.codec(model)
