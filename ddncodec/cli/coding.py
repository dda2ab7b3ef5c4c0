"""The work of `ddnc encode` and `ddnc decode` on one group of files, in whatever process."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from PIL import Image

import bitstream
from bitstream import Limits
from ddncodec import registry
from ddncodec.cli.batch import Outcome, Product, attempt, read
from ddncodec.cli.jobs import Job
from ddncodec.cli.picture_files import Reading, Writing, read_picture, write_picture

if TYPE_CHECKING:
    from ddncodec.codec import Codec
    from ddncodec.pictures import Pixels

DEFAULT_MODEL = "photo"
CPU_BATCH, GPU_BATCH = 1 << 17, 1 << 22
"""Pixels of equally large pictures that are coded together; on a processor, larger ones gain nothing by it."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """What codes: a model by name or path, where None stands for that of each stream, a device, limits."""

    model: str | None
    device: str
    limits: Limits

    @property
    def batch_pixels(self) -> int:
        return CPU_BATCH if self.device == "cpu" else GPU_BATCH

    def codec(self, model: str) -> Codec:
        """The codec of this process, loaded once. Raises ModelError, ArgumentError."""
        return _codec(model, self.device, self.limits)

    def codec_for(self, data: bytes) -> Codec:
        """The codec for a stream. Raises bitstream.BitstreamError, and as `codec`."""
        header = bitstream.read_header(data, limits=self.limits)
        return self.codec(self.model or str(registry.find_identity(header.model_id).path))


@lru_cache(maxsize=4)
def _codec(model: str, device: str, limits: Limits) -> Codec:
    from ddncodec.codec import Codec

    return Codec(model, device, limits=limits)


def limits_of(max_pixels: int) -> Limits:
    """Limits for pictures of so many pixels, with as many cells for each as by default."""
    return Limits(max_pixels, max_pixels // (bitstream.DEFAULT_LIMITS.max_pixels // bitstream.DEFAULT_LIMITS.max_cells))


def groups(jobs: Sequence[Job], pixels: int) -> Iterator[list[Job]]:
    """Neighbouring jobs whose pictures are equally large, as their headers say, and together of at most `pixels`."""
    group: list[Job] = []
    for job in jobs:
        size = _size(job) if len(jobs) > 1 else None
        if group and (size is None or size != _size(group[0]) or (len(group) + 1) * size[0] * size[1] > pixels):
            yield group
            group = []
        group.append(job)
    if group:
        yield group


@lru_cache(maxsize=1)
def _size(job: Job) -> tuple[int, int] | None:
    """Width and height of the picture in a file, None where it cannot be told."""
    try:
        with Image.open(job.source) as image:
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


@dataclasses.dataclass(frozen=True)
class Source:
    """A picture that was read, from a file of `size` bytes."""

    job: Job
    pixels: Pixels
    size: int

    def outcome(self, data: bytes) -> Outcome:
        height, width = self.pixels.rgb.shape[:2]
        return Outcome(self.job, Product(data, width, height, self.size, self.pixels.notices))


@dataclasses.dataclass(frozen=True)
class Encoding:
    """Encodes a group of pictures, equally large ones together."""

    machine: Machine
    reading: Reading
    quality: float
    coding: str
    metadata: tuple[str, ...]

    def __call__(self, jobs: Sequence[Job]) -> list[Outcome]:
        found = [attempt(job, partial(self._read, job)) for job in jobs]
        sources = [source for source in found if isinstance(source, Source)]
        if len(sources) > 1:
            done = iter(self._encode(sources))
            return [next(done) if isinstance(each, Source) else each for each in found]
        return [
            attempt(each.job, partial(self._encode_one, each)) if isinstance(each, Source) else each for each in found
        ]

    def _read(self, job: Job) -> Source:
        data = read(job.source)
        return Source(job, read_picture(data, self.reading), len(data))

    def _encode_one(self, source: Source) -> Outcome:
        return self._encode([source])[0]

    def _encode(self, sources: Sequence[Source]) -> list[Outcome]:
        codec = self.machine.codec(self.machine.model or DEFAULT_MODEL)
        pictures = [source.pixels for source in sources]
        datas = codec.encode_batch(pictures, self.quality, self.coding, metadata=self.metadata)
        return [source.outcome(data) for source, data in zip(sources, datas, strict=True)]


@dataclasses.dataclass(frozen=True)
class Decoding:
    """Decodes streams; `levels` and `region` as for `Codec.decode`."""

    machine: Machine
    writing: Writing
    levels: int | None
    region: tuple[int, int, int, int] | None
    allow_partial: bool

    def __call__(self, jobs: Sequence[Job]) -> list[Outcome]:
        return [attempt(job, partial(self._decode, job)) for job in jobs]

    def _decode(self, job: Job) -> Outcome:
        data = read(job.source)
        codec = self.machine.codec_for(data)
        image = codec.decode(data, self.levels, region=self.region, allow_partial=self.allow_partial)
        out, notices = write_picture(image, self.writing)
        return Outcome(job, Product(out, image.width, image.height, len(data), notices))
