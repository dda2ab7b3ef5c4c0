"""The work of `ddnc encode` and `ddnc decode` on one group of files, in whatever process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import click
from PIL import Image

import bitstream
from bitstream import Limits
from ddncodec.cli.batch.inline import Form
from ddncodec.cli.batch.jobs import Job, read
from ddncodec.cli.batch.reporting import CLEAR_LINE
from ddncodec.cli.batch.run import Outcome, Product, attempt
from ddncodec.images.files import Reading, Writing, read_picture, write_picture
from ddncodec.zoo import registry

if TYPE_CHECKING:
    from ddncodec.codec import Codec
    from ddncodec.images.pixels import Pixels
    from ddncodec.targets import Trial

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

    def outcome(self, data: bytes, notices: tuple[str, ...] = (), error: str | None = None) -> Outcome:
        height, width = self.pixels.rgb.shape[:2]
        return Outcome(self.job, Product(data, width, height, self.size, (*self.pixels.notices, *notices)), error)


@dataclasses.dataclass(frozen=True)
class Encoding:
    """Encodes a group of pictures, equally large ones together.

    `effort` as for `Codec.encode`. `wanted` is a field of `targets.Target` and its value, or empty; groups are then of
    one picture. `shown` is whether the trials on the way to it are shown on a terminal.
    """

    machine: Machine
    reading: Reading
    quality: float
    coding: str
    metadata: tuple[str, ...]
    effort: int
    wanted: Mapping[str, Any]
    shown: bool

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
        return self._encode_to_target(source) if self.wanted else self._encode([source])[0]

    def _encode_to_target(self, source: Source) -> Outcome:
        from ddncodec.targets import Target, encode_to

        target = Target(**self.wanted)
        with _trials_shown(self.shown) as tried:
            encoded = encode_to(
                self._codec,
                source.pixels,
                target,
                self.coding,
                metadata=self.metadata,
                effort=self.effort,
                tried=tried,
            )
        if encoded.reached:
            return source.outcome(encoded.data)
        if target.psnr is None or encoded.psnr is None:
            return source.outcome(encoded.data, (f"{len(encoded.data)} bytes are as near as the model comes",))
        if encoded.psnr > target.psnr:
            return source.outcome(encoded.data, (f"{encoded.psnr:.2f} dB is as near as the model comes",))
        error = f"{source.job.source}: {target.psnr:g} dB is out of reach, the best is {encoded.psnr:.2f} dB"
        return source.outcome(encoded.data, error=error)

    @property
    def _codec(self) -> Codec:
        return self.machine.codec(self.machine.model or DEFAULT_MODEL)

    def _encode(self, sources: Sequence[Source]) -> list[Outcome]:
        pictures = [source.pixels for source in sources]
        datas = self._codec.encode_batch(
            pictures, self.quality, self.coding, metadata=self.metadata, effort=self.effort
        )
        return [source.outcome(data) for source, data in zip(sources, datas, strict=True)]


@contextmanager
def _trials_shown(shown: bool) -> Iterator[Callable[[Trial], None]]:
    """Yield what is to be told of each trial: it shows one line that is overwritten, and takes it away at the end."""

    def show(trial: Trial) -> None:
        psnr = "" if trial.psnr is None else f", {trial.psnr:.2f} dB"
        click.echo(f"{CLEAR_LINE}trying: {len(trial.data)} bytes{psnr}", nl=False, err=True)

    if not shown:
        yield lambda trial: None
        return
    try:
        yield show
    finally:
        click.echo(CLEAR_LINE, nl=False, err=True)


@dataclasses.dataclass(frozen=True)
class Decoding:
    """Decodes streams; `levels` and `region` as for `Codec.decode`."""

    machine: Machine
    writing: Writing
    levels: int | None
    region: tuple[int, int, int, int] | None
    allow_partial: bool
    form: Form

    def __call__(self, jobs: Sequence[Job]) -> list[Outcome]:
        return [attempt(job, partial(self._decode, job)) for job in jobs]

    def _decode(self, job: Job) -> Outcome:
        stored = read(job.source)
        data, codec = self._restored(stored)
        image = codec.decode(data, self.levels, region=self.region, allow_partial=self.allow_partial)
        out, notices = write_picture(image, self.writing)
        return Outcome(job, Product(out, image.width, image.height, len(stored), notices))

    def progression(self, stored: bytes) -> Iterator[Image.Image]:
        """The picture after each level, as far and as much of it as is asked for, of the bytes of a file."""
        from ddncodec.coding.tiles import Region

        data, codec = self._restored(stored)
        header = bitstream.read_stream(data, limits=self.machine.limits, allow_partial=self.allow_partial).header
        x, y, width, height = self.region or (0, 0, header.width, header.height)
        Region(x, y, width, height).check(header.width, header.height)
        for picture in islice(codec.decode_progressive(data), self.levels):
            yield picture.crop((x, y, x + width, y + height))

    def _restored(self, stored: bytes) -> tuple[bytes, Codec]:
        """An ordinary stream of what is stored in some form, and the codec for it."""
        data = self.form.restore(stored, partial(self.machine.codec, self.machine.model or DEFAULT_MODEL))
        return data, self.machine.codec_for(data)
